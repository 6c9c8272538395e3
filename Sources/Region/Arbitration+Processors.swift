import CRegion

// Processors come, go, die and fall silent.
extension Arbitration {
  /// Takes an entry for a processor; `index` where the configuration gives it one.
  ///
  /// `takesLife` locks the life mutex of an entry for the calling thread, where nobody else has it.
  public mutating func join(
    at index: Int? = nil, controller: UInt32, pid: UInt32, takesLife: (Int) -> Bool
  ) throws(RegionError) -> ProcessorID {
    let wanted = index.map { $0..<$0 + 1 } ?? 0..<geometry.processorCount
    for index in wanted.clamped(to: 0..<geometry.processorCount)
    where state(ofProcessor: index) == .free && takesLife(index) {
      let entry = processor(index)
      let epoch = header[.epochLast] &+ 1
      header[.epochLast] = epoch
      entry[.epoch] = epoch
      entry[.pid] = pid
      entry[.controller] = controller
      entry[.heartbeat] = now
      entry[.polls] = 0
      entry[.attempts] = 0
      entry[.state] = ProcessorState.alive.rawValue
      return ProcessorID(index: index, epoch: epoch)
    }
    throw .full(.processors)
  }

  /// Says that `member` lives.
  public func beat(_ member: ProcessorID) throws(RegionError) {
    try requireAlive(member)
    processor(member.index)[.heartbeat] = now
  }

  /// Takes `member` out of the table, once its last operation has completed. What it still held ends
  /// as if it had died. A processor that was fenced leaves too.
  public mutating func leave(_ member: ProcessorID) {
    guard member.index >= 0, member.index < geometry.processorCount,
      isPresent(UInt32(member.index), member.epoch)
    else { return }
    retire(member.index, .processorLeft)
  }

  /// Looks for processors that died or fell silent, and gives their work to the others.
  ///
  /// `isGone` tells whether the thread of an entry has certainly ended. One that is only silent keeps
  /// its devices, because it may wake and write: they are free when it leaves or dies.
  public mutating func reap(
    silentAfterNanoseconds limit: UInt64 = .max, sparing member: ProcessorID? = nil,
    isGone: (Int) -> Bool
  ) {
    for index in 0..<geometry.processorCount where index != member?.index {
      let state = state(ofProcessor: index)
      if state == .free { continue }
      if isGone(index) {
        retire(index, .processorDied)
      } else if state == .fenced || isSilent(processor(index)[.heartbeat], limit) {
        fence(index)
      }
    }
  }

  private func isSilent(_ heartbeat: UInt64, _ limit: UInt64) -> Bool {
    now > heartbeat && now - heartbeat > limit
  }

  /// Ends everything of a processor that is certainly gone, and frees its entry.
  mutating func retire(_ index: Int, _ reason: SearchReason) {
    dropWork(of: index, reason, mayWake: false)
    releaseDevices(ofEpoch: processor(index)[.epoch])
    processor(index)[.state] = ProcessorState.free.rawValue
  }

  /// Takes the work of a silent processor away. Each of its own steps fails from the first store on;
  /// where whoever does this dies before the last one, the next does it again.
  mutating func fence(_ index: Int) {
    let isNew = state(ofProcessor: index) == .alive
    processor(index)[.state] = ProcessorState.fenced.rawValue
    dropWork(of: index, .processorSilent, mayWake: true)
    if isNew { wake(1 << UInt64(index)) }
  }

  /// What `mayWake` still uses stays its own: devices, and chunks it may be filling.
  private mutating func dropWork(of index: Int, _ reason: SearchReason, mayWake: Bool) {
    let member = ProcessorID(index: index, epoch: processor(index)[.epoch])
    for slot in 0..<geometry.jobCount {
      let job = job(slot)
      guard let phase = phase(job), phase != .free else { continue }
      dropBit(of: member, from: job, reason)
      if phase.isHeld, isHolder(member, of: job) {
        if phase == .transferring {
          note(job, of: index, reason)
          conclude(job, .lostProcessor, keepingDevices: mayWake)
        } else {
          giveBack(job, keepingDevices: mayWake)
        }
      } else if phase == .posted, job[.candidates] == 0 {
        conclude(job, .noProcessor)
      }
      if isReceiver(member, of: job), !(mayWake && phase == .received) {
        dropReceiver(of: job)
      }
    }
  }

  private func dropBit(
    of member: ProcessorID, from job: Record<cr_job>, _ reason: SearchReason
  ) {
    guard job[.candidates] & member.bit != 0 else { return }
    job[.candidates] = job[.candidates] & ~member.bit
    job[.declined] = job[.declined] & ~member.bit
    note(job, of: member.index, reason)
  }

  /// The target job is gone: what was not begun is not begun any more, what runs stops at a border,
  /// and every result is kept.
  mutating func dropReceiver(of job: Record<cr_job>) {
    switch phase(job) {
    case .received: release(job)
    case .posted, .claimed, .searching, .transferring: stop(job, .receiverGone)
    case .reported: job[.phase] = JobPhase.finished.rawValue
    case .finished, .free, nil: break
    }
    job[.receiver] = cr_none
  }
}
