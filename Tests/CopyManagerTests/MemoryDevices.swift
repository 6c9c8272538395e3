import Devices
import SCSI
import Uring

@testable import CopyModel

/// Delivers completions later, each by a timer of the ring.
final class Deliveries: CompletionHandler {
  private let ring: Ring
  private var waiting: [() -> Void] = []
  private var random: SplitMix64
  private let keepsOrder: Bool

  init(ring: Ring, seed: UInt64, keepsOrder: Bool) {
    self.ring = ring
    random = SplitMix64(seed: seed)
    self.keepsOrder = keepsOrder
  }

  func later(_ body: @escaping () -> Void) {
    waiting.append(body)
    ring.timeout(nanoseconds: random.next() % 2000 + 1, for: self, tag: 0)
  }

  override func complete(_ completion: consuming Completion) {
    let index = keepsOrder ? 0 : Int(random.next() % UInt64(waiting.count))
    waiting.remove(at: index)()
  }
}

/// Holds a payload in a closure.
final class Box {
  var payload: Payload?
  init(_ payload: consuming Payload) { self.payload = consume payload }
}

/// A disk in memory that completes its operations in any order.
final class MemoryDisk: BlockDevice {
  private(set) var bytes: [UInt8]
  private let deliveries: Deliveries
  private var busy: [Range<Int>] = []

  init(_ disk: ModelDisk, number: UInt64, ring: Ring, seed: UInt64) {
    bytes = disk.bytes
    deliveries = Deliveries(ring: ring, seed: seed, keepsOrder: false)
    super.init(
      name: "disk\(number)", blockLength: disk.blockLength,
      blockCount: UInt64(disk.bytes.count / disk.blockLength), isReadOnly: disk.readOnly,
      identity: DeviceIdentity(device: 0, inode: number), memoryAlignment: 1)
  }

  override func read(
    at offset: UInt64, into payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    precondition(Int(offset) % blockLength == 0 && payload.byteCount % blockLength == 0)
    let box = Box(payload)
    deliveries.later { [self] in
      guard var payload = box.payload.take() else { return }
      let range = Int(offset)..<Int(offset) + payload.byteCount
      payload.overwrite(with: Array(bytes[range]))
      let count = payload.byteCount
      client.complete(DeviceCompletion(tag: tag, status: .good(count), payload: payload))
    }
  }

  override func write(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    precondition(Int(offset) % blockLength == 0 && payload.byteCount % blockLength == 0)
    precondition(!isReadOnly)
    let box = Box(payload)
    deliveries.later { [self] in
      guard let payload = box.payload.take() else { return }
      let count = payload.byteCount
      bytes.replaceSubrange(Int(offset)..<Int(offset) + count, with: payload.bytes())
      client.complete(DeviceCompletion(tag: tag, status: .good(count), payload: payload))
    }
  }

  override func flush() async -> DeviceStatus { .good() }
}

/// The model's tape as a device: executed when submitted, completed later in order.
final class MemoryTape: StreamDevice {
  private(set) var tape: ModelTape
  private let deliveries: Deliveries
  private var isHeld = false

  init(_ tape: ModelTape, number: Int, ring: Ring, seed: UInt64) {
    self.tape = tape
    deliveries = Deliveries(ring: ring, seed: seed, keepsOrder: true)
    super.init(
      name: "tape\(number)", recordLengthMaximum: 0xFF_FFFF, depth: 1 + Int(seed % 5),
      memoryAlignment: 1)
  }

  override var isWriteProtected: Bool { tape.readOnly }

  override func read(
    into payload: consuming Payload, recordCount: Int, acceptsShorter: Bool,
    for client: DeviceClient, tag: UInt64
  ) {
    var payload = payload
    var status = DeviceStatus.good(payload.byteCount)
    if isHeld {
      status = aborted
    } else if acceptsShorter {
      if tape.position < tape.objects.count, case .record(let bytes) = tape.objects[tape.position] {
        tape.position += 1
        payload.overwrite(with: bytes)
        status = .good(bytes.count)
      } else {
        status = read(&payload, 1)
      }
    } else {
      status = read(&payload, recordCount)
    }
    finish(payload, status, client, tag)
  }

  private func read(_ payload: inout Payload, _ recordCount: Int) -> DeviceStatus {
    let length = payload.byteCount / recordCount
    do throws(ModelSense) {
      let bytes = try tape.read(blocks: recordCount, blockLength: length, fixed: recordCount > 1)
      payload.overwrite(with: bytes)
      return .good(bytes.count)
    } catch {
      return .check(Condition(error))
    }
  }

  override func write(
    _ payload: consuming Payload, recordCount: Int, for client: DeviceClient, tag: UInt64
  ) {
    var status = aborted
    if !isHeld {
      let length = payload.byteCount / recordCount
      let result = tape.write(payload.bytes(), blockLength: length)
      status =
        result.sense.map { .check(Condition($0), byteCount: result.bytesWritten) }
        ?? .good(result.bytesWritten)
    }
    finish(payload, status, client, tag)
  }

  private var aborted: DeviceStatus {
    var condition = Condition(.abortedCommand, .noAdditionalSense)
    condition.isAborted = true
    return .check(condition)
  }

  private func finish(
    _ payload: consuming Payload, _ status: DeviceStatus, _ client: DeviceClient, _ tag: UInt64
  ) {
    let isFailure = !status.isSuccess && status.condition?.isAborted == false
    if isFailure { isHeld = true }
    let box = Box(payload)
    deliveries.later { [self] in
      guard let payload = box.payload.take() else { return }
      if isFailure { isHeld = false }
      client.complete(DeviceCompletion(tag: tag, status: status, payload: payload))
    }
  }

  override func writeFilemarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    answer { () throws(ModelSense) in try tape.writeFilemarks(count) }
  }
  override func space(_ kind: SpaceKind, count: Int) async -> DeviceStatus {
    answer { () throws(ModelSense) in try tape.space(code: kind.rawValue, count: count) }
  }
  override func locate(_ object: UInt64) async -> DeviceStatus {
    answer { () throws(ModelSense) in try tape.locate(Int(clamping: object)) }
  }
  private func answer(_ body: () throws(ModelSense) -> Void) -> DeviceStatus {
    do throws(ModelSense) {
      try body()
      return .good()
    } catch {
      return .check(Condition(error))
    }
  }
  override func position() async throws(Condition) -> StreamPosition {
    StreamPosition(
      object: UInt64(tape.position), filemark: nil, isBeginning: tape.position == 0,
      isEndOfData: nil, isPastEarlyWarning: false)
  }
}

extension Condition {
  init(_ sense: ModelSense) {
    self.init(
      SenseKey(rawValue: sense.senseKey) ?? .noSense,
      AdditionalSense(code: sense.asc, qualifier: sense.ascq), information: sense.information)
    filemark = sense.filemark
    endOfMedium = sense.endOfMedium
    incorrectLength = sense.incorrectLength
  }
}
