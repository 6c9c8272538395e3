import ExtendedCopy
import ISCSIProtocol
import SCSI
import Testing

import Fabric

private typealias Name = Fabric.PortName

/// What a descriptor may mean: the only place where that is decided.
@Suite struct DescriptorScopeTests {
  /// Group 1: A and E on SAN 1 with device `a`; group 2: B and G on SAN 2 with device `d`.
  private static func plan() throws -> FabricPlan {
    func name(_ channel: String) throws -> Name {
      try #require(Name(channel: channel, controller: 1))
    }
    func port(_ channel: String, _ designation: Designation, _ san: String, _ number: UInt16) throws
      -> Port
    {
      Port(
        name: try name(channel), designation: designation, san: san,
        worldWideName: designation == .target ? 0x5000_0000_0000_0000 + UInt64(number) : nil,
        relativeIdentifier: number)
    }
    func device(_ letter: String, _ san: String, _ wwn: UInt64) throws -> FabricDevice {
      let first = try #require(PortalAddress(host: "192.0.2.1", port: 3260))
      let second = try #require(PortalAddress(host: "192.0.2.2", port: 3260))
      return FabricDevice(
        name: letter, targetName: try ISCSIName("iqn.2026-11.test:\(letter)"), logicalUnit: 1,
        ports: [
          FabricDevice.Port(san: san, address: first, worldWideName: wwn),
          FabricDevice.Port(san: san, address: second, worldWideName: wwn + 1),
        ])
    }
    return FabricPlan(
      ports: [
        try port("A", .target, "servers", 1), try port("B", .target, "servers", 2),
        try port("C", .target, "servers", 3), try port("E", .initiator, "one", 5),
        try port("F", .initiator, "one", 6), try port("G", .initiator, "two", 7),
      ],
      groups: [
        PortGroup(name: "1", ports: [try name("A"), try name("E"), try name("F")]),
        PortGroup(name: "2", ports: [try name("B"), try name("G")]),
      ],
      devices: [try device("a", "one", 0xA0), try device("d", "two", 0xD0)])
  }

  private static func scope(_ channel: String, units: Set<Int> = [0, 3]) throws -> DescriptorScope {
    DescriptorScope(
      try plan(), targetPort: try #require(Name(channel: channel, controller: 1)),
      unitNumbers: units)
  }

  private static func target(
    _ identification: TargetDescriptor.Identification, unit: UInt64 = 1, port: UInt16 = 0
  ) -> TargetDescriptor {
    TargetDescriptor(
      identification: identification, logicalUnit: unit << 48, peripheralDeviceType: 1,
      relativeInitiatorPort: port, device: .stream(pad: true, fixed: false, blockLength: 0))
  }

  private static func names(_ resolution: Resolution) -> [String] {
    switch resolution {
    case .ways(_, let ports), .bearer(_, let ports): ports.map(\.name.channel)
    default: []
    }
  }

  @Test("M6 A descriptor that names port 1 of a device never means its port 2")
  func portNotDevice() throws {
    let scope = try Self.scope("A")
    for (wwn, port) in [(UInt64(0xA0), 0), (0xA1, 1)] {
      guard case .ways(let ways, _) = scope.resolve(Self.target(.wwn(wwn))) else {
        Issue.record("\(wwn) names nothing")
        continue
      }
      #expect(ways == [DeviceWay(device: 0, port: port)])
    }
    guard
      case .ways(let ways, _) = scope.resolve(
        Self.target(.ipv4(address: 0xC000_0202, port: 0, protocolNumber: 6)))
    else {
      Issue.record("an address that is configured names nothing")
      return
    }
    #expect(ways == [DeviceWay(device: 0, port: 1)])
  }

  @Test("M44 A command reaches through the initiator ports of its own group only")
  func groups() throws {
    let (a, d) = (Self.target(.wwn(0xA0)), Self.target(.wwn(0xD0)))
    #expect(Self.names(try Self.scope("A").resolve(a)) == ["E", "F"])
    #expect(Self.names(try Self.scope("B").resolve(d)) == ["G"])
    let unknown = try Self.scope("A").resolve(Self.target(.wwn(0xBAD)))
    #expect(unknown == .nothing)
    #expect(try Self.scope("A").resolve(d) == unknown)
    #expect(try Self.scope("B").resolve(a) == unknown)
    let designator = Self.target(.designator(.naa([0x30, 0, 0, 0, 0, 0, 0, 1])))
    guard case .bearer(let ways, let ports) = try Self.scope("B").resolve(designator) else {
      Issue.record("a designator is looked for")
      return
    }
    #expect(ports.map(\.name.channel) == ["G"])
    #expect(ways.allSatisfy { $0.device == 1 })
  }

  @Test("M44 A port of another group cannot be asked for by its number")
  func relativePort() throws {
    let scope = try Self.scope("A")
    #expect(Self.names(scope.resolve(Self.target(.wwn(0xA0), port: 6))) == ["F"])
    for port: UInt16 in [1, 7, 99] {
      #expect(scope.resolve(Self.target(.wwn(0xA0), port: port)) == .nothing)
    }
  }

  @Test("M51 A target port in no group reaches nothing, and says why")
  func ungrouped() throws {
    let scope = try Self.scope("C")
    #expect(scope.resolve(Self.target(.wwn(0xA0))) == .nothing)
    #expect(scope.refusal == .ungrouped(try #require(Name("CH C(CL1)"))))
  }

  @Test("M47 An own unit is what this nexus sees, through the port it used; else it is as unknown")
  func ownUnits() throws {
    let wwn = TargetDescriptor.Identification.wwn(0x5000_0000_0000_0001)
    let scope = try Self.scope("A")
    #expect(scope.resolve(Self.target(wwn, unit: 3)) == .ownUnit(3))
    let unknown = scope.resolve(Self.target(.wwn(0xBAD), unit: 3))
    #expect(unknown == .nothing)
    // Another host's LUN, and the other group's port: CVE-2020-28374 answers as what is not there.
    #expect(scope.resolve(Self.target(wwn, unit: 4)) == unknown)
    #expect(try Self.scope("B").resolve(Self.target(wwn, unit: 3)) == unknown)
  }

  @Test("M47 Addresses in descriptors that nobody configured are never dialled")
  func addresses() throws {
    let scope = try Self.scope("A")
    for (address, port): (UInt32, UInt16) in [(0xC000_0203, 3260), (0xC000_0201, 22)] {
      let target = Self.target(.ipv4(address: address, port: port, protocolNumber: 6))
      #expect(scope.resolve(target) == .nothing)
    }
    #expect(scope.resolve(Self.target(.wwn(0xA0), unit: 2)) == .nothing)
  }
}
