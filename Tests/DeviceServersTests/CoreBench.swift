import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

/// A logical unit with one command more, which ends when a test says so.
final class HeldUnit: LogicalUnit {
  static let operationCode: UInt8 = 0xC0
  /// What has begun and not ended, in the order of beginning.
  private(set) var running: [UnitTask] = []

  init(ring: Ring) {
    super.init(
      ring: ring,
      identity: UnitIdentity(
        product: "HELD", serialNumber: "42", naa: [0x31, 2, 3, 4, 5, 6, 7, 8]),
      peripheralDeviceType: 0, control: ControlBlock(),
      commands: [
        CommandEntry(
          "HELD", Self.operationCode, usage: [Self.operationCode, 0, 0, 0, 0, 0x04],
          access: .writes,
          execution: .direct { unit, task in
            guard let unit = unit as? HeldUnit else { preconditionFailure("it is its command") }
            unit.running.append(task)
          })
      ])
  }

  var runningTags: [UInt64] { running.map(\.command.tag) }

  func end(_ tag: UInt64) {
    guard let index = running.firstIndex(where: { $0.command.tag == tag }) else { return }
    finish(running.remove(at: index), good())
  }
}

final class TestMap: LogicalUnitMap {
  var units: [(lun: UInt64, unit: LogicalUnit)] = []
  override func units(for nexus: Nexus) -> [(lun: UInt64, unit: LogicalUnit)] { units }
}

/// A command on its way; also counts how often it ended.
final class Sent: CommandClient {
  let command: Command
  private(set) var outcome: BlockOutcome?
  private(set) var endCount = 0
  private let log: EndLog
  private var waiter: CheckedContinuation<Void, Never>?

  init(_ command: Command, _ log: EndLog) {
    self.command = command
    self.log = log
  }

  override func complete(_ command: Command, _ result: consuming CommandResult) { end(result) }

  func end(_ result: consuming CommandResult) {
    endCount += 1
    outcome = BlockClient().outcome(of: result)
    log.tags.append(command.tag)
    waiter?.resume()
    waiter = nil
  }

  func wait() async -> BlockOutcome {
    if outcome == nil { await withCheckedContinuation { waiter = $0 } }
    guard let outcome else { preconditionFailure("a command ends before its waiter goes on") }
    return outcome
  }
}

/// Tags in the order in which their commands ended.
final class EndLog {
  var tags: [UInt64] = []
}

/// A router with units behind it and initiators in front of it.
final class CoreBench {
  let ring: Ring
  let map = TestMap()
  let router: LogicalUnitRouter
  let log = EndLog()
  private var nextTag: UInt64 = 0

  init(_ units: [LogicalUnit], ring: Ring) {
    self.ring = ring
    map.units = units.enumerated().map { (LogicalUnitNumber.encode($0.offset), $0.element) }
    router = LogicalUnitRouter(ring: ring, map: map)
  }

  /// A nexus that has just begun.
  func attach(_ number: UInt64) -> Nexus {
    let nexus = BlockBench.nexus(number)
    router.attach(nexus)
    return nexus
  }

  /// A nexus without unit attentions.
  func join(_ number: UInt64) -> Nexus {
    let nexus = attach(number)
    for unit in router.units(of: nexus) {
      while unit.control.takeUnitAttention(for: nexus) != nil {}
    }
    return nexus
  }

  func send(
    _ cdb: [UInt8], _ dataOut: [UInt8] = [], lun: UInt64 = 0, from nexus: Nexus,
    _ attribute: TaskAttribute = .simple
  ) -> Sent {
    let command = Command(nexus: nexus)
    command.cdb = CommandDescriptorBlock(cdb)
    command.logicalUnit = lun
    command.attribute = attribute
    command.expectedDataOut = dataOut.count
    command.expectedDataIn = 1 << 20
    command.tag = nextTag
    nextTag += 1
    let sent = Sent(command, log)
    switch router.admit(command) {
    case .finished(let result): sent.end(result)
    case .execute(let wanted):
      let bytes = Array(dataOut.prefix(wanted))
      var payload = ring.arena.empty()
      if !bytes.isEmpty {
        guard let room = ring.arena.allocate(bytes.count) else {
          preconditionFailure("the arena of a test has room")
        }
        payload = room
        payload.overwrite(with: bytes)
      }
      router.execute(command, dataOut: payload, for: sent)
    }
    return sent
  }

  func run(
    _ cdb: [UInt8], _ dataOut: [UInt8] = [], lun: UInt64 = 0, from nexus: Nexus
  ) async -> BlockOutcome {
    await send(cdb, dataOut, lun: lun, from: nexus).wait()
  }

  func hold(_ nexus: Nexus, _ attribute: TaskAttribute = .simple) -> Sent {
    send([HeldUnit.operationCode, 0, 0, 0, 0, 0], from: nexus, attribute)
  }
}

/// CDBs of SPC, as an initiator writes them.
enum PrimaryCDB {
  static let testUnitReady: [UInt8] = [0, 0, 0, 0, 0, 0]
  static func inquiry(page: UInt8? = nil, length: UInt16 = 512) -> [UInt8] {
    [0x12, page == nil ? 0 : 1, page ?? 0, UInt8(length >> 8), UInt8(length & 0xFF), 0]
  }
  static func requestSense(descriptor: Bool = false) -> [UInt8] {
    [0x03, descriptor ? 1 : 0, 0, 0, 252, 0]
  }
  static func reportLUNs(_ select: UInt8 = 0, length: UInt8 = 255) -> [UInt8] {
    [0xA0, 0, select, 0, 0, 0, 0, 0, 0, length, 0, 0]
  }
  /// MODE SENSE(6) without block descriptor.
  static func modeSense(_ page: UInt8, _ values: UInt8 = 0) -> [UInt8] {
    [0x1A, 0x08, values << 6 | page, 0, 255, 0]
  }
  static func modeSelect(_ length: Int) -> [UInt8] { [0x15, 0x10, 0, 0, UInt8(length), 0] }
  /// Mode parameters of the control page with TAS, SWP and D_SENSE as given.
  static func control(descriptor: Bool = false, protected: Bool = false, answers: Bool = false)
    -> [UInt8]
  {
    [
      0, 0, 0, 0, 0x0A, 0x0A, descriptor ? 0x04 : 0, 0x10, protected ? 0x08 : 0,
      answers ? 0x40 : 0, 0, 0, 0xFF, 0xFF, 0, 0,
    ]
  }
  static func operationCodes(
    _ option: UInt8 = 0, _ code: UInt8 = 0, _ action: UInt16 = 0, timeouts: Bool = false
  ) -> [UInt8] {
    [
      0xA3, 0x0C, (timeouts ? 0x80 : 0) | option, code, UInt8(action >> 8), UInt8(action & 0xFF),
      0, 0, 0x40, 0, 0, 0,
    ]
  }
}

/// Runs `body` on a processor of its own.
func withRing<Success: Sendable>(
  _ body: @escaping @Sendable (Ring) async throws -> Success
) async throws -> Success {
  var configuration = Processor.Configuration()
  configuration.arenaBytes = 4 << 20
  let processor = try Processor(configuration)
  let result: Result<Success, any Error> = await processor.run { ring in
    do { return .success(try await body(ring)) } catch { return .failure(error) }
  }
  processor.stop()
  return try result.get()
}
