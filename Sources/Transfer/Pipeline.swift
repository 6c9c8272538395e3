// The pipeline: source → pinned memory → destination.
//
// Stages are queued by ordinary asynchronous code; a small state machine over completions executes
// them. Two cursors walk the queue. The reader issues reads ahead, across the borders of stages where
// the source is a disk and no write that is still to come changes what it reads. The writer takes
// what has arrived in the order of the stages, moves it from source data to destination data, cuts
// whole units off and writes them. Bytes stay where they were read to: only slices move.
//
// A write retires when it and all before it have completed, so that what is reported as written has
// no gaps. After a failure nothing new is issued, and the pipeline is done when the last operation
// has completed.

public import Devices
import SCSI
public import Uring

/// Executes stages on the thread of one ring.
///
/// Use: `enqueue` stages, then `drain`; in between read `counters`. A stopped pipeline executes
/// nothing more.
@safe
public final class Pipeline: DeviceClient {
  struct ActiveStage {
    var stage: Stage
    /// Bytes of a disk, or reads of a tape, that were issued.
    var issued: UInt64 = 0
    var isFullyIssued = false
    /// The reader has seen that no pending write changes what this stage reads.
    var isAdmitted = false
    var hasBegun = false
    var skipLeft: Int
    var processLeft: UInt64
    var unitsLeft: UInt64
    /// A source without end met the condition that ends it.
    var hasEnded = false
    /// All data of the stage is destination data.
    var isFinished = false
    var nextOffset: UInt64 = 0
    var writtenForSegment: UInt64
    var readsPending = 0
    /// A read has failed: nothing more is read until the writer has come to it.
    var isHalted = false
  }

  struct ReadSlot: ~Copyable {
    var stage: Int
    var byteCount: Int
    var isDone: Bool
    var status: DeviceStatus
    var payload: Payload?
  }

  struct WriteSlot {
    var segment: Int
    var byteCount: Int
    var isDone: Bool
    var status: DeviceStatus
    var segmentWritten: UInt64
    var recordLength: Int
    var recordsPerWrite: Int
    var identity: DeviceIdentity?
    var offset: UInt64
  }

  static let stageCapacity = 64
  static let readCapacity = 128
  static let writeCapacity = 64

  let ring: Ring
  /// How much memory it uses.
  public let limits: TransferLimits
  /// What was done so far.
  public var counters: TransferCounters {
    var data = work
    data.bytesWritten -= min(data.bytesWritten, edgeBytesWritten)
    return data
  }
  var work = TransferCounters()
  /// The newest bytes held for the application client.
  public internal(set) var held: [UInt8] = []
  /// Whether more was to be held than `limits.heldBytes`.
  public internal(set) var heldWasDiscarded = false
  /// Digests of the bytes processed, where wanted.
  public var digester: Digester?
  /// Whether early warning of a destination tape ends the copy.
  public var stopsAtEarlyWarning = false

  var stages = SlotQueue<ActiveStage>(capacity: stageCapacity)
  var reading = 0
  var writing = 0
  var reads = SlotQueue<ReadSlot>(capacity: readCapacity)
  var writes = SlotQueue<WriteSlot>(capacity: writeCapacity)
  var readsInFlight = 0
  var writesInFlight = 0
  var flightBytes = 0
  /// Bytes read, or being read, that no finished write has let go of.
  var bufferedBytes = 0
  var sourceData: Payload
  var destinationData: Payload
  var gate: StreamGate
  var stop: PipelineStop?
  /// The segment that was being written when the pipeline stopped without a failure; nil where no
  /// stage was left.
  public private(set) var stoppedSegment: Int?
  var sourceEnd: Condition?
  /// Where the last write ended: the next may follow without waiting only if it joins.
  var lastWrite = LastWrite.none
  var retired: (segment: Int, written: UInt64) = (-1, 0)
  var isDry = false
  /// Bytes of edge blocks that were written again as they were: no data of the copy.
  var edgeBytesWritten: UInt64 = 0
  private var queueWaiter: UnsafeContinuation<Void, Never>?
  private var drainWaiter: UnsafeContinuation<Void, Never>?
  private let timer = PaceTimer()

  enum LastWrite: Equatable {
    case none
    case blocks(DeviceIdentity, end: UInt64)
    case stream(ObjectIdentifier)
  }

  /// A pipeline without work.
  public init(ring: Ring, limits: TransferLimits, streaming: StreamingPolicy? = nil) {
    self.ring = ring
    self.limits = limits
    gate = StreamGate(streaming, reservoirBytes: limits.reservoirBytes)
    sourceData = ring.arena.empty()
    destinationData = ring.arena.empty()
    super.init()
  }

  // MARK: What callers see

  /// Bytes read and not processed, and bytes processed and not written.
  public var residuals: (source: Int, destination: Int) {
    (sourceData.byteCount, destinationData.byteCount)
  }

  /// Queues a stage; waits while the queue is full. False where the pipeline has stopped.
  public func enqueue(_ stage: Stage) async -> Bool {
    while stop == nil, stages.isFull {
      unsafe await withUnsafeContinuation { continuation in unsafe queueWaiter = continuation }
    }
    guard stop == nil else { return false }
    stages.append(
      ActiveStage(
        stage: stage, skipLeft: stage.skipped, processLeft: stage.processed, unitsLeft: stage.units,
        writtenForSegment: stage.writtenBefore))
    pump()
    return stop == nil
  }

  /// Waits until every stage is done and nothing is in flight; why it stopped, if it did.
  public func drain() async -> PipelineStop? {
    pump()
    if !isIdle {
      unsafe await withUnsafeContinuation { continuation in unsafe drainWaiter = continuation }
    }
    return stop
  }

  /// The condition that ended a source without end, once.
  public func takeSourceEnd() -> Condition? { sourceEnd.take() }

  /// Ends the copy at a border of records; `drain` still waits for the last completion.
  public func cancel() {
    if stop == nil { halt(.cancelled) }
    pump()
  }

  /// Takes both residuals out, so that other stages run without them.
  public func takeResiduals() -> Residuals {
    precondition(isIdle, "residuals are taken between stages")
    return Residuals(
      source: sourceData.removeFirst(sourceData.byteCount),
      destination: destinationData.removeFirst(destinationData.byteCount))
  }

  /// Puts residuals in front of those that are there.
  public func restore(_ residuals: consuming Residuals) {
    precondition(isIdle, "residuals are put back between stages")
    let rest = takeResiduals()
    sourceData.append(residuals.source)
    destinationData.append(residuals.destination)
    sourceData.append(rest.source)
    destinationData.append(rest.destination)
  }

  /// Holds the first bytes of source data that was taken out, as processing them would.
  public func holdSource(of residuals: borrowing Residuals, atMost count: Int) {
    hold(Array(residuals.source.bytes().prefix(count)))
  }

  var isIdle: Bool { isSettled && !timer.isArmed }

  /// Whether only the timer may still be in flight.
  private var isSettled: Bool {
    readsInFlight == 0 && writesInFlight == 0 && (stop != nil || stages.isEmpty)
  }

  // MARK: The state machine

  /// Does whatever can be done now.
  func pump() {
    while stop == nil {
      repeat { issueReads() } while advanceWriter()
      guard stop == nil, isStarved else { break }
      // A gate that waits for more than there will be is opened; else there is a lack of memory.
      if !gate.giveUpWaiting() {
        halt(.arenaTooSmall(unit: stages.with(writing) { $0.stage.unit }))
      }
    }
    if stop != nil, readsInFlight == 0, writesInFlight == 0 { discardEverything() }
    if isSettled { timer.disarm(ring) }
    wakeWaiters()
  }

  private func wakeWaiters() {
    if stop != nil || !stages.isFull, let waiter = unsafe queueWaiter.take() {
      unsafe waiter.resume()
    }
    if isIdle, let waiter = unsafe drainWaiter.take() { unsafe waiter.resume() }
  }

  /// Completions of devices: tags are sequence numbers, odd for writes.
  public override func complete(_ completion: consuming DeviceCompletion) {
    let sequence = Int(truncatingIfNeeded: completion.tag >> 1)
    var status = completion.status
    if completion.tag & 1 == 0 {
      readsInFlight -= 1
      work.bytesRead += UInt64(status.byteCount)
      var payload = completion.takePayload()
      flightBytes -= payload.byteCount
      let missing = payload.byteCount - status.byteCount
      if missing > 0 {
        payload.truncate(to: status.byteCount)
        bufferedBytes -= missing
        if status.isSuccess, !mayBeShort(sequence) { status.condition = .dataUnderrun }
      }
      var arrived: Payload? = consume payload
      let stage = reads.with(sequence) { slot in
        slot.isDone = true
        slot.status = status
        slot.payload = arrived.take()
        return slot.stage
      }
      if !status.isSuccess { stages.with(stage) { $0.isHalted = true } }
    } else {
      writesInFlight -= 1
      bufferedBytes -= completion.payload.byteCount
      if status.isSuccess, status.byteCount < completion.payload.byteCount {
        status.condition = .dataUnderrun
      }
      writes.with(sequence) { slot in
        slot.isDone = true
        slot.status = status
      }
      retireWrites()
    }
    pump()
  }

  /// Whether a read may succeed with fewer bytes than it has room for.
  private func mayBeShort(_ sequence: Int) -> Bool {
    let stage = reads.with(sequence) { $0.stage }
    return stages.with(stage) { active in
      if case .recordsUntilCondition = active.stage.source { return true }
      return false
    }
  }

  /// Stops for a reason that is no device's.
  func halt(_ reason: PipelineStop) {
    if writing < stages.end { stoppedSegment = stages.with(writing) { $0.stage.segment } }
    stop = reason
  }

  /// Stops with a failure. One of the destination belongs to earlier data than anything that has
  /// stopped the pipeline before, except another one of the destination.
  func fail(_ origin: StageFailure.Origin, segment: Int, _ condition: Condition, written: UInt64) {
    stop = .failure(
      StageFailure(segment: segment, origin: origin, condition: condition, writtenBytes: written))
  }

  private var hasFailedWrite: Bool {
    if case .failure(let failure) = stop { failure.origin == .destination } else { false }
  }

  func retireWrites() {
    while !writes.isEmpty, writes.withFirst({ $0.isDone }) {
      let slot = writes.removeFirst()
      work.bytesWritten += UInt64(slot.status.byteCount)
      // What was written behind a failure has a gap before it.
      if hasFailedWrite { continue }
      let written = slot.segmentWritten + UInt64(slot.status.byteCount)
      if slot.status.isSuccess {
        retired = (slot.segment, written)
        if slot.status.condition != nil, stopsAtEarlyWarning, stop == nil { stop = .earlyWarning }
      } else if let condition = slot.status.condition, !condition.isAborted {
        retired = (slot.segment, written)
        fail(
          .destination, segment: slot.segment, singleWrite(condition, slot), written: written)
      }
    }
  }

  /// What one WRITE command would have reported, where several went to the device as one.
  private func singleWrite(_ condition: Condition, _ slot: WriteSlot) -> Condition {
    guard slot.recordsPerWrite > 0, condition.information != nil else { return condition }
    var condition = condition
    if slot.recordsPerWrite == 1 {
      condition.information = Int64(slot.recordLength)
    } else {
      let done = slot.status.byteCount / slot.recordLength % slot.recordsPerWrite
      condition.information = Int64(slot.recordsPerWrite - done)
    }
    return condition
  }

  /// Whether nothing moves and something is left to do.
  private var isStarved: Bool {
    readsInFlight == 0 && writesInFlight == 0 && writing < stages.end && !timer.isArmed
  }

  private func discardEverything() {
    if case .failure(var failure) = stop, failure.origin == .source {
      failure.writtenBytes =
        retired.segment == failure.segment ? retired.written : failure.writtenBytes
      stop = .failure(failure)
    }
    while !reads.isEmpty { _ = reads.removeFirst() }
    while !writes.isEmpty { _ = writes.removeFirst() }
    while !stages.isEmpty { _ = stages.removeFirst() }
    sourceData = ring.arena.empty()
    destinationData = ring.arena.empty()
    bufferedBytes = 0
    reading = stages.end
    writing = stages.end
  }

  // MARK: Pacing

  /// Whether the next write to a tape may go now; else a timer or a completion comes back here.
  func mayWriteToStream() -> Bool {
    guard gate.isActive else { return true }
    let complete = reading >= stages.end && readsInFlight == 0
    gate.update(bufferedBytes: bufferedBytes, isComplete: complete)
    let now = ring.now
    guard let delay = gate.delay(now: now) else { return false }
    if delay == 0 { return true }
    timer.arm(delay, for: self)
    return false
  }

  /// Calls the pipeline back when a paced write is due.
  final class PaceTimer: CompletionHandler {
    private var operation: OperationID?
    private weak var pipeline: Pipeline?

    var isArmed: Bool { operation != nil }

    func arm(_ nanoseconds: UInt64, for pipeline: Pipeline) {
      guard !isArmed else { return }
      self.pipeline = pipeline
      operation = pipeline.ring.timeout(nanoseconds: nanoseconds, for: self, tag: 0)
    }

    /// Makes it end early; it calls back all the same.
    func disarm(_ ring: Ring) {
      if let operation { ring.cancel(operation) }
    }

    override func complete(_ completion: consuming Completion) {
      operation = nil
      pipeline?.pump()
    }
  }
}

/// Bytes read and not processed, and bytes processed and not written.
public struct Residuals: ~Copyable {
  var source: Payload
  var destination: Payload
}
