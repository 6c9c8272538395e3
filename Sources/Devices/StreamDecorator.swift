import SCSI
public import Uring

/// A tape in front of another one: passes everything on, and lets subclasses decide what becomes of
/// each read and write, and when it may end. Completions keep their order.
open class StreamDecorator: StreamDevice {
  /// What becomes of a read or write.
  struct Plan {
    /// Records that the tape behind gets.
    var passedRecordCount: Int
    /// How it ends; nil: as the tape behind says.
    var status: DeviceStatus?
    /// The time before which it does not end, in nanoseconds.
    var due: UInt64 = 0
  }

  private struct Operation: ~Copyable {
    let client: ClientReference
    let tag: UInt64
    var due: UInt64 = 0
    var status: DeviceStatus?
    var payload: Payload?
    var hasEnded = true
    var wasPassed = false
  }

  /// The tape behind.
  public let tape: StreamDevice
  let ring: Ring
  private var places: InlineArray<256, Operation?> = InlineArray { _ in nil }
  private var first = 0
  private var count = 0
  private var isFailing = false
  private var isWaiting = false
  private var settling = Settling()
  private lazy var behind = Behind(self)
  private lazy var timer = Timer(self)

  init(_ tape: StreamDevice, ring: Ring) {
    self.tape = tape
    self.ring = ring
    super.init(
      name: tape.name, recordLengthMaximum: tape.recordLengthMaximum, depth: tape.depth,
      memoryAlignment: tape.memoryAlignment)
  }

  /// Decides about a read or write of `byteCount` bytes in `recordCount` records.
  func plan(reading: Bool, byteCount: Int, recordCount: Int) -> Plan {
    Plan(passedRecordCount: recordCount)
  }

  private final class Behind: DeviceClient {
    private unowned let decorator: StreamDecorator
    init(_ decorator: StreamDecorator) { self.decorator = decorator }
    override func complete(_ completion: consuming DeviceCompletion) {
      decorator.came(completion)
    }
  }

  private final class Timer: CompletionHandler {
    private unowned let decorator: StreamDecorator
    init(_ decorator: StreamDecorator) { self.decorator = decorator }
    override func complete(_ completion: consuming Completion) {
      decorator.isWaiting = false
      decorator.deliver()
      decorator.settling.end()
    }
  }

  // MARK: Reads and writes

  /// Passes a write on, as planned.
  public override func write(
    _ payload: consuming Payload, recordCount: Int, for client: DeviceClient, tag: UInt64
  ) {
    submit(payload, recordCount, client, tag, reading: false, acceptsShorter: false)
  }

  /// Passes a read on, as planned.
  public override func read(
    into payload: consuming Payload, recordCount: Int, acceptsShorter: Bool,
    for client: DeviceClient, tag: UInt64
  ) {
    submit(payload, recordCount, client, tag, reading: true, acceptsShorter: acceptsShorter)
  }

  private func submit(
    _ payload: consuming Payload, _ recordCount: Int, _ client: DeviceClient, _ tag: UInt64,
    reading: Bool, acceptsShorter: Bool
  ) {
    precondition(count < 256, "callers keep to the ring's capacity")
    var payload = payload
    var operation = Operation(client: ClientReference(client), tag: tag)
    let place = (first + count) & 255
    count += 1
    if isFailing {
      operation.status = Cartridge.aborted
      operation.payload = consume payload
      places[place] = consume operation
      return deliverSoon(0)
    }
    let plan = plan(reading: reading, byteCount: payload.byteCount, recordCount: recordCount)
    operation.due = plan.due
    operation.status = plan.status
    if let status = plan.status, !status.isSuccess { isFailing = true }
    let passed = payload.byteCount / recordCount * plan.passedRecordCount
    guard passed > 0 else {
      operation.payload = consume payload
      places[place] = consume operation
      return deliverSoon(0)
    }
    operation.hasEnded = false
    operation.wasPassed = true
    let part = payload.removeFirst(passed)
    if !payload.isEmpty { operation.payload = consume payload }
    places[place] = consume operation
    if reading {
      tape.read(
        into: part, recordCount: plan.passedRecordCount, acceptsShorter: acceptsShorter,
        for: behind, tag: UInt64(place))
    } else {
      tape.write(part, recordCount: plan.passedRecordCount, for: behind, tag: UInt64(place))
    }
  }

  private func came(_ completion: consuming DeviceCompletion) {
    let place = Int(completion.tag)
    let status = completion.status
    var payload = completion.takePayload()
    guard var operation = places[place].take() else {
      preconditionFailure("an operation is in its place until it is delivered")
    }
    if let rest = operation.payload.take() { payload.append(rest) }
    operation.payload = consume payload
    operation.hasEnded = true
    // What went wrong behind counts more than what was to go wrong here.
    if operation.status == nil || !status.isSuccess { operation.status = status }
    places[place] = consume operation
    deliver()
  }

  private func deliver() {
    while count > 0, var operation = places[first].take() {
      let now = ring.now
      guard operation.hasEnded, operation.due <= now else {
        let due = operation.due
        let hasEnded = operation.hasEnded
        places[first] = consume operation
        if hasEnded { deliverSoon(due - now) }
        return
      }
      first = (first + 1) & 255
      count -= 1
      guard let status = operation.status, let payload = operation.payload.take() else {
        preconditionFailure("an operation that has ended has a status and its payload")
      }
      if !status.isSuccess {
        isFailing = false
        abortWhatStayedHere()
      }
      operation.client.complete(
        DeviceCompletion(tag: operation.tag, status: status, payload: payload))
    }
  }

  /// The tape behind aborts what it has; what it never got is aborted here.
  private func abortWhatStayedHere() {
    for position in 0..<count {
      let place = (first + position) & 255
      guard var operation = places[place].take() else { continue }
      if !operation.wasPassed { operation.status = Cartridge.aborted }
      places[place] = consume operation
    }
  }

  private func deliverSoon(_ nanoseconds: UInt64) {
    guard !isWaiting else { return }
    isWaiting = true
    ring.timeout(nanoseconds: nanoseconds, for: timer, tag: 0)
  }

  // MARK: The rest

  /// Of the tape behind.
  public override var isWriteProtected: Bool { tape.isWriteProtected }
  /// Of the tape behind.
  public override var nextRecordLength: Int? { tape.nextRecordLength }
  /// Of the tape behind.
  public override var nextObject: UInt64? { tape.nextObject }

  /// Passed on.
  open override func writeFilemarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    await tape.writeFilemarks(count, immediate: immediate)
  }
  /// Passed on.
  open override func space(_ kind: SpaceKind, count: Int) async -> DeviceStatus {
    await tape.space(kind, count: count)
  }
  /// Passed on.
  open override func locate(_ object: UInt64) async -> DeviceStatus {
    await tape.locate(object)
  }
  /// Passed on.
  open override func position() async throws(Condition) -> StreamPosition {
    try await tape.position()
  }
  /// Closes the tape behind.
  open override func close() async -> DeviceStatus {
    while isWaiting { unsafe await withUnsafeContinuation { unsafe settling.wait($0) } }
    return await tape.close()
  }
}
