import Devices
public import ExtendedCopy
public import SCSI
public import Transfer
public import Uring

/// Executes parameter lists on the devices of one ring: the copy manager of SPC-4 5.16.
///
/// Used on the ring's thread. A manager executes one command; a second one gets its own.
public final class CopyManager {
  let ring: Ring
  let limits: TransferLimits
  let pipeline: Pipeline
  /// Bytes read and not processed, and processed and not written, when all stages so far are done.
  var sourceResidual: UInt64 = 0, destinationResidual: UInt64 = 0
  /// Segments that moved data and are perhaps still moving it, for the residual of a failure.
  var moving: [Int: DataSegment] = [:]
  /// The segment that was last moved from its end to its beginning: what was written of it does not
  /// begin where it begins, so that no residual tells of it.
  var movedBackwards: Int?
  var tapes: [ObjectIdentifier: TapeProgress] = [:]
  var holes = HoleFinder()
  private var written: [ObjectIdentifier: CopyDevice] = [:]
  private var lastSegment = 0

  /// A manager for one command.
  public init(ring: Ring, limits: TransferLimits, streaming: StreamingPolicy? = nil) {
    self.ring = ring
    self.limits = limits
    pipeline = Pipeline(ring: ring, limits: limits, streaming: streaming)
  }

  /// What was done so far.
  public var counters: TransferCounters { pipeline.counters }

  /// Segments that have begun, from the first on; those before the last of them are done or under way.
  public var segmentsBegun: Int { lastSegment }

  /// What is wrong with `list`, found before anything moves: ILLEGAL REQUEST. Nil where it may be
  /// executed.
  public static func refusal(of list: ParameterList) -> SenseData? { sense(refusing: list) }

  /// Ends the command at a border of records; `execute` returns after the last completion, with
  /// TASK ABORTED.
  public func cancel() { pipeline.cancel() }

  /// Executes `list`. `devices[i]` is what target descriptor `i` names, nil where nothing is
  /// reachable under that name. Everything written is durable when GOOD is returned.
  public func execute(_ list: ParameterList, devices: [CopyDevice?]) async -> CopyResult {
    if let sense = sense(refusing: list) { return result(.checkCondition, sense, segments: 0) }
    let finder = EndFinder(list: list, devices: devices, largestUnit: limits.reservoirBytes / 2)
    holes.avoid(Self.writtenDisks(list, finder))
    for (number, segment) in list.segments.enumerated() {
      lastSegment = number + 1
      do {
        try await perform(segment, number, finder)
      } catch {
        return await failed(error)
      }
    }
    do {
      try await finish()
    } catch {
      return await failed(error)
    }
    return result(.good, nil, segments: list.segments.count)
  }

  private func perform(_ segment: SegmentDescriptor, _ number: Int, _ finder: EndFinder)
    async throws(SegmentError)
  {
    if let data = try dataSegment(segment, finder) {
      try await move(data, number)
      if data.isInexact {
        try await drained()
        var error = SegmentError(.unexpectedInexactSegment)
        if data.written > 0 { error.information = data.residual(writtenBytes: data.written) }
        throw error
      }
      return
    }
    switch segment.operation {
    case .verifyDevice:
      // Whether a device is there and what it is was asked when it was found.
      _ = try finder.target(segment.source, field: EndFinder.sourceIndexField)
    case .writeFilemarks(let isImmediate, _, let count):
      try await writeFilemarks(segment, Int(count), isImmediate, finder)
    case .space(let code, let count):
      try await space(segment, code, Int(count), finder)
    case .locate(let address):
      try await locate(segment, UInt64(address), finder)
    case .tapeImageCopy(let count):
      try await copyTapeImage(segment, number, stop: Int(count), finder)
    case .registerKey, .thirdPartyReservation:
      // Local devices have no persistent reservations.
      _ = try finder.target(segment.destination, field: EndFinder.destinationIndexField)
      throw .inSegment(
        .invalidOperationForCopySourceOrDestination, EndFinder.destinationIndexField)
    default:
      preconditionFailure("every segment moves data or is named here")
    }
  }

  // MARK: Devices that were written

  func noteWritten(_ device: CopyDevice) {
    switch device {
    case .block(let disk): written[ObjectIdentifier(disk)] = device
    case .stream(let tape): written[ObjectIdentifier(tape)] = device
    }
  }

  /// Makes everything durable, and compares where tapes stand with where they should.
  private func finish() async throws(SegmentError) {
    try await drained()
    for device in written.values {
      switch device {
      case .block(let disk):
        let status = await disk.flush()
        if let condition = status.condition { throw SegmentError(.destination, condition) }
      case .stream(let tape):
        let status = await tape.writeFilemarks(0, immediate: false)
        if let condition = status.condition, !status.isSuccess {
          throw SegmentError(.destination, condition)
        }
        try await checkPosition(of: tape)
      }
    }
  }

  // MARK: Ends

  /// Waits for everything queued; throws what went wrong in it.
  func drained() async throws(SegmentError) {
    if let stop = await pipeline.drain() { throw error(for: stop) }
  }

  func enqueue(_ stage: Stage) async throws(SegmentError) {
    if !(await pipeline.enqueue(stage)) { try await drained() }
  }

  private func error(for stop: PipelineStop) -> SegmentError {
    switch stop {
    case .failure(let failure):
      lastSegment = failure.segment + 1
      let data = moving[failure.segment]
      let command = data?.inCommands(failure.condition, failure.origin) ?? failure.condition
      var error = SegmentError(failure.origin, command)
      if let data, failure.writtenBytes > data.lead, failure.segment != movedBackwards {
        error.information = data.residual(writtenBytes: failure.writtenBytes - data.lead)
      }
      return error
    case .cancelled:
      if let segment = pipeline.stoppedSegment { lastSegment = segment + 1 }
      var error = SegmentError(.noAdditionalSense)
      error.isCancelled = true
      return error
    case .arenaTooSmall:
      if let segment = pipeline.stoppedSegment { lastSegment = segment + 1 }
      return SegmentError(.insufficientResources)
    case .earlyWarning:
      preconditionFailure("a copy manager writes past early warning")
    }
  }

  /// Ends the command: nothing moves any more, and what was written before is durable.
  private func failed(_ error: SegmentError) async -> CopyResult {
    var error = error
    // What was queued before the failing segment still counts, and may fail first.
    if let stop = await pipeline.drain() { error = self.error(for: stop) }
    for device in written.values {
      if let condition = await lost(by: device) { error.add(lost: condition) }
    }
    if error.isCancelled { return result(.taskAborted, nil, segments: lastSegment) }
    return result(
      .checkCondition, error.sense(segment: lastSegment - 1), segments: lastSegment)
  }

  /// Why a device could not keep what it had accepted; nil where everything is durable.
  private func lost(by device: CopyDevice) async -> Condition? {
    switch device {
    case .block(let disk):
      var condition = await disk.flush().condition
      condition?.isDeferred = true
      return condition
    case .stream(let tape):
      let status = await tape.writeFilemarks(0, immediate: false)
      return status.isSuccess ? nil : status.condition
    }
  }

  private func result(_ status: Status, _ sense: SenseData?, segments: Int) -> CopyResult {
    CopyResult(
      status: status, sense: sense, segmentsProcessed: segments, heldData: pipeline.held,
      heldDataDiscarded: pipeline.heldWasDiscarded, counters: pipeline.counters)
  }

  /// Disks that the list writes to: their holes may fill while it runs.
  private static func writtenDisks(_ list: ParameterList, _ finder: EndFinder)
    -> Set<DeviceIdentity>
  {
    var disks: Set<DeviceIdentity> = []
    for segment in list.segments {
      if let (_, device) = try? finder.target(
        segment.destination, field: EndFinder.destinationIndexField),
        case .block(let disk) = device
      {
        disks.insert(disk.identity)
      }
    }
    return disks
  }
}
