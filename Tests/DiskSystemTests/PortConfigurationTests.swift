import DiskSystem
import Fabric
import ISCSIProtocol
import Testing
import Uring

/// Ports, groups and devices in a configuration.
@Suite("Ports, groups and devices of a configuration")
struct PortConfigurationTests {
  /// The servers' side of the sample, behind two ports.
  private static let ports = """
    ports:
      CH A(CL1): {designation: target, address: 127.0.0.1:3260, wwn: 50060e8000000001}
      CH B(CL2): {designation: initiator, address: 127.0.0.2, san: back}

    """
  private static let rest = Sample.units + Sample.targets

  private static func example(_ name: String) throws -> Configuration {
    try Configuration(
      yaml: Repository.bytes("examples/\(name)"), file: name,
      secrets: { _ in .refused("none is named") })
  }

  private static func served(_ plan: FabricPlan, _ port: String) throws -> [String] {
    let name = try #require(PortName(port))
    return try plan.initiatorPorts(servingTargetPort: name).map(\.name.channel)
  }

  @Test("M12: what stands in the file is what the plan has")
  func everyKey() throws {
    let plan = try Self.example("figure9.yaml").fabric
    #expect(plan.ports.map(\.name.description) == ["CH A(CL1)", "CH B(CL1)", "CH C(CL1)"])
    #expect(plan.ports.map(\.designation) == [.target, .initiator, .initiator])
    #expect(plan.ports.map(\.san) == ["servers", "other", "tapes"])
    #expect(plan.ports[0].address == SocketAddress(portal: "127.0.0.1:3260"))
    #expect(plan.ports[0].worldWideName == 0x5006_0E80_0000_0001)
    #expect(plan.ports[2].address == SocketAddress(portal: "127.0.0.1:0"))
    #expect(plan.selection == .manual)
    #expect(plan.initiatorName?.description == "iqn.2026-11.org.ecopy:figure9")
    let drive = try #require(plan.devices.first)
    #expect(drive.name == "drive" && drive.logicalUnit == 1)
    #expect(drive.targetName.description == "iqn.2026-11.org.example:library")
    #expect(drive.ports.map(\.worldWideName) == [0x5006_0E80_0000_00B0])
    #expect(drive.ports.first?.address.port == 3261)
    #expect(plan.aliases[0x5006_0E80_0000_00B1] == drive.targetName)
    #expect(try Self.served(plan, "CH A(CL1)") == ["B", "C"])
  }

  @Test("M43, M48, M51: the two groups, and the ports in none")
  func figure8() throws {
    let configuration = try Self.example("figure8.yaml")
    let plan = configuration.fabric
    #expect(try Self.served(plan, "CH A(CL1)") == ["E"])
    #expect(try Self.served(plan, "CH B(CL1)") == ["E"])
    #expect(try Self.served(plan, "CH D(CL1)") == ["G", "H"])
    #expect(throws: PortRefusal.self) { try Self.served(plan, "CH C(CL1)") }
    let sans = Dictionary(uniqueKeysWithValues: plan.devices.map { ($0.name, $0.ports.map(\.san)) })
    #expect(sans["device-c"] == ["san-757"] && sans["device-d"] == ["san-756", "san-757"])
    #expect(configuration.targets[0].access.map(\.portals) == [[1, 2], [3, 4]])
  }

  @Test("portals are target ports of the first controller, in their order")
  func shortForm() throws {
    let plan = try Sample.decode("portals: [127.0.0.1, 127.0.0.2]\n" + Self.rest).fabric
    #expect(plan.ports.map(\.name.description) == ["CH A(CL1)", "CH B(CL1)"])
    #expect(plan.ports.allSatisfy { $0.designation == .target })
    #expect(plan.groups.isEmpty && plan.devices.isEmpty)
  }

  @Test("M53: 64 groups")
  func manyGroups() throws {
    var yaml = "ports:\n"
    var groups = "groups:\n"
    for index in 0..<64 {
      let letters = "\(Self.letter(index / 26))\(Self.letter(index % 26))"
      yaml += "  CH \(letters)(CL1): {designation: target, address: 127.0.0.1:\(4000 + index)}\n"
      yaml += "  CH \(letters)(CL2): {designation: initiator}\n"
      groups += "  group-\(index): [CH \(letters)(CL1), CH \(letters)(CL2)]\n"
    }
    let plan = try Sample.decode(yaml + groups + Self.rest).fabric
    #expect(plan.groups.count == 64)
    for index in 0..<64 {
      let letters = "\(Self.letter(index / 26))\(Self.letter(index % 26))"
      #expect(try Self.served(plan, "CH \(letters)(CL1)") == [letters])
    }
  }

  private static func letter(_ index: Int) -> Character {
    Character(Unicode.Scalar(UInt8(ascii: "A") + UInt8(index)))
  }

  static let mistakes = [
    Mistake("1:1", "has no portals; add portals", rest),
    Mistake("2:8", "keep ports", "portals: [127.0.0.1]\nports: {}\n" + rest),
    Mistake("2:3", "cannot name a port", "ports:\n  A: {designation: target}\n" + rest),
    Mistake(
      "2:14", "has no designation", "ports:\n  CH A(CL1): {address: 127.0.0.1}\n" + rest),
    Mistake(
      "2:28", "target or initiator belongs here",
      "ports:\n  CH A(CL1): {designation: both}\n" + rest),
    Mistake("2:14", "has no address", "ports:\n  CH A(CL1): {designation: target}\n" + rest),
    Mistake(
      "2:3", "1 to 64 target ports", "ports:\n  CH A(CL1): {designation: initiator}\n" + rest),
    Mistake("4:16", "there is no port 'CH Z(CL1)'", ports + "groups: {one: [CH Z(CL1)]}\n" + rest),
    Mistake(
      "6:9", "CH A(CL1) is in group one too",
      ports + "groups:\n  one: [CH A(CL1), CH B(CL2)]\n  two: [CH A(CL1), CH B(CL2)]\n" + rest),
    Mistake("4:15", "initiator port", ports + "groups: {one: [CH A(CL1)]}\n" + rest),
    Mistake("4:12", "manual or automatic", ports + "selection: some\n" + rest),
    Mistake("4:17", "has no target", ports + "devices: {tape: {}}\n" + rest),
    Mistake(
      "4:17", "has no address",
      ports + "devices: {tape: {target: iqn.2026-11.org.example:t}}\n" + rest),
    Mistake(
      "6:38", "has this world wide name too",
      ports + """
        devices:
          tape: {target: iqn.2026-11.org.example:t, unit: 0,
            ports: [{address: 10.0.0.1, wwn: 50060e8000000001}]}

        """ + rest),
    Mistake(
      "4:29", "neither a target of this disk system nor that of a device",
      ports + "aliases: {50060e8000000009: iqn.2026-11.org.example:other}\n" + rest),
    Mistake(
      "4:11", "16 hexadecimal digits", ports + "aliases: {50: iqn.2026-11.org.example:a}\n" + rest),
  ]

  @Test("a mistake has its place and its words", arguments: mistakes)
  func mistake(_ mistake: Mistake) throws {
    let error = #expect(throws: ConfigurationError.self) { try Sample.decode(mistake.yaml) }
    let text = try #require(error).description
    #expect(text.hasPrefix("a.yaml:\(mistake.place): "), "\(text)\n\(mistake.yaml)")
    #expect(text.contains(mistake.words), "\(text)")
  }
}
