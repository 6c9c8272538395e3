import ISCSIProtocol
import Testing
import Uring

@testable import DiskSystem

@Suite("Access")
struct AccessTableTests {
  static let host = "iqn.2026-01.org.example:host"
  static let guest = "iqn.2026-01.org.example:guest"

  /// Two portals; `a` for everybody, `b` for the host by CHAP and only at the second, `c` for nobody.
  private func table() throws -> AccessTable {
    let yaml = """
      portals: [127.0.0.1:1, 0.0.0.0:2]
      units: {x: {file: x}, y: {file: y}}
      targets:
        - name: iqn.2026-11.org.example:a
          alias: first
          access:
            - {initiators: \(Self.host), authentication: none, units: {0: x, 1: y}}
            - {initiators: any, portals: 127.0.0.1:1, authentication: none, units: {0: y}}
        - name: iqn.2026-11.org.example:b
          access:
            - initiators: \(Self.host)
              portals: 0.0.0.0:2
              authentication: {chap: {user: u, secret: abcdefghijkl}}
              units: {0: x}
        - name: iqn.2026-11.org.example:c
      """
    let configuration = try Sample.decode(yaml)
    let table = AccessTable(configuration, portIdentifiers: [[1, 2], [7, 4], [9, 3]])
    table.portals = configuration.portals
    return table
  }

  private func found(_ initiator: String) throws -> [String] {
    let local = try #require(SocketAddress(portal: "127.0.0.9:2"))
    return try table().targets(for: initiator, local: local).map { target in
      "\(target.name) \(target.addresses.map(\.description).joined(separator: " "))"
    }
  }

  @Test("the ports of a unit are those of the targets that show it")
  func portsOfAUnit() throws {
    let table = try table()
    #expect(table.portIdentifiers(showing: "x") == [1, 2, 7, 4])
    #expect(table.portIdentifiers(showing: "y") == [1, 2])
  }

  @Test("discovery shows an initiator what it may log in to, and where")
  func discoveryShowsWhatIsOpen() throws {
    #expect(
      try found(Self.host) == [
        "iqn.2026-11.org.example:a 127.0.0.1:1,1 127.0.0.9:2,2",
        "iqn.2026-11.org.example:b 127.0.0.9:2,2",
      ])
    #expect(try found(Self.guest) == ["iqn.2026-11.org.example:a 127.0.0.1:1,1"])
  }

  @Test("units are masked by initiator and portal, and nothing is open by default")
  func unitsAreMasked() throws {
    let table = try table()
    func units(_ initiator: String, _ target: String, _ tag: UInt16) -> [UInt16: String]? {
      table.rule(
        initiator: initiator, target: "iqn.2026-11.org.example:\(target)", portalGroupTag: tag)?
        .units
    }
    #expect(units(Self.host, "a", 1) == [0: "x", 1: "y"])
    #expect(units(Self.host, "a", 2) == [0: "x", 1: "y"])
    #expect(units(Self.guest, "a", 1) == [0: "y"])
    #expect(units(Self.guest, "a", 2) == nil)
    #expect(units(Self.host, "b", 1) == nil)
    #expect(units(Self.host, "b", 2) == [0: "x"])
    #expect(units(Self.host, "c", 1) == nil)
    #expect(units(Self.host, "d", 1) == nil)
  }
}

@Suite("The plan of memory")
struct MemoryPlanTests {
  @Test("shares fit the arena", arguments: [16 << 20, 18 << 20, 64 << 20, 1 << 40])
  func sharesFitTheArena(byteCount: Int) {
    let plan = MemoryPlan(arena: byteCount)
    #expect(plan.target + plan.units + plan.copies + plan.control < byteCount)
    #expect(plan.target >= 3 << 20 && plan.copies >= 4 << 20)
  }
}
