import CRegion

// The initiator's half up to the transfer: 1010–1038.
extension Arbitration {
  /// The job that has waited longest of those that `member` may start and nobody has (1010–1016).
  public func look(_ member: ProcessorID) throws(RegionError) -> JobID? {
    try requireAlive(member)
    let entry = processor(member.index)
    entry[.polls] = entry[.polls] &+ 1
    var found: (slot: Int, sequence: UInt64)?
    for slot in 0..<geometry.jobCount {
      let job = job(slot)
      guard phase(job) == .posted, isCandidate(member, of: job) else { continue }
      let sequence = job[.sequence]
      if let best = found, best.sequence <= sequence { continue }
      found = (slot, sequence)
    }
    return found.map { identity($0.slot) }
  }

  private func isCandidate(_ member: ProcessorID, of job: Record<cr_job>) -> Bool {
    (job[.candidates] & ~job[.declined]) & member.bit != 0 && abortReason(job) == .none
  }

  /// Seizes exclusive control of a job (1012).
  ///
  /// - Throws: `taken` where another processor was faster.
  public mutating func claim(_ id: JobID, by member: ProcessorID) throws(RegionError) {
    try requireAlive(member)
    let job = try slot(of: id)
    guard let phase = phase(job) else { throw .damaged }
    if phase.isHeld { throw .taken }
    guard phase == .posted else { throw .wrongPhase(phase) }
    guard isCandidate(member, of: job) else { throw .notACandidate }
    seize(job, for: member)
  }

  func seize(_ job: Record<cr_job>, for member: ProcessorID) {
    let entry = processor(member.index)
    entry[.attempts] = entry[.attempts] &+ 1
    job[.holderEpoch] = member.epoch
    job[.holder] = UInt32(member.index)
    job[.port] = cr_none
    job[.phase] = JobPhase.claimed.rawValue
  }

  /// Gives exclusive control back because `member` cannot start for now (1014, 1018, 1020).
  ///
  /// It is not offered this job again before it says `ready`.
  public mutating func decline(_ id: JobID, detail: UInt64 = 0, by member: ProcessorID)
    throws(RegionError)
  {
    let job = try held(id, by: member, in: .claimed)
    job[.declined] = job[.declined] | member.bit
    note(job, of: member.index, .cannotStart, detail: detail)
    giveBack(job)
  }

  /// Says that what kept `member` from starting has passed. Whether it now has something to look at.
  public mutating func ready(_ member: ProcessorID) throws(RegionError) -> Bool {
    try requireAlive(member)
    var isAny = false
    for slot in 0..<geometry.jobCount {
      let job = job(slot)
      guard phase(job) != .free, job[.declined] & member.bit != 0 else { continue }
      job[.declined] = job[.declined] & ~member.bit
      isAny = isAny || phase(job) == .posted
    }
    return isAny
  }

  /// Starts the copy job (1030).
  public mutating func start(_ id: JobID, by member: ProcessorID) throws(RegionError) {
    let job = try held(id, by: member, in: .claimed)
    try refuseAborted(job)
    job[.phase] = JobPhase.searching.rawValue
  }

  /// Where the parameter list lies (1032), for the one who has exclusive control.
  ///
  /// It is copied out outside the mutex; `isStillHeld` afterwards tells whether the copy is good.
  public func list(of id: JobID, by member: ProcessorID) throws(RegionError) -> ChunkList {
    let job = try held(id, by: member, in: .claimed, .searching, .transferring)
    let list = try chunkList(job[.listHead], byteCount: job[.listBytes])
    guard UInt64(list.byteCount) == job[.listBytes] else { throw .damaged }
    return list
  }

  /// Whether `member` has exclusive control of the job.
  public func isStillHeld(_ id: JobID, by member: ProcessorID) -> Bool {
    do throws(RegionError) {
      _ = try held(id, by: member, in: .claimed, .searching, .transferring)
      return true
    } catch { return false }
  }

  /// Tells everybody which port is searched (1034).
  public mutating func noteSearch(_ id: JobID, port: UInt16, by member: ProcessorID)
    throws(RegionError)
  {
    let job = try held(id, by: member, in: .searching)
    try refuseAborted(job)
    job[.port] = UInt32(port)
  }

  /// Keeps why a port did not do (1036).
  public mutating func noteMiss(
    _ id: JobID, port: UInt16, _ reason: SearchReason, detail: UInt64 = 0, by member: ProcessorID
  ) throws(RegionError) {
    let job = try held(id, by: member, in: .searching)
    note(job, of: member.index, port: port, reason, detail: detail)
  }

  /// Marks `member` unavailable in the bitmap table and releases the job to the others (1038, 1020);
  /// with nobody left it ends (1018).
  public mutating func markUnavailable(_ id: JobID, by member: ProcessorID) throws(RegionError) {
    let job = try held(id, by: member, in: .claimed, .searching)
    job[.unavailable] = job[.unavailable] | member.bit
    job[.candidates] = job[.candidates] & ~member.bit
    giveBack(job)
  }

  /// Ends exclusive control of a job whose transfer has not begun.
  mutating func giveBack(_ job: Record<cr_job>, keepingDevices: Bool = false) {
    if abortReason(job) != .none {
      conclude(job, .aborted, keepingDevices: keepingDevices)
    } else if job[.candidates] == 0 {
      conclude(job, .noProcessor, keepingDevices: keepingDevices)
    } else {
      if !keepingDevices { releaseDevices(of: job) }
      job[.port] = cr_none
      job[.phase] = JobPhase.posted.rawValue
      job[.holder] = cr_none
      job[.holderEpoch] = 0
      wake(job[.candidates] & ~job[.declined])
    }
  }
}
