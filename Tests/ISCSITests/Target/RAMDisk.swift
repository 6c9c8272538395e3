import SAM
import SCSI
import Uring

/// A logical unit in pinned memory that does what the tests of the target end need.
final class RAMDisk: TaskRouter {
  static let blockByteCount = 512
  let blockCount: Int
  /// Commands wait until `release` while it is set.
  var isHolding = false
  private(set) var executed: [(operationCode: UInt8, dataOut: Int)] = []
  private(set) var attached = 0, withdrawn = 0
  private var content: Payload?
  private let data: BufferShare
  private var standing = 0
  private var held: [HeldCommand] = []
  private var waiters: [CheckedContinuation<Void, Never>] = []

  private final class HeldCommand {
    let command: Command
    let client: CommandClient
    var dataOut: Payload?

    init(_ command: Command, _ client: CommandClient, _ dataOut: consuming Payload) {
      self.command = command
      self.client = client
      self.dataOut = consume dataOut
    }
  }

  init(_ ring: Ring, data: BufferShare, byteCount: Int = 1 << 20) {
    self.data = data
    blockCount = byteCount / Self.blockByteCount
    content = ring.arena.allocate(byteCount)
    super.init()
    if var content = content.take() {
      content.overwrite(with: [UInt8](repeating: 0, count: byteCount))
      self.content = consume content
    }
  }

  var bytes: [UInt8] { content?.bytes() ?? [] }

  /// Commands that were admitted and have not ended.
  var standingCount: Int { standing }

  var heldCount: Int { held.count }

  func drop() { content = nil }

  // MARK: The router

  override func attach(_ nexus: Nexus) { attached += 1 }

  override func detach(_ nexus: Nexus) async {
    attached -= 1
    endHeld { $0.nexus === nexus }
  }

  override func admit(_ command: Command) -> Admission {
    guard command.logicalUnit == 0 || command.cdb.operationCode == 0xA0 else {
      return .finished(failure(0x25))
    }
    let count: Int
    switch command.cdb.operationCode {
    case 0x2A, 0x8A:
      guard let range = range(command) else { return .finished(failure(0x21)) }
      count = range.count
    case 0x00, 0x12, 0x25, 0x28, 0x35, 0x88, 0x9E, 0xA0: count = 0
    default: return .finished(failure(0x20))
    }
    standing += 1
    return .execute(dataOut: count)
  }

  override func withdraw(_ command: Command) {
    standing -= 1
    withdrawn += 1
  }

  override func execute(
    _ command: Command, dataOut: consuming Payload, for client: CommandClient
  ) {
    executed.append((command.cdb.operationCode, dataOut.byteCount))
    if isHolding {
      held.append(HeldCommand(command, client, dataOut))
    } else {
      perform(command, dataOut, client)
    }
  }

  override func manage(
    _ function: TaskManagementFunction, logicalUnit: UInt64, nexus: Nexus
  ) async -> ServiceResponse {
    switch function {
    case .abortTask(let tag):
      return endHeld { $0.tag == tag && $0.nexus === nexus } > 0
        ? .functionComplete : .taskDoesNotExist
    case .abortTaskSet: endHeld { $0.nexus === nexus }
    case .clearTaskSet, .logicalUnitReset, .targetReset: endHeld { _ in true }
    case .clearACA: return .functionRejected
    }
    return .functionComplete
  }

  @discardableResult
  private func endHeld(_ isMeant: (Command) -> Bool) -> Int {
    let ended = held.filter { isMeant($0.command) }
    held.removeAll { isMeant($0.command) }
    for one in ended {
      one.command.markAborted()
      one.dataOut = nil
      guard let empty = content?.empty() else { continue }
      var result = CommandResult(.good, dataIn: empty, transferLength: 0)
      result.disposition = .silent
      standing -= 1
      one.client.complete(one.command, result)
    }
    return ended.count
  }

  /// Lets held commands be executed.
  func release() {
    isHolding = false
    let ready = held
    held = []
    for one in ready {
      if let dataOut = one.dataOut.take() { perform(one.command, dataOut, one.client) }
    }
  }

  // MARK: Commands

  private func perform(
    _ command: Command, _ dataOut: consuming Payload, _ client: CommandClient
  ) {
    standing -= 1
    guard var content = content.take() else { return }
    let empty = content.empty()
    let cdb = command.cdb
    let result: CommandResult
    switch cdb.operationCode {
    case 0x2A, 0x8A:
      if let range = range(command) {
        content.store(dataOut.bytes(), at: range.lowerBound)
        result = CommandResult(.good, dataIn: empty, transferLength: range.count)
      } else {
        result = failure(0x21, empty)
      }
    case 0x28, 0x88:
      if let range = range(command) {
        let found = content.sharing(range)
        result = CommandResult(.good, dataIn: found, transferLength: range.count)
      } else {
        result = failure(0x21, empty)
      }
    case 0x12:
      var inquiry: [UInt8] = [0, 0, 5, 2, 31, 0, 0, 2] + Array("ECOPY   RAM DISK        0001".utf8)
      if cdb[1] & 1 == 1 { inquiry = [0, 0, 0, 1, 0] }
      result = metadata(inquiry, Int(cdb.uint16(at: 3)), &content)
    case 0x25:
      result = metadata(bytes(UInt64(blockCount - 1), 4) + bytes(512, 4), 8, &content)
    case 0x9E:
      result = metadata(
        bytes(UInt64(blockCount - 1), 8) + bytes(512, 4) + [UInt8](repeating: 0, count: 20),
        Int(cdb.uint32(at: 10)), &content)
    case 0xA0:
      result = metadata([0, 0, 0, 8] + [UInt8](repeating: 0, count: 12), 16, &content)
    default: result = CommandResult(.good, dataIn: empty, transferLength: 0)
    }
    _ = consume dataOut
    self.content = consume content
    client.complete(command, result)
  }

  private func metadata(
    _ bytes: [UInt8], _ limit: Int, _ content: inout Payload
  ) -> CommandResult {
    let count = min(bytes.count, limit)
    guard count > 0, var room = data.takeNow(count) else {
      return CommandResult(.good, dataIn: content.empty(), transferLength: 0)
    }
    room.store(Array(bytes.prefix(count)), at: 0)
    var result = CommandResult(.good, dataIn: room, transferLength: count)
    result.share = data
    result.borrowedByteCount = count
    return result
  }

  private func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }

  private func range(_ command: Command) -> Range<Int>? {
    let cdb = command.cdb
    let isLong = cdb.operationCode & 0xE0 == 0x80
    let first = isLong ? cdb.uint64(at: 2) : UInt64(cdb.uint32(at: 2))
    let count = isLong ? Int(cdb.uint32(at: 10)) : Int(cdb.uint16(at: 7))
    guard first <= UInt64(blockCount), count <= blockCount - Int(first) else { return nil }
    let start = Int(first) * Self.blockByteCount
    return start..<start + count * Self.blockByteCount
  }

  private func failure(_ code: UInt8) -> CommandResult {
    guard let empty = content?.empty() else { preconditionFailure("the disk was dropped") }
    return failure(code, empty)
  }

  private func failure(_ code: UInt8, _ empty: consuming Payload) -> CommandResult {
    CommandResult(
      sense: SenseData(
        key: .illegalRequest, additional: AdditionalSense(code: code, qualifier: 0)
      ).fixedBytes(), noData: empty)
  }
}
