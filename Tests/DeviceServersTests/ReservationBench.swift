import SAM
import SCSI
import Uring

@testable import DeviceServers

/// What a store of reservations does, chosen by a test.
final class ReservationMemory: ReservationStore {
  var bytes: [UInt8]?
  var fails = false
  private(set) var storeCount = 0

  override func load() async -> [UInt8]? { bytes }

  override func store(_ new: [UInt8]) async -> Bool {
    storeCount += 1
    if fails { return false }
    bytes = new
    return true
  }
}

/// One unit, as LUN 0 of everybody.
final class ReservationMap: LogicalUnitMap {
  private let unit: LogicalUnit
  init(_ unit: LogicalUnit) { self.unit = unit }
  override func units(for nexus: Nexus) -> [(lun: UInt64, unit: LogicalUnit)] {
    [(LogicalUnitNumber.encode(0), unit)]
  }
}

/// A logical unit without a device behind a router: the commands of SPC, one that ends when a test
/// says so, one that reads and one that writes.
final class ReservationBench {
  let ring: Ring
  let unit: LogicalUnit
  let router: LogicalUnitRouter
  let gate: ReservationGate
  private var nextTag: UInt64 = 0

  static let slow: [UInt8] = [0xC0, 0, 0, 0, 0, 0]
  static let read: [UInt8] = [0xC1, 0, 0, 0, 0, 0]
  static let write: [UInt8] = [0xC2, 0, 0, 0, 0, 0]

  init(ring: Ring, control: ControlBlock = ControlBlock()) {
    self.ring = ring
    let gate = ReservationGate()
    self.gate = gate
    unit = LogicalUnit(
      ring: ring,
      identity: UnitIdentity(
        vendor: "ECOPY", product: "UNIT", serialNumber: "SERIAL",
        naa: [0x30, 1, 2, 3, 4, 5, 6, 7]),
      peripheralDeviceType: 0, control: control,
      commands: [
        CommandEntry(
          "SLOW", 0xC0, usage: [0xC0, 0xFF, 0, 0, 0, 0x04], access: .always,
          execution: .asynchronous { unit, task in
            await gate.pass(task.command)
            return unit.good()
          }),
        CommandEntry(
          "READS", 0xC1, usage: [0xC1, 0, 0, 0, 0, 0x04], access: .reads,
          execution: .direct { $0.finish($1, $0.good()) }),
        CommandEntry(
          "WRITES", 0xC2, usage: [0xC2, 0, 0, 0, 0, 0x04], access: .writes,
          execution: .direct { $0.finish($1, $0.good()) }),
      ])
    router = LogicalUnitRouter(ring: ring, map: ReservationMap(unit))
  }

  /// A nexus that has seen its first unit attention.
  func join(_ number: UInt64, port: UInt16 = 1) -> Nexus {
    let nexus = Nexus(
      initiatorPort: InitiatorPort(name: "iqn.2026-11.test:\(number)", isid: number),
      targetPort: TargetPort(
        name: "iqn.2026-11.test:target", portalGroupTag: port, relativeIdentifier: port))
    router.attach(nexus)
    while unit.control.takeUnitAttention(for: nexus) != nil {}
    return nexus
  }

  /// Sends a command without waiting for its end.
  func send(
    _ cdb: [UInt8], _ dataOut: [UInt8] = [], from nexus: Nexus,
    attribute: TaskAttribute = .simple, lun: UInt64 = 0
  ) -> BlockClient {
    let command = Command(nexus: nexus)
    command.cdb = CommandDescriptorBlock(cdb)
    command.logicalUnit = lun
    command.attribute = attribute
    command.expectedDataOut = dataOut.count
    command.expectedDataIn = 1 << 20
    command.tag = nextTag
    nextTag += 1
    let client = BlockClient()
    switch router.admit(command) {
    case .finished(let result): client.complete(command, result)
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
      router.execute(command, dataOut: payload, for: client)
    }
    return client
  }

  func run(
    _ cdb: [UInt8], _ dataOut: [UInt8] = [], from nexus: Nexus, lun: UInt64 = 0
  ) async -> BlockOutcome {
    await send(cdb, dataOut, from: nexus, lun: lun).wait()
  }

  // MARK: Reservations

  func reserveOut(
    _ action: UInt8, _ nexus: Nexus, key: UInt64 = 0, newKey: UInt64 = 0, type: UInt8 = 0,
    flags: UInt8 = 0
  ) async -> BlockOutcome {
    await run(Self.out(action, type: type), Self.list(key, newKey, flags), from: nexus)
  }

  static func out(_ action: UInt8, type: UInt8 = 0, length: UInt64 = 24) -> [UInt8] {
    [0x5F, action, type, 0, 0] + BlockCDB.big(length, 4) + [0]
  }

  static func list(_ key: UInt64, _ newKey: UInt64, _ flags: UInt8 = 0) -> [UInt8] {
    BlockCDB.big(key, 8) + BlockCDB.big(newKey, 8) + [0, 0, 0, 0, flags, 0, 0, 0]
  }

  static func reserveIn(_ action: UInt8, length: UInt64 = 0xFFFF) -> [UInt8] {
    [0x5E, action, 0, 0, 0, 0, 0] + BlockCDB.big(length, 2) + [0]
  }

  /// Code and qualifier of the unit attentions that wait for a nexus.
  func attentions(of nexus: Nexus) -> [[UInt8]] {
    var all: [[UInt8]] = []
    while let one = unit.control.takeUnitAttention(for: nexus) {
      all.append([one.code, one.qualifier])
    }
    return all
  }
}

/// Holds slow commands until a test opens it, or until they are aborted.
final class ReservationGate {
  private(set) var started: [Command] = []
  private var isOpen = false
  private var passes = 0
  private var waiters: [CheckedContinuation<Void, Never>] = []

  func pass(_ command: Command) async {
    started.append(command)
    while !isOpen {
      await withCheckedContinuation { waiters.append($0) }
      if passes > 0 {
        passes -= 1
        return
      }
    }
  }

  /// Lets one command go that waits.
  func openOne() {
    guard !isOpen, !waiters.isEmpty else { return }
    passes += 1
    waiters.removeFirst().resume()
  }

  func open() {
    isOpen = true
    let all = waiters
    waiters = []
    all.forEach { $0.resume() }
  }
}

/// Runs `body` with a unit on a processor of its own.
func withReservationBench(_ body: @escaping @Sendable (ReservationBench) async throws -> Void)
  async throws
{
  try await withReservationRing { try await body(ReservationBench(ring: $0)) }
}

func withReservationRing(_ body: @escaping @Sendable (Ring) async throws -> Void) async throws {
  var configuration = Processor.Configuration()
  configuration.arenaBytes = 4 << 20
  let processor = try Processor(configuration)
  let result: Result<Void, any Error> = await processor.run { ring in
    do { return .success(try await body(ring)) } catch { return .failure(error) }
  }
  processor.stop()
  try result.get()
}
