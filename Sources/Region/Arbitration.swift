import CRegion

/// The protocol: who does a job, decided over the region alone.
///
/// An `Arbitration` is one section under the region's mutex. It is plain steps over plain memory: the
/// mutex, the time and the sleeping are given from outside, so that a model checker runs the code that
/// ships. What a step changes becomes valid with its last store, usually that of the phase, so that a
/// processor that dies inside leaves nothing behind that `repair` cannot put right.
///
/// Nothing that is read from the region is trusted: indexes and lengths are checked against the
/// geometry, codes against their enumerations, chains against the number of chunks.
public struct Arbitration {
  let memory: RegionMemory
  /// How large everything is, as it was checked when the region was mapped.
  public let geometry: RegionGeometry
  /// Monotonic nanoseconds.
  let now: UInt64
  /// Processors to be woken once the mutex is free, one bit each.
  public internal(set) var wakes: UInt64 = 0

  init(memory: RegionMemory, geometry: RegionGeometry, now: UInt64) {
    self.memory = memory
    self.geometry = geometry
    self.now = now
  }

  // MARK: Tables

  var header: Record<cr_header> { Record(memory: memory, offset: 0) }

  func processor(_ index: Int) -> Record<cr_processor> {
    precondition(index >= 0 && index < geometry.processorCount, "an index is checked before use")
    return Record(memory: memory, offset: geometry.processorsOffset + index * CR_PROCESSOR_BYTES)
  }

  func job(_ slot: Int) -> Record<cr_job> {
    precondition(slot >= 0 && slot < geometry.jobCount, "a slot is checked before use")
    return Record(memory: memory, offset: geometry.jobsOffset + slot * geometry.jobStride)
  }

  func device(_ index: Int) -> Record<cr_device> {
    precondition(index >= 0 && index < geometry.deviceCount, "an index is checked before use")
    return Record(memory: memory, offset: geometry.devicesOffset + index * CR_DEVICE_BYTES)
  }

  func phase(_ job: Record<cr_job>) -> JobPhase? { JobPhase(rawValue: job[.phase]) }

  func identity(_ slot: Int) -> JobID { JobID(slot: slot, generation: job(slot)[.generation]) }

  // MARK: Checks

  /// What an entry for a processor stands for.
  enum ProcessorState: UInt32 {
    case free
    case alive
    /// Silent for too long: its work is given to others, its devices are not, because it may wake.
    case fenced
  }

  func state(ofProcessor index: Int) -> ProcessorState {
    ProcessorState(rawValue: processor(index)[.state]) ?? .free
  }

  /// Whether the processor of that index and epoch is in the table, fenced or not.
  func isPresent(_ index: UInt32, _ epoch: UInt64) -> Bool {
    guard index < UInt32(geometry.processorCount) else { return false }
    return state(ofProcessor: Int(index)) != .free && processor(Int(index))[.epoch] == epoch
  }

  var aliveMask: UInt64 {
    var mask: UInt64 = 0
    for index in 0..<geometry.processorCount where state(ofProcessor: index) == .alive {
      mask |= 1 << UInt64(index)
    }
    return mask
  }

  func requireAlive(_ member: ProcessorID) throws(RegionError) {
    guard member.index >= 0, member.index < geometry.processorCount,
      state(ofProcessor: member.index) == .alive,
      processor(member.index)[.epoch] == member.epoch
    else { throw .fenced }
  }

  /// The slot of a job that has not ended.
  func slot(of id: JobID) throws(RegionError) -> Record<cr_job> {
    guard id.slot < UInt32(geometry.jobCount) else { throw .noSuchJob }
    let job = job(Int(id.slot))
    guard job[.generation] == id.generation, let phase = phase(job), phase != .free else {
      throw .noSuchJob
    }
    return job
  }

  /// The slot of a job that `member` has exclusive control of, in one of `phases`.
  func held(_ id: JobID, by member: ProcessorID, in phases: JobPhase...) throws(RegionError)
    -> Record<cr_job>
  {
    try requireAlive(member)
    let job = try slot(of: id)
    guard let phase = phase(job) else { throw .damaged }
    guard !phase.isHeld || isHolder(member, of: job) else { throw .notHolder }
    guard phases.contains(phase) else { throw .wrongPhase(phase) }
    return job
  }

  func isHolder(_ member: ProcessorID, of job: Record<cr_job>) -> Bool {
    job[.holder] == UInt32(member.index) && job[.holderEpoch] == member.epoch
  }

  func isReceiver(_ member: ProcessorID, of job: Record<cr_job>) -> Bool {
    job[.receiver] == UInt32(member.index) && job[.receiverEpoch] == member.epoch
  }

  func received(_ id: JobID, by member: ProcessorID) throws(RegionError) -> Record<cr_job> {
    try requireAlive(member)
    let job = try slot(of: id)
    guard isReceiver(member, of: job) else { throw .notReceiver }
    return job
  }

  func abortReason(_ job: Record<cr_job>) -> AbortReason {
    AbortReason(rawValue: job[.abort]) ?? .requested
  }

  func refuseAborted(_ job: Record<cr_job>) throws(RegionError) {
    let reason = abortReason(job)
    if reason != .none { throw .aborted(reason) }
  }

  // MARK: Waking

  /// Changes the words that these processors sleep on.
  mutating func wake(_ mask: UInt64) {
    for index in 0..<geometry.processorCount where mask & 1 << UInt64(index) != 0 {
      guard state(ofProcessor: index) != .free else { continue }
      let entry = processor(index)
      entry[.wake] = entry[.wake] &+ 1
      wakes |= 1 << UInt64(index)
    }
  }

  mutating func wakeReceiver(of job: Record<cr_job>) {
    let index = job[.receiver]
    if isPresent(index, job[.receiverEpoch]) { wake(1 << UInt64(index)) }
  }
}
