import Fabric
import Testing

/// Which initiator ports may serve a target port: requirements M40 to M51.
@Suite struct PortSelectionTests {
  private static func port(_ text: String, _ designation: Designation, _ number: UInt16) throws
    -> Port
  {
    Port(
      name: try #require(PortName(text)), designation: designation, relativeIdentifier: number)
  }

  /// Figure 8: two groups, and ports C and F in none.
  private static func figure8(_ selection: PortSelection) throws -> FabricPlan {
    let letters: [(String, Designation)] = [
      ("A", .target), ("B", .target), ("C", .target), ("D", .target), ("E", .initiator),
      ("F", .initiator), ("G", .initiator), ("H", .initiator),
    ]
    var ports: [Port] = []
    for (index, (letter, designation)) in letters.enumerated() {
      ports.append(try port("CH \(letter)(CL1)", designation, UInt16(index + 1)))
    }
    func names(_ letters: String) throws -> [PortName] {
      try letters.map { try #require(PortName(channel: String($0), controller: 1)) }
    }
    return FabricPlan(
      ports: ports,
      groups: [
        PortGroup(name: "1", ports: try names("ABE")),
        PortGroup(name: "2", ports: try names("DGH")),
      ], selection: selection)
  }

  private static func served(_ letter: String, _ selection: PortSelection) throws -> String {
    let name = try #require(PortName(channel: letter, controller: 1))
    return try figure8(selection).initiatorPorts(servingTargetPort: name).map(\.name.channel)
      .joined()
  }

  @Test("M43, M44: a target port is served by the initiator ports of its group")
  func groups() throws {
    #expect(try Self.served("A", .manual) == "E")
    #expect(try Self.served("B", .manual) == "E")
    #expect(try Self.served("D", .manual) == "GH")
  }

  @Test("M41: where ports are selected automatically, all are searched in order")
  func automatic() throws {
    #expect(try Self.served("A", .automatic) == "EFGH")
    #expect(try Self.served("C", .automatic) == "EFGH")
  }

  @Test("M51: a target port in no group is refused with the reason")
  func ungrouped() throws {
    let name = try #require(PortName("CH C(CL1)"))
    let plan = try Self.figure8(.manual)
    #expect(throws: PortRefusal.ungrouped(name)) {
      try plan.initiatorPorts(servingTargetPort: name)
    }
    #expect("\(PortRefusal.ungrouped(name))".contains("CH C(CL1)"))
  }

  @Test("M13: the same channel letter is another port at the other controller", arguments: 1...8)
  func names(controller: Int) throws {
    let name = try #require(PortName("CH A(CL\(controller))"))
    #expect(name.description == "CH A(CL\(controller))")
    #expect(name.controller == controller)
  }

  @Test(arguments: [
    "", "CH A", "CH (CL1)", "CH A(CL0)", "CH A(CL9)", "CH a(CL1)", "CH ABC(CL1)",
    "CH A(CL1) ", "CH A(CL+1)", "CH É(CL1)", "CHA(CL1)", "CH A)CL1(",
  ])
  func noNames(_ text: String) { #expect(PortName(text) == nil) }
}
