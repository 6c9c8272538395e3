import Fabric
import ISCSIProtocol
import Yams

extension FabricDevice {
  /// The devices of a configuration, and whether secrets stood there.
  static func decodeAll(
    _ node: Node?, _ fabric: FabricPlan, _ secrets: @escaping (String) -> SecretFile
  ) throws(ConfigurationError) -> (values: [FabricDevice], holdsSecrets: Bool) {
    guard let node else { return ([], false) }
    let mapping = try ConfigurationMapping(node, "devices")
    guard mapping.entries.count <= FabricPlan.deviceCountMaximum else {
      throw ConfigurationError(
        "at most \(FabricPlan.deviceCountMaximum) devices belong here", at: node)
    }
    var handshakes = HandshakeContext(secrets: secrets)
    var devices: [FabricDevice] = []
    for (name, keyNode, value) in mapping.entries {
      guard UnitConfiguration.isName(name) else {
        throw ConfigurationError(
          "\(name.quoted) cannot name a device; write 1 to 64 letters, digits, '-', '_' or '.', "
            + "beginning with a letter or a digit", at: keyNode)
      }
      let device = try decode(name, value, &handshakes, fabric)
      if let other = devices.first(where: {
        $0.targetName == device.targetName && $0.logicalUnit == device.logicalUnit
      }) {
        throw ConfigurationError(
          "devices \(other.name) and \(name) are the same logical unit; keep one", at: keyNode)
      }
      devices.append(device)
    }
    return (devices, handshakes.hasMetSecrets)
  }

  private static func decode(
    _ name: String, _ node: Node, _ handshakes: inout HandshakeContext, _ fabric: FabricPlan
  ) throws(ConfigurationError) -> FabricDevice {
    var mapping = try ConfigurationMapping(node, "device \(name)")
    let target = try ISCSIName.decode(
      mapping.require("target", "target: iqn.2026-01.org.example:library"),
      "the iSCSI name of the device's target")
    let unit = try mapping.take("unit").map { node throws(ConfigurationError) in
      try decodeUnit(node)
    }
    let ports = try decodePorts(&mapping, fabric)
    let authentication = try mapping.take("authentication").map { node throws(ConfigurationError) in
      (try handshakes.decodeAuthentication(node), node)
    }
    try mapping.finish()
    return FabricDevice(
      name: name, targetName: target, logicalUnit: unit ?? 0, ports: ports,
      authentication: try authentication.flatMap { pair throws(ConfigurationError) in
        try InitiatorCHAP.of(pair.0, at: pair.1)
      })
  }

  private static func decodeUnit(_ node: Node) throws(ConfigurationError) -> UInt16 {
    let text = node.scalar?.string ?? ""
    guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt16(text),
      number < logicalUnitLimit
    else {
      throw ConfigurationError(
        "a logical unit number from 0 to \(logicalUnitLimit - 1) belongs here", at: node)
    }
    return number
  }

  private static func decodePorts(
    _ mapping: inout ConfigurationMapping, _ fabric: FabricPlan
  ) throws(ConfigurationError) -> [Port] {
    switch (mapping.take("ports"), mapping.take("address")) {
    case (let node?, nil):
      guard let nodes = node.sequence, (1...portCountMaximum).contains(nodes.count) else {
        throw ConfigurationError(
          "a list of 1 to \(portCountMaximum) ports belongs here, as "
            + "[{san: back, address: 192.0.2.1:3260}]", at: node)
      }
      var ports: [Port] = []
      for element in nodes { ports.append(try decodePort(element, after: ports, fabric)) }
      return ports
    case (nil, let node?): return [Port(address: try decodeAddress(node))]
    case (nil, nil):
      throw ConfigurationError(
        "\(mapping.name) has no address; add address: 192.0.2.1:3260, or ports:",
        at: mapping.node)
    case (_, let node?):
      throw ConfigurationError("ports and address are both here; keep ports", at: node)
    }
  }

  private static func decodePort(
    _ node: Node, after others: [Port], _ fabric: FabricPlan
  ) throws(ConfigurationError) -> Port {
    var mapping = try ConfigurationMapping(node, "a port of a device")
    let san = try mapping.take("san").map { node throws(ConfigurationError) in
      try SAN.decode(node)
    }
    let addressNode = try mapping.require("address", "address: 192.0.2.1:3260")
    let address = try decodeAddress(addressNode)
    let wwnNode = mapping.take("wwn")
    let wwn = try wwnNode.map { node throws(ConfigurationError) in
      try WorldWideName.decode(node, taken: fabric.ports)
    }
    try mapping.finish()
    guard !others.contains(where: { $0.address == address && $0.san == san }) else {
      throw ConfigurationError("\(address) stands here twice; keep one", at: addressNode)
    }
    if let wwn, let wwnNode, others.contains(where: { $0.worldWideName == wwn }) {
      throw ConfigurationError(
        "another port of the device has this world wide name; give each its own", at: wwnNode)
    }
    return Port(san: san, address: address, worldWideName: wwn)
  }

  private static func decodeAddress(_ node: Node) throws(ConfigurationError) -> PortalAddress {
    let wanted = "an address or a host name, such as 192.0.2.1:3260,"
    guard let address = PortalAddress(try node.text(wanted)), address.portalGroupTag == nil else {
      throw ConfigurationError("\(wanted) belongs here", at: node)
    }
    return address
  }
}

extension InitiatorCHAP {
  /// The other end of what a configuration says of a target.
  static func of(
    _ authentication: Authentication, at node: Node
  ) throws(ConfigurationError) -> InitiatorCHAP? {
    guard case .chap(let chap) = authentication else { return nil }
    do throws(CHAPPolicyError) {
      return try InitiatorCHAP(
        own: credential(chap.initiator),
        target: chap.target.map { account throws(CHAPPolicyError) in try credential(account) },
        allowsLegacyAlgorithms: chap.allowsLegacy)
    } catch {
      throw ConfigurationError(error.description, at: node)
    }
  }

  private static func credential(
    _ account: ChallengeHandshake.Account
  ) throws(CHAPPolicyError) -> CHAPCredential {
    try CHAPCredential(user: account.user, secret: CHAPSecret(account.secret.bytes))
  }
}
