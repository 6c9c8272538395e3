import CRegion

/// A processor as everybody sees it.
public struct ProcessorFacts: Equatable, Sendable {
  /// Its bit and epoch.
  public var processor: ProcessorID
  /// Its controller's number: 1 for CL1.
  public var controller: UInt32
  /// Its process.
  public var pid: UInt32
  /// It was silent for too long and has not left yet.
  public var isFenced: Bool
  /// How often it has looked for work.
  public var polls: UInt64
  /// How often it has seized exclusive control.
  public var attempts: UInt64
}

/// How full a region is.
public struct RegionUse: Equatable, Sendable {
  /// Slots in use.
  public var jobs: Int
  /// Chunks in use.
  public var chunks: Int
  /// Devices that are held.
  public var devices: Int
  /// Results that nobody took, thrown away for want of room.
  public var lostResults: UInt64
  /// How often the tables were put right after a death inside a section.
  public var repairs: UInt32
}

extension Arbitration {
  /// Every job there is, oldest slot first.
  public func jobs() -> [JobState] {
    (0..<geometry.jobCount).compactMap { slot in
      let job = job(slot)
      return phase(job) == .free ? nil : state(of: job, identity(slot))
    }
  }

  /// One job.
  public func state(of id: JobID) throws(RegionError) -> JobState {
    guard let state = state(of: try slot(of: id), id) else { throw .damaged }
    return state
  }

  private func state(of job: Record<cr_job>, _ id: JobID) -> JobState? {
    guard let phase = phase(job) else { return nil }
    let receiver = job[.receiver]
    let holder = job[.holder]
    let port = job[.port]
    return JobState(
      job: id, phase: phase, sequence: job[.sequence],
      receiver: isPresent(receiver, job[.receiverEpoch]) ? Int(receiver) : nil,
      holder: phase.isHeld && isPresent(holder, job[.holderEpoch]) ? Int(holder) : nil,
      candidates: job[.candidates], unavailable: job[.unavailable], declined: job[.declined],
      port: port == cr_none ? nil : port, progress: progress(of: job),
      outcome: JobOutcome(rawValue: job[.outcome]) ?? .damaged, abortReason: abortReason(job),
      notes: notes(of: job))
  }

  /// Finished jobs whose receiver is gone.
  public func keptResults() -> [JobID] {
    jobs().filter { $0.phase == .finished && $0.receiver == nil }.map(\.job)
  }

  /// The parameter list of a job, for a person who looks.
  public func storedList(of id: JobID) throws(RegionError) -> ChunkList {
    let job = try slot(of: id)
    return try chunkList(job[.listHead], byteCount: job[.listBytes])
  }

  /// Every processor there is.
  public func processors() -> [ProcessorFacts] {
    (0..<geometry.processorCount).compactMap { index in
      let entry = processor(index)
      let state = state(ofProcessor: index)
      guard state != .free else { return nil }
      return ProcessorFacts(
        processor: ProcessorID(index: index, epoch: entry[.epoch]),
        controller: entry[.controller], pid: entry[.pid], isFenced: state == .fenced,
        polls: entry[.polls], attempts: entry[.attempts])
    }
  }

  /// How full it is.
  public func use() -> RegionUse {
    let jobs = (0..<geometry.jobCount).count { phase(job($0)) != .free }
    let devices = (0..<geometry.deviceCount).count { device($0)[.holderJob] != 0 }
    let free = min(Int(header[.freeChunkCount]), geometry.chunkCount)
    return RegionUse(
      jobs: jobs, chunks: geometry.chunkCount - free, devices: devices,
      lostResults: header[.lostResultCount], repairs: header[.repairCount])
  }
}
