import SCSI
public import Uring

/// A disk in front of another one that is slow, or goes wrong, as it is told.
public final class FaultyDisk: BlockDevice {
  private enum Direction { case read, write, writeThrough }

  private struct Operation: ~Copyable {
    let client: ClientReference
    let tag: UInt64
    let due: UInt64
    /// Where the fault decides how it ends.
    var status: DeviceStatus?
    /// What the disk behind does not get, and later all of it.
    var payload: Payload?
  }

  /// The disk behind.
  public let disk: BlockDevice
  private let ring: Ring
  private var misbehaviour: Misbehaviour
  private var pace: Pace
  private var operations = OperationTable<Operation>()
  private var deferred: Condition?
  private lazy var behind = Behind(self)
  private lazy var timer = Timer(self)

  /// In front of `disk`.
  public init(_ disk: BlockDevice, _ misbehaviour: Misbehaviour, ring: Ring) {
    self.disk = disk
    self.ring = ring
    self.misbehaviour = misbehaviour
    pace = Pace(misbehaviour, start: ring.now)
    super.init(
      name: disk.name, blockLength: disk.blockLength, blockCount: disk.blockCount,
      isReadOnly: disk.isReadOnly, identity: disk.identity,
      memoryAlignment: disk.memoryAlignment)
  }

  private final class Behind: DeviceClient {
    private unowned let disk: FaultyDisk
    init(_ disk: FaultyDisk) { self.disk = disk }
    override func complete(_ completion: consuming DeviceCompletion) { disk.came(completion) }
  }

  private final class Timer: CompletionHandler {
    private unowned let disk: FaultyDisk
    init(_ disk: FaultyDisk) { self.disk = disk }
    override func complete(_ completion: consuming Completion) {
      disk.end(Int(completion.tag))
    }
  }

  /// Reads, unless it is to go wrong.
  public override func read(
    at offset: UInt64, into payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    submit(at: offset, payload, client, tag, .read)
  }

  /// Writes, unless it is to go wrong.
  public override func write(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    submit(at: offset, payload, client, tag, .write)
  }

  /// Writes through the cache of the disk behind, unless it is to go wrong.
  public override func writeThrough(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    submit(at: offset, payload, client, tag, .writeThrough)
  }

  private func submit(
    at offset: UInt64, _ payload: consuming Payload, _ client: DeviceClient, _ tag: UInt64,
    _ direction: Direction
  ) {
    var payload = payload
    let byteCount = payload.byteCount
    var passed = byteCount
    var operation = Operation(
      client: ClientReference(client), tag: tag, due: pace.due(byteCount, now: ring.now))
    let first = offset / UInt64(blockLength)
    let blocks = first..<first + UInt64(byteCount / blockLength)
    if let condition = deferred.take() {
      operation.status = .check(condition)
      passed = 0
    } else if let fault = misbehaviour.strike(blocks, reading: direction == .read) {
      let before = Int(fault.place - first) * blockLength
      (passed, operation.status) = outcome(of: fault, before: before, byteCount: byteCount)
    }
    if passed == byteCount {
      let place = UInt64(operations.insert(operation))
      return pass(at: offset, payload, place, direction)
    }
    let part = payload.removeFirst(passed)
    operation.payload = consume payload
    let due = operation.due
    let place = operations.insert(operation)
    if passed > 0 {
      pass(at: offset, part, UInt64(place), direction)
    } else {
      wait(place, until: due)
    }
  }

  private func pass(
    at offset: UInt64, _ payload: consuming Payload, _ place: UInt64, _ direction: Direction
  ) {
    switch direction {
    case .read: disk.read(at: offset, into: payload, for: behind, tag: place)
    case .write: disk.write(at: offset, from: payload, for: behind, tag: place)
    case .writeThrough: disk.writeThrough(at: offset, from: payload, for: behind, tag: place)
    }
  }

  /// How many bytes are passed on, and how the operation ends.
  private func outcome(of fault: Fault, before: Int, byteCount: Int) -> (Int, DeviceStatus?) {
    let place = Int64(clamping: fault.place)
    switch fault.kind {
    case .readError:
      let condition = Condition(.mediumError, .unrecoveredReadError, information: place)
      return (before, .check(condition, byteCount: before))
    case .writeError:
      let condition = Condition(.mediumError, .writeError, information: place)
      return (before, .check(condition, byteCount: before))
    case .shortRead, .shortWrite:
      return (before, .good(before))
    case .tornWrite:
      let half = byteCount / 2 / blockLength * blockLength
      return (half, .check(Condition(.mediumError, .writeError, information: place)))
    case .droppedWrite:
      return (0, .good(byteCount))
    case .deferredError:
      var condition = Condition(.mediumError, .writeError, information: place)
      condition.isDeferred = true
      deferred = condition
      return (byteCount, nil)
    }
  }

  private func came(_ completion: consuming DeviceCompletion) {
    let place = Int(completion.tag)
    let status = completion.status
    var payload = completion.takePayload()
    var operation = operations.remove(at: place)
    if let rest = operation.payload.take() { payload.append(rest) }
    operation.payload = consume payload
    // What went wrong behind counts more than what was to go wrong here.
    if operation.status == nil || !status.isSuccess { operation.status = status }
    let due = operation.due
    let again = operations.insert(operation)
    if due <= ring.now { end(again) } else { wait(again, until: due) }
  }

  private func wait(_ place: Int, until due: UInt64) {
    let now = ring.now
    ring.timeout(nanoseconds: due > now ? due - now : 0, for: timer, tag: UInt64(place))
  }

  private func end(_ place: Int) {
    var operation = operations.remove(at: place)
    guard let status = operation.status, let payload = operation.payload.take() else {
      preconditionFailure("an operation that ends has a status and its payload")
    }
    operation.client.complete(
      DeviceCompletion(tag: operation.tag, status: status, payload: payload))
  }

  /// Flushes, or says so.
  public override func flush() async -> DeviceStatus {
    if let condition = deferred.take() { return .check(condition) }
    return misbehaviour.liesAboutFlush ? .good() : await disk.flush()
  }

  /// Discards, unless a write of that range is to go wrong.
  public override func discard(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    if let failed = strike(at: offset, byteCount: byteCount) { return failed }
    return await disk.discard(at: offset, byteCount: byteCount)
  }

  /// Writes zeros, unless a write of that range is to go wrong.
  public override func writeZeros(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    if let failed = strike(at: offset, byteCount: byteCount) { return failed }
    return await disk.writeZeros(at: offset, byteCount: byteCount)
  }

  /// How a change of a range without payload ends, where it is to go wrong: nothing of it is done.
  private func strike(at offset: UInt64, byteCount: UInt64) -> DeviceStatus? {
    if let condition = deferred.take() { return .check(condition) }
    let first = offset / UInt64(blockLength)
    let blocks = first..<first + byteCount / UInt64(blockLength)
    guard let fault = misbehaviour.strike(blocks, reading: false) else { return nil }
    if fault.kind == .droppedWrite { return .good() }
    return .check(
      Condition(.mediumError, .writeError, information: Int64(clamping: fault.place)))
  }

  /// Of the disk behind.
  public override func extent(at offset: UInt64) async -> Extent { await disk.extent(at: offset) }

  /// Closes the disk behind.
  public override func close() async { await disk.close() }
}
