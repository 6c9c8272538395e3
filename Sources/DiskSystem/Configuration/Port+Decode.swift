import Fabric
import ISCSIProtocol
import Uring
import Yams

extension Port {
  static func decodeAll(_ node: Node) throws(ConfigurationError) -> [Port] {
    let mapping = try ConfigurationMapping(node, "ports")
    guard (1...FabricPlan.portCountMaximum).contains(mapping.entries.count) else {
      throw ConfigurationError(
        "1 to \(FabricPlan.portCountMaximum) ports belong here", at: node)
    }
    var ports: [Port] = []
    for (key, keyNode, value) in mapping.entries {
      guard let name = Fabric.PortName(key) else {
        throw ConfigurationError(
          "\(key.quoted) cannot name a port; write one such as CH A(CL1): a channel of one or two "
            + "capital letters, and a controller from 1 to \(Fabric.PortName.controllerMaximum)",
          at: keyNode)
      }
      ports.append(
        try decode(name, value, after: ports, relativeIdentifier: UInt16(ports.count + 1)))
    }
    let targets = ports.count { $0.designation == .target }
    guard (1...Configuration.portalCountMaximum).contains(targets) else {
      throw ConfigurationError(
        "1 to \(Configuration.portalCountMaximum) target ports belong here; write designation: "
          + "target at a port that servers log in to", at: node)
    }
    return ports
  }

  private static func decode(
    _ name: Fabric.PortName, _ node: Node, after others: [Port], relativeIdentifier: UInt16
  ) throws(ConfigurationError) -> Port {
    var mapping = try ConfigurationMapping(node, "port \(name)")
    let role = try mapping.require("designation", "designation: target, or initiator")
    guard let designation = Designation(rawValue: role.scalar?.string ?? "") else {
      throw ConfigurationError("target or initiator belongs here", at: role)
    }
    let addressNode =
      switch designation {
      case .target: try mapping.require("address", "address: 127.0.0.1:3260")
      case .initiator: mapping.take("address")
      }
    let address = try addressNode.map { node throws(ConfigurationError) in
      try decodeAddress(node, designation)
    }
    let san = try mapping.take("san").map { node throws(ConfigurationError) in
      try SAN.decode(node)
    }
    let wwn = try mapping.take("wwn").map { node throws(ConfigurationError) in
      try WorldWideName.decode(node, taken: others)
    }
    let nameNode = mapping.take("name")
    if designation == .target, let nameNode {
      throw ConfigurationError(
        "a target port has the names of the targets; leave name out", at: nameNode)
    }
    let initiatorName = try nameNode.map { node throws(ConfigurationError) in
      try ISCSIName.decode(node, "the iSCSI name of an initiator port")
    }
    try mapping.finish()
    // Several target ports may each take a free one.
    if designation == .target, let address, let addressNode, address.port != 0,
      let other = others.first(where: { $0.designation == .target && $0.address == address })
    {
      throw ConfigurationError(
        "\(address) is the address of \(other.name) too; give each its own", at: addressNode)
    }
    return Port(
      name: name, designation: designation, address: address, san: san, worldWideName: wwn,
      initiatorName: initiatorName, relativeIdentifier: relativeIdentifier)
  }

  private static func decodeAddress(
    _ node: Node, _ designation: Designation
  ) throws(ConfigurationError) -> SocketAddress {
    switch designation {
    case .target:
      let wanted = "an address such as 127.0.0.1:3260 or [::1]:3260"
      guard let address = SocketAddress(portal: try node.text(wanted)) else {
        throw ConfigurationError("\(wanted) belongs here", at: node)
      }
      return address
    case .initiator:
      let wanted = "an address of this machine without a port, such as 127.0.0.1 or [::1]"
      guard let address = SocketAddress(portal: try node.text(wanted) + ":0") else {
        throw ConfigurationError("\(wanted) belongs here", at: node)
      }
      return address
    }
  }
}

/// What ports are attached to.
enum SAN {
  static func decode(_ node: Node) throws(ConfigurationError) -> String {
    let text = try node.text("the name of a SAN")
    guard UnitConfiguration.isName(text) else {
      throw ConfigurationError(
        "a SAN is called by 1 to 64 letters, digits, '-', '_' or '.'", at: node)
    }
    return text
  }
}

/// N_Port_Names as a configuration writes them.
enum WorldWideName {
  static func parse(_ text: String) -> UInt64? {
    let digits = text.filter { $0 != ":" }
    guard digits.utf8.count == 16, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }),
      let number = UInt64(digits, radix: 16), number != 0
    else { return nil }
    return number
  }

  static func decode(_ node: Node, taken: [Port]) throws(ConfigurationError) -> UInt64 {
    let wanted = "a world wide name of 16 hexadecimal digits"
    guard let number = parse(try node.text(wanted)) else {
      throw ConfigurationError("\(wanted) belongs here", at: node)
    }
    if let other = taken.first(where: { $0.worldWideName == number }) {
      throw ConfigurationError(
        "\(other.name) has this world wide name too; give each its own", at: node)
    }
    return number
  }

  static func decodeAliases(
    _ node: Node?, of targets: [String]
  ) throws(ConfigurationError) -> [UInt64: ISCSIName] {
    guard let node else { return [:] }
    let mapping = try ConfigurationMapping(node, "aliases")
    var aliases: [UInt64: ISCSIName] = [:]
    for (key, keyNode, value) in mapping.entries {
      guard let number = parse(key) else {
        throw ConfigurationError(
          "a world wide name of 16 hexadecimal digits belongs here", at: keyNode)
      }
      let name = try ISCSIName.decode(value, "the iSCSI name of a target")
      guard targets.contains(name.description) else {
        throw ConfigurationError(
          "\(name) is neither a target of this disk system nor that of a device", at: value)
      }
      guard aliases.updateValue(name, forKey: number) == nil else {
        throw ConfigurationError("this world wide name stands here twice; keep one", at: keyNode)
      }
    }
    return aliases
  }
}

extension ISCSIName {
  static func decode(_ node: Node, _ wanted: String) throws(ConfigurationError) -> ISCSIName {
    let text = try node.text(wanted)
    guard let name = try? ISCSIName(text) else {
      throw ConfigurationError(ISCSINames.complaint(about: text), at: node)
    }
    return name
  }
}
