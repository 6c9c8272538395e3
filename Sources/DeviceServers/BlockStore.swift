import Devices
import SAM
import Uring

/// The blocks of a logical unit: transfers to and from the device, in a number that is bounded, and
/// commands that no other may see a part of.
///
/// A transfer waits for its turn, then (to read) for a buffer, then for the device. It begins at once
/// unless too many run, or a range of it is held by a command that is atomic to others; then it waits
/// behind whatever it conflicts with, and only behind that. Where no such command is about, nothing is
/// compared. A buffer is asked for last, so that nobody holds one while waiting for a range.
final class BlockStore {
  /// Operations at the device at once: more do not make a disk faster.
  static let runningMaximum = 128
  /// How soon it is looked again whether the ring has room.
  private static let retryNanoseconds: UInt64 = 1_000_000
  /// Bytes that a command which looks at many blocks reads at a time.
  static let chunkByteCount = 1 << 20

  let disk: BlockDevice
  let share: BufferShare
  let ring: Ring
  let blockLength: Int
  unowned let client: BlockStoreClient
  private var pool: [BlockOperation] = []
  private var free: [BlockOperation] = []
  private(set) var running: [BlockOperation] = []
  var waiting: [BlockOperation] = []
  /// Exclusive ones among those that run or wait.
  var exclusiveCount = 0
  private(set) var nextSerial: UInt64 = 0
  /// Whoever waits for operations to end.
  var endWaiters: [CheckedContinuation<Void, Never>] = []
  private var isRetrying = false
  private lazy var completions = Completions(self)
  private lazy var buffers = Buffers(self)
  private lazy var timer = Timer(self)

  init(disk: BlockDevice, share: BufferShare, ring: Ring, client: BlockStoreClient) {
    self.disk = disk
    self.share = share
    self.ring = ring
    self.client = client
    blockLength = disk.blockLength
    running.reserveCapacity(Self.runningMaximum)
    waiting.reserveCapacity(Self.runningMaximum)
    for _ in 0..<Self.runningMaximum { free.append(makeOperation()) }
  }

  /// The task set bounds how many there are; beyond the first ones they are made when first needed.
  private func makeOperation() -> BlockOperation {
    let operation = BlockOperation(index: pool.count)
    pool.append(operation)
    return operation
  }

  private func takeOperation(_ kind: BlockOperation.Kind, _ blocks: Range<UInt64>)
    -> BlockOperation
  {
    let operation = free.popLast() ?? makeOperation()
    operation.kind = kind
    operation.blocks = blocks
    operation.isExclusive = false
    operation.status = .good()
    operation.serial = nextSerial
    nextSerial += 1
    return operation
  }

  /// Operations that run or wait.
  var operationCount: Int { running.count + waiting.count }

  /// Operations that wait for their turn.
  var waitingCount: Int { waiting.count }

  // MARK: Transfers

  /// Reads blocks for a command; the operation that ends has them.
  func read(_ blocks: Range<UInt64>, for task: UnitTask) {
    let operation = takeOperation(.read, blocks)
    operation.task = task
    begin(operation)
  }

  /// Writes blocks for a command; `payload` has as many bytes.
  func write(
    _ blocks: Range<UInt64>, _ payload: consuming Payload, isDurable: Bool, for task: UnitTask
  ) {
    precondition(
      payload.byteCount == blocks.count * blockLength, "a write has the bytes of its blocks")
    let operation = takeOperation(isDurable ? .writeThrough : .write, blocks)
    operation.payload = consume payload
    operation.task = task
    begin(operation)
  }

  /// Reads or writes blocks for a copy of `nexus`, with the copy's own memory: as a device does, but in
  /// turn with the commands of the unit.
  func transfer(
    _ blocks: Range<UInt64>, _ payload: consuming Payload, writing: Bool, of nexus: Nexus,
    for client: DeviceClient, tag: UInt64
  ) {
    precondition(
      payload.byteCount == blocks.count * blockLength, "a transfer has the bytes of its blocks")
    let operation = takeOperation(writing ? .write : .read, blocks)
    operation.payload = consume payload
    operation.copy = (nexus, client, tag)
    begin(operation)
  }

  // MARK: Ranges

  /// The right to a range: alone, or with others that do not claim it alone. Given back by `release`.
  func hold(_ blocks: Range<UInt64>, alone: Bool) async -> BlockOperation {
    await take(blocks, alone: alone, for: nil)
  }

  /// The same for a command; nil where it was aborted before its turn came.
  func hold(_ blocks: Range<UInt64>, alone: Bool, for command: Command) async -> BlockOperation? {
    if command.isAborted { return nil }
    let operation = await take(blocks, alone: alone, for: command)
    if operation.place != nil { return operation }
    recycle(operation)
    return nil
  }

  private func take(
    _ blocks: Range<UInt64>, alone: Bool, for command: Command?
  ) async -> BlockOperation {
    let operation = takeOperation(.hold, blocks)
    operation.isExclusive = alone
    operation.command = command
    await withCheckedContinuation {
      operation.continuation = $0
      begin(operation)
    }
    return operation
  }

  /// Gives a range back.
  func release(_ operation: BlockOperation) {
    precondition(operation.kind == .hold && operation.place != nil, "what is held is released")
    end(operation)
    recycle(operation)
    serve()
  }

  // MARK: Turns

  private var hasRoom: Bool {
    // Half of the ring is left to connections and to what is no transfer.
    running.count < Self.runningMaximum && ring.room > ring.capacity / 2
  }

  private func begin(_ operation: BlockOperation) {
    if operation.isExclusive { exclusiveCount += 1 }
    let mayRun =
      hasRoom
      && (exclusiveCount == 0
        || !(running.contains { $0.conflicts(with: operation) }
          || waiting.contains { $0.conflicts(with: operation) }))
    if mayRun { run(operation) } else { wait(operation) }
  }

  private func wait(_ operation: BlockOperation) {
    waiting.append(operation)
    retryLater()
  }

  /// Where nothing of this store runs, no completion of its own tells that the ring has room again.
  private func retryLater() {
    guard running.isEmpty, !waiting.isEmpty, !isRetrying else { return }
    isRetrying = true
    ring.timeout(nanoseconds: Self.retryNanoseconds, for: timer, tag: 0)
  }

  private func run(_ operation: BlockOperation) {
    operation.place = running.count
    running.append(operation)
    switch operation.kind {
    case .hold:
      operation.continuation?.resume()
      operation.continuation = nil
    case .read:
      if let payload = operation.payload.take() { return received(payload, operation.index) }
      share.take(
        operation.blocks.count * blockLength, for: buffers, tag: UInt64(operation.index))
    case .write, .writeThrough:
      guard let payload = operation.payload.take() else {
        preconditionFailure("a write has its payload until it runs")
      }
      let offset = operation.blocks.lowerBound * UInt64(blockLength)
      let tag = UInt64(operation.index)
      if operation.kind == .write {
        disk.write(at: offset, from: payload, for: completions, tag: tag)
      } else {
        disk.writeThrough(at: offset, from: payload, for: completions, tag: tag)
      }
    }
  }

  /// Begins what may begin now, oldest first.
  func serve() {
    var index = 0
    while index < waiting.count, hasRoom {
      let operation = waiting[index]
      let mayRun =
        exclusiveCount == 0
        || !(running.contains { $0.conflicts(with: operation) }
          || waiting[..<index].contains { $0.conflicts(with: operation) })
      if mayRun {
        waiting.remove(at: index)
        run(operation)
      } else {
        index += 1
      }
    }
    retryLater()
  }

  private func end(_ operation: BlockOperation) {
    guard let place = operation.place else { preconditionFailure("what ends was running") }
    let last = running.removeLast()
    if last !== operation {
      running[place] = last
      last.place = place
    }
    operation.place = nil
    if operation.isExclusive { exclusiveCount -= 1 }
  }

  func recycle(_ operation: BlockOperation) {
    operation.payload = nil
    operation.task = nil
    operation.command = nil
    free.append(operation)
    if !endWaiters.isEmpty { resumeEndWaiters() }
  }

  // MARK: Completions

  fileprivate func received(_ payload: consuming Payload, _ index: Int) {
    let operation = pool[index]
    disk.read(
      at: operation.blocks.lowerBound * UInt64(blockLength), into: payload, for: completions,
      tag: UInt64(index))
  }

  fileprivate func completed(_ completion: consuming DeviceCompletion) {
    let operation = pool[Int(completion.tag)]
    operation.status = completion.status
    let payload = completion.takePayload()
    end(operation)
    if let copy = operation.copy.take() {
      let status = whole(
        operation.status, operation.blocks, writing: operation.kind != .read)
      copy.client.complete(DeviceCompletion(tag: copy.tag, status: status, payload: payload))
    } else {
      operation.payload = consume payload
      client.finish(operation)
    }
    recycle(operation)
    if !waiting.isEmpty { serve() }
  }

  fileprivate func retried() {
    isRetrying = false
    serve()
  }
}

private final class Completions: DeviceClient {
  private unowned let store: BlockStore
  init(_ store: BlockStore) { self.store = store }
  override func complete(_ completion: consuming DeviceCompletion) { store.completed(completion) }
}

private final class Buffers: BufferClient {
  private unowned let store: BlockStore
  init(_ store: BlockStore) { self.store = store }
  override func receive(_ payload: consuming Payload, tag: UInt64) {
    store.received(payload, Int(tag))
  }
}

private final class Timer: CompletionHandler {
  private unowned let store: BlockStore
  init(_ store: BlockStore) { self.store = store }
  override func complete(_ completion: consuming Completion) { store.retried() }
}
