import CRegion

// 1040–1044: the transfer, its end, and what every end has in common.
extension Arbitration {
  /// Begins the transfer (1040). From here on no other processor ever does this job.
  public mutating func beginTransfer(_ id: JobID, by member: ProcessorID) throws(RegionError) {
    let job = try held(id, by: member, in: .searching)
    try refuseAborted(job)
    job[.phase] = JobPhase.transferring.rawValue
  }

  /// Tells how far it is.
  ///
  /// - Throws: `aborted` where the holder shall stop at its next border; what was told is kept.
  public mutating func noteProgress(
    _ id: JobID, _ progress: TransferProgress, by member: ProcessorID
  ) throws(RegionError) {
    let job = try held(id, by: member, in: .transferring)
    store(progress, in: job)
    try refuseAborted(job)
  }

  private func store(_ progress: TransferProgress, in job: Record<cr_job>) {
    job[.segment] = progress.segment
    job[.bytesMoved] = progress.bytes
    if let border = progress.border {
      job[.border] = border
      job[.borderKnown] = 1
    }
  }

  func progress(of job: Record<cr_job>) -> TransferProgress {
    TransferProgress(
      segment: job[.segment], bytes: job[.bytesMoved],
      border: job[.borderKnown] != 0 ? job[.border] : nil)
  }

  /// Ends the job (1042): the bitmap table goes, the result is posted (1044), devices are free.
  ///
  /// A job whose transfer has not begun cannot end GOOD. Where there is no room for the data, it is
  /// finished again without them.
  public mutating func finish(_ id: JobID, _ report: CopyReport, by member: ProcessorID)
    throws(RegionError)
  {
    let job = try held(id, by: member, in: .claimed, .searching, .transferring)
    let isGood = report.status == 0 && !report.isAborted
    guard !isGood || phase(job) == .transferring else { throw .wrongPhase(phase(job) ?? .free) }
    guard report.data.count <= CopyReport.dataBytesMaximum else {
      throw .tooLong(limitBytes: CopyReport.dataBytesMaximum)
    }
    let data = try allocate(report.data.count)
    geometry.fill(data, with: report.data, in: memory)
    job[.dataBytes] = UInt64(data.byteCount)
    job[.dataHead] = data.chunks.first ?? cr_none
    job[.status] = UInt32(report.status)
    let sense = report.sense.prefix(CR_SENSE_MAX)
    job.store(report.sense, in: .sense, limit: CR_SENSE_MAX)
    job[.senseBytes] = UInt32(sense.count)
    job.store(report.digest, in: .digest, limit: CR_DIGEST_MAX)
    job[.digestBytes] = UInt32(min(report.digest.count, CR_DIGEST_MAX))
    job[.blocks] = report.blocks
    job[.position] = report.tapePosition ?? 0
    job[.positionKnown] = report.tapePosition == nil ? 0 : 1
    store(report.progress, in: job)
    conclude(job, report.isAborted ? .aborted : .completed)
  }

  /// The one way a job ends: bitmap removed, devices released, result there, target job woken.
  mutating func conclude(
    _ job: Record<cr_job>, _ outcome: JobOutcome, keepingDevices: Bool = false
  ) {
    job[.outcome] = outcome.rawValue
    removeBitmap(job)
    if !keepingDevices { releaseDevices(of: job) }
    job[.phase] = JobPhase.finished.rawValue
    job[.holder] = cr_none
    wakeReceiver(of: job)
  }

  func removeBitmap(_ job: Record<cr_job>) {
    job[.candidates] = 0
    job[.unavailable] = 0
    job[.declined] = 0
  }

  /// Frees a slot and what hangs on it.
  func release(_ job: Record<cr_job>) {
    let list = job[.listHead]
    let data = job[.dataHead]
    removeBitmap(job)
    job[.phase] = JobPhase.free.rawValue
    free(list)
    free(data)
  }

  // MARK: Notes

  func noteRecord(_ job: Record<cr_job>, _ number: Int) -> Record<cr_note> {
    Record(memory: memory, offset: job.offset + CR_JOB_BYTES + number * CR_NOTE_BYTES)
  }

  func note(
    _ job: Record<cr_job>, of processor: Int, port: UInt16 = SearchNote.wholeProcessor,
    _ reason: SearchReason, detail: UInt64 = 0
  ) {
    let used = job[.noteUsed]
    if used < UInt32(geometry.noteCount) {
      let note = noteRecord(job, Int(used))
      note[.processor] = UInt16(processor)
      note[.port] = port
      note[.reason] = reason.rawValue
      note[.detail] = detail
    }
    job[.noteUsed] = used == .max ? used : used + 1
  }

  func notes(of job: Record<cr_job>) -> [SearchNote] {
    (0..<min(Int(job[.noteUsed]), geometry.noteCount)).map { number in
      let note = noteRecord(job, number)
      return SearchNote(
        processor: Int(note[.processor]), port: note[.port],
        reason: SearchReason(rawValue: note[.reason]) ?? .unknown, detail: note[.detail])
    }
  }
}
