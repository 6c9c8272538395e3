import CRegion

// What a processor leaves behind that died inside a section, or one that wrote where it should not.
extension Arbitration {
  /// Puts the tables right. Done after the mutex was taken from a dead holder, before anything else;
  /// it may itself be cut off anywhere and done again.
  public mutating func repair() {
    var used = [Bool](repeating: false, count: geometry.chunkCount)
    for slot in 0..<geometry.jobCount {
      let job = job(slot)
      guard let phase = phase(job) else {
        job[.phase] = JobPhase.free.rawValue
        continue
      }
      if phase == .free { continue }
      let isWhole =
        claimChunks(job[.listHead], job[.listBytes], &used)
        && claimChunks(job[.dataHead], job[.dataBytes], &used)
      if isWhole { repair(job, phase) } else { discard(job) }
    }
    collectFreeChunks(used)
    repairDevices()
    header[.repairCount] = header[.repairCount] &+ 1
    wake(.max)
  }

  private mutating func repair(_ job: Record<cr_job>, _ phase: JobPhase) {
    switch phase {
    case .posted:
      job[.holder] = cr_none
      job[.holderEpoch] = 0
      if abortReason(job) != .none {
        conclude(job, .aborted)
      } else if job[.candidates] == 0 {
        conclude(job, .noProcessor)
      }
    case .claimed, .searching, .transferring:
      if !isPresent(job[.holder], job[.holderEpoch]) {
        if phase == .transferring { conclude(job, .lostProcessor) } else { giveBack(job) }
      }
    case .free, .received, .finished, .reported: break
    }
    let isOver = self.phase(job) == .finished || self.phase(job) == .free
    if !isOver, !isPresent(job[.receiver], job[.receiverEpoch]) { dropReceiver(of: job) }
  }

  /// A job whose chains are broken ends; nothing of it can be trusted but that it existed.
  private mutating func discard(_ job: Record<cr_job>) {
    job[.listHead] = cr_none
    job[.listBytes] = 0
    job[.dataHead] = cr_none
    conclude(job, .damaged, keepingDevices: true)
  }

  private func claimChunks(_ head: UInt32, _ byteCount: UInt64, _ used: inout [Bool]) -> Bool {
    if head == cr_none { return true }
    guard byteCount <= UInt64(geometry.listBytesMaximum), byteCount > 0 else { return false }
    var chunk = head
    for _ in 0..<geometry.chunksFor(Int(byteCount)) {
      guard isChunk(chunk), !used[Int(chunk)] else { return false }
      used[Int(chunk)] = true
      chunk = link(chunk)
    }
    return chunk == cr_none
  }

  private func collectFreeChunks(_ used: [Bool]) {
    var head = cr_none
    var count: UInt32 = 0
    for chunk in used.indices.reversed() where !used[chunk] {
      setLink(UInt32(chunk), head)
      head = UInt32(chunk)
      count += 1
    }
    header[.freeChunk] = head
    header[.freeChunkCount] = count
  }

  /// A device stays with its job as long as that is held, and with its processor as long as that may
  /// still use it.
  private func repairDevices() {
    for index in 0..<geometry.deviceCount {
      let entry = device(index)
      let holder = entry[.holderJob]
      if holder == 0 { continue }
      let id = JobID(number: holder)
      let epoch = entry[.holderEpoch]
      if id.slot < UInt32(geometry.jobCount), identity(Int(id.slot)) == id,
        phase(job(Int(id.slot)))?.isHeld == true, job(Int(id.slot))[.holderEpoch] == epoch
      {
        continue
      }
      let isFenced = (0..<geometry.processorCount).contains {
        state(ofProcessor: $0) == .fenced && processor($0)[.epoch] == epoch
      }
      if !isFenced { entry[.holderJob] = 0 }
    }
  }
}
