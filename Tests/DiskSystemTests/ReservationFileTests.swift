import DeviceServers
import Devices
import SAM
import SCSI
import Testing
import Uring

@testable import DiskSystem

@Suite("Reservations outlive the daemon")
struct ReservationFileTests {
  /// Bytes of PERSISTENT RESERVE OUT, REGISTER with APTPL: SPC-4 6.16.3.
  private static let register: [UInt8] =
    [UInt8](repeating: 0, count: 8) + [0, 0, 0, 0, 0, 0, 0, 7] + [UInt8](repeating: 0, count: 4)
    + [0x01, 0, 0, 0]

  private final class Answer: CommandClient {
    var result: (status: Status, sense: [UInt8], data: [UInt8])?

    override func complete(_ command: Command, _ result: consuming CommandResult) {
      let (status, sense) = (result.status, result.sense)
      self.result = (status, sense, result.takeDataIn().bytes())
    }
  }

  private static func execute(
    _ cdb: [UInt8], _ data: [UInt8] = [], at unit: OpenUnit, from nexus: Nexus, ring: Ring
  ) async -> (status: Status, data: [UInt8]) {
    let command = Command(nexus: nexus)
    command.cdb = CommandDescriptorBlock(cdb)
    command.expectedDataOut = data.count
    command.expectedDataIn = 1024
    let router = LogicalUnitRouter(ring: ring, map: OneUnit(unit.logicalUnit))
    router.attach(nexus)
    let client = Answer()
    // The first command meets the unit attention of a nexus that begins.
    for _ in 0..<2 {
      client.result = nil
      switch router.admit(command) {
      case .finished(let result): client.complete(command, result)
      case .execute(let byteCount):
        guard var payload = ring.arena.allocate(max(1, byteCount)) else { return (.busy, []) }
        payload.overwrite(with: data)
        if byteCount == 0 { payload.truncate(to: 0) }
        router.execute(command, dataOut: payload, for: client)
      }
      while client.result == nil { await ring.sleep(nanoseconds: 1_000_000) }
      if client.result?.status != .checkCondition { break }
    }
    await router.detach(nexus)
    return (client.result?.status ?? .busy, client.result?.data ?? [])
  }

  private final class OneUnit: LogicalUnitMap {
    let unit: LogicalUnit
    init(_ unit: LogicalUnit) {
      self.unit = unit
      super.init()
    }
    override func units(for nexus: Nexus) -> [(lun: UInt64, unit: LogicalUnit)] { [(0, unit)] }
  }

  private static func nexus() -> Nexus {
    Nexus(
      initiatorPort: InitiatorPort(name: "iqn.2026-01.org.example:host", isid: 1),
      targetPort: TargetPort(
        name: "iqn.2026-11.org.example:a", portalGroupTag: 1, relativeIdentifier: 1))
  }

  private func withUnit<Success: Sendable>(
    _ path: String,
    _ body: @escaping @Sendable (OpenUnit, Ring) async -> Success
  ) async throws -> Success {
    let processor = try Processor()
    defer { processor.stop() }
    let configuration = try Sample.decode(Sample.whole)
    return try await processor.run { ring async throws(DiskSystemError) in
      let state = try await ring.blocking { files in StateDirectory.open(path, files) }.get()
      let result: Result<Success, DiskSystemError>
      do throws(DiskSystemError) {
        let unit = try await OpenUnit.open(
          configuration.units[0], in: state,
          share: BufferShare(of: ring.arena, byteCount: 1 << 20),
          copies: CopyCommands(ring: ring, memoryBytes: 4 << 20), ring: ring, warn: { _ in })
        result = .success(await body(unit, ring))
        await unit.disk.close()
      } catch {
        result = .failure(error)
      }
      await ring.blocking { _ in state.close() }
      return try result.get()
    }
  }

  @Test("a registration with APTPL is there after a restart")
  func registrationsAreKept() async throws {
    let scratch = try Scratch()
    let path = scratch.path("s")
    let status = try await withUnit(path) { unit, ring in
      await Self.execute(
        [0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0], Self.register, at: unit, from: Self.nexus(), ring: ring
      ).status
    }
    #expect(status == .good)
    let keys = try await withUnit(path) { unit, ring in
      await Self.execute(
        [0x5E, 0, 0, 0, 0, 0, 0, 0, 64, 0], at: unit, from: Self.nexus(), ring: ring
      )
      .data
    }
    #expect(Array(keys.suffix(8)) == [0, 0, 0, 0, 0, 0, 0, 7], "\(keys)")
  }

  @Test("a damaged file of reservations stops the start, and is named")
  func damageIsNamed() async throws {
    let scratch = try Scratch()
    try await withUnit(scratch.path("s")) { _, _ in }
    try scratch.write("s/reservations/disk", "what is this")
    let error = await #expect(throws: DiskSystemError.self) {
      try await withUnit(scratch.path("s")) { _, _ in }
    }
    #expect(try #require(error).description.contains("reservations/disk is damaged"))
  }
}
