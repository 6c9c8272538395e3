import CRegion

// The target job's half: 912–930 and 940–944.
extension Arbitration {
  /// Takes a slot and chunks for a list (920). The list is copied into the chunks outside the mutex.
  ///
  /// - Throws: `full` where the command is to be answered with BUSY.
  public mutating func reserve(listBytes: Int, by member: ProcessorID) throws(RegionError)
    -> (job: JobID, list: ChunkList)
  {
    try requireAlive(member)
    guard listBytes >= 0, listBytes <= geometry.listBytesMaximum else {
      throw .tooLong(limitBytes: geometry.listBytesMaximum)
    }
    let slot = try freeSlot()
    let list = try allocate(listBytes)
    let job = job(slot)
    let next = job[.generation] &+ 1
    let generation = next == 0 ? 1 : next
    clear(job)
    job[.generation] = generation
    job[.receiver] = UInt32(member.index)
    job[.receiverEpoch] = member.epoch
    job[.listBytes] = UInt64(listBytes)
    job[.listHead] = list.chunks.first ?? cr_none
    header[.jobHint] = UInt32(slot) &+ 1
    job[.phase] = JobPhase.received.rawValue
    return (JobID(slot: slot, generation: generation), list)
  }

  private func clear(_ job: Record<cr_job>) {
    job[.sequence] = 0
    removeBitmap(job)
    job[.holder] = cr_none
    job[.holderEpoch] = 0
    job[.listHead] = cr_none
    job[.dataHead] = cr_none
    job[.dataBytes] = 0
    job[.abort] = AbortReason.none.rawValue
    job[.port] = cr_none
    job[.segment] = 0
    job[.borderKnown] = 0
    job[.border] = 0
    job[.bytesMoved] = 0
    job[.outcome] = JobOutcome.none.rawValue
    job[.takenCount] = 0
    job[.noteUsed] = 0
    job[.status] = 0
    job[.blocks] = 0
    job[.positionKnown] = 0
    job[.digestBytes] = 0
    job[.senseBytes] = 0
  }

  private mutating func freeSlot() throws(RegionError) -> Int {
    let first = Int(header[.jobHint] % UInt32(geometry.jobCount))
    for step in 0..<geometry.jobCount {
      let slot = (first + step) % geometry.jobCount
      if phase(job(slot)) == .free { return slot }
    }
    guard evictResult(where: { _ in true }) else { throw .full(.jobs) }
    for slot in 0..<geometry.jobCount where phase(job(slot)) == .free { return slot }
    throw .full(.jobs)
  }

  /// Throws the oldest result away whose receiver is gone: kept as long as there is room.
  mutating func evictResult(where isWanted: (Record<cr_job>) -> Bool) -> Bool {
    var oldest: Record<cr_job>?
    for slot in 0..<geometry.jobCount {
      let job = job(slot)
      guard phase(job) == .finished, !isPresent(job[.receiver], job[.receiverEpoch]), isWanted(job)
      else { continue }
      if let found = oldest, found[.sequence] <= job[.sequence] { continue }
      oldest = job
    }
    guard let oldest else { return false }
    header[.lostResultCount] = header[.lostResultCount] &+ 1
    release(oldest)
    return true
  }

  /// Stores the bitmap table (930): from now on the job is looked for.
  ///
  /// Candidates that are not there are noted as absent; with none left the job ends at once.
  public mutating func post(_ id: JobID, candidates: UInt64, by member: ProcessorID)
    throws(RegionError)
  {
    let job = try received(id, by: member)
    guard phase(job) == .received else { throw .wrongPhase(phase(job) ?? .free) }
    let present = candidates & aliveMask
    for index in 0..<CR_PROCESSORS_MAX where (candidates & ~present) & 1 << UInt64(index) != 0 {
      note(job, of: index, .processorAbsent)
    }
    let sequence = header[.sequenceLast] &+ 1
    header[.sequenceLast] = sequence
    job[.sequence] = sequence
    job[.postedTime] = now
    job[.unavailable] = candidates & ~present
    job[.candidates] = present
    if present == 0 {
      conclude(job, .noProcessor)
    } else {
      job[.phase] = JobPhase.posted.rawValue
      wake(present)
    }
  }

  /// Takes the result (942); nil while there is none. It can be taken once: whoever has it answers.
  public mutating func takeResult(of id: JobID, by member: ProcessorID) throws(RegionError)
    -> JobResult?
  {
    let job = try received(id, by: member)
    switch phase(job) {
    case .finished: break
    case .reported: throw .wrongPhase(.reported)
    case nil: throw .damaged
    default: return nil
    }
    let result = try result(of: job)
    job[.takenCount] = job[.takenCount] &+ 1
    job[.phase] = JobPhase.reported.rawValue
    return result
  }

  /// Frees the slot, once the server has its answer.
  public mutating func close(_ id: JobID, by member: ProcessorID) throws(RegionError) {
    let job = try received(id, by: member)
    guard phase(job) == .reported else { throw .wrongPhase(phase(job) ?? .free) }
    release(job)
  }

  /// Makes `member` the receiver of a result whose own one is gone, for the history: the server's
  /// command ended with its connection.
  public mutating func adopt(_ id: JobID, by member: ProcessorID) throws(RegionError) {
    try requireAlive(member)
    let job = try slot(of: id)
    guard phase(job) == .finished else { throw .wrongPhase(phase(job) ?? .free) }
    guard !isPresent(job[.receiver], job[.receiverEpoch]) else { throw .notReceiver }
    job[.receiverEpoch] = member.epoch
    job[.receiver] = UInt32(member.index)
  }

  /// Frees a job that was not posted.
  public mutating func discard(_ id: JobID, by member: ProcessorID) throws(RegionError) {
    let job = try received(id, by: member)
    guard phase(job) == .received else { throw .wrongPhase(phase(job) ?? .free) }
    release(job)
  }

  /// Tells a posted job to end. Where nobody works on it, it has ended; else its holder is woken, and ends
  /// it when its last operation has completed.
  public mutating func abort(_ id: JobID, _ reason: AbortReason = .requested) throws(RegionError) {
    let job = try slot(of: id)
    guard let phase = phase(job) else { throw .damaged }
    switch phase {
    case .posted, .claimed, .searching, .transferring: stop(job, reason)
    case .received, .free, .finished, .reported: throw .wrongPhase(phase)
    }
  }

  /// Ends a job that was posted and has not finished, or has its holder end it.
  mutating func stop(_ job: Record<cr_job>, _ reason: AbortReason) {
    if abortReason(job) == .none { job[.abort] = reason.rawValue }
    if phase(job) == .posted {
      conclude(job, .aborted)
    } else {
      job[.candidates] = 0
      let holder = job[.holder]
      if isPresent(holder, job[.holderEpoch]) { wake(1 << UInt64(holder)) }
    }
  }

  func result(of job: Record<cr_job>) throws(RegionError) -> JobResult {
    var report = CopyReport(status: UInt8(truncatingIfNeeded: job[.status]))
    report.sense = job.bytes(.sense, count: job[.senseBytes], limit: CR_SENSE_MAX)
    report.digest = job.bytes(.digest, count: job[.digestBytes], limit: CR_DIGEST_MAX)
    report.progress = progress(of: job)
    report.blocks = job[.blocks]
    report.tapePosition = job[.positionKnown] != 0 ? job[.position] : nil
    let outcome = JobOutcome(rawValue: job[.outcome]) ?? .damaged
    report.isAborted = outcome == .aborted
    let used = Int(job[.noteUsed])
    let data = try chunkList(job[.dataHead], byteCount: job[.dataBytes])
    guard data.byteCount <= CopyReport.dataBytesMaximum else { throw .damaged }
    report.data = geometry.bytes(of: data, in: memory)
    return JobResult(
      outcome: outcome, abortReason: abortReason(job), report: report,
      notes: notes(of: job), lostNoteCount: max(0, used - geometry.noteCount),
      takenBefore: Int(job[.takenCount]))
  }
}
