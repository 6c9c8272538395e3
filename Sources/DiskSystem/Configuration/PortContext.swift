import Fabric
import ISCSIProtocol
import Uring
import Yams

/// The ports of a configuration, and what else in it refers to them.
struct PortContext {
  /// Without devices and aliases, which come later.
  var fabric: FabricPlan
  /// Where the target ports listen, in their order.
  let portals: [SocketAddress]
  private let targetNames: [Fabric.PortName]

  init(
    _ document: inout ConfigurationMapping, listen: [SocketAddress]?
  ) throws(ConfigurationError) {
    let short = document.take("portals")
    let long = document.take("ports")
    var ports: [Port]
    switch (short, long) {
    case (_?, let node?):
      throw ConfigurationError("portals and ports are both here; keep ports", at: node)
    case (nil, let node?):
      ports = try Port.decodeAll(node)
      try Self.replaceAddresses(of: &ports, by: listen, node)
    case (let node, nil):
      let listed = try node.map { node throws(ConfigurationError) in
        try Self.decodePortals(node)
      }
      guard let addresses = listen ?? listed else {
        throw ConfigurationError(
          "the configuration has no portals; add portals: [127.0.0.1:3260], or ports:",
          at: document.node)
      }
      ports = Self.targetPorts(at: addresses)
    }
    let targets = ports.filter { $0.designation == .target }
    targetNames = targets.map(\.name)
    portals = targets.compactMap(\.address)
    let groups = try PortGroup.decodeAll(document.take("groups"), ports)
    let selection = try PortSelection.decode(document.take("selection"))
    let name = try document.take("initiator-name").map { node throws(ConfigurationError) in
      try ISCSIName.decode(node, "the iSCSI name of initiator ports")
    }
    fabric = FabricPlan(
      ports: ports, groups: groups, selection: selection, initiatorName: name)
  }

  /// The tag of the portal that an address or the name of a target port stands for.
  func portalGroupTag(_ node: Node, _ wanted: String) throws(ConfigurationError) -> UInt16? {
    let text = try node.text(wanted)
    if let name = Fabric.PortName(text) {
      if let index = targetNames.firstIndex(of: name) { return UInt16(index + 1) }
      throw ConfigurationError(
        fabric.port(name) == nil
          ? "there is no port \(name); the target ports are \(listOfTargetPorts)"
          : "\(name) is an initiator port; nobody logs in there: name a target port", at: node)
    }
    guard let portal = SocketAddress(portal: text), let index = portals.firstIndex(of: portal)
    else {
      throw ConfigurationError(
        "\(wanted) belongs here: one of "
          + portals.map(\.description).joined(separator: ", ") + " or \(listOfTargetPorts)",
        at: node)
    }
    return UInt16(index + 1)
  }

  private var listOfTargetPorts: String {
    targetNames.prefix(16).map(\.description).joined(separator: ", ")
  }

  // MARK: The short form

  private static func targetPorts(at addresses: [SocketAddress]) -> [Port] {
    addresses.enumerated().compactMap { index, address in
      Fabric.PortName.channel(at: index).flatMap { Fabric.PortName(channel: $0, controller: 1) }.map
      { name in
        Port(
          name: name, designation: .target, address: address,
          relativeIdentifier: UInt16(index + 1))
      }
    }
  }

  private static func decodePortals(_ node: Node) throws(ConfigurationError) -> [SocketAddress] {
    let wanted = "an address such as 127.0.0.1:3260 or [::1]:3260"
    var portals: [SocketAddress] = []
    for element in try node.elements(wanted) {
      guard let portal = SocketAddress(portal: try element.text(wanted)) else {
        throw ConfigurationError("\(wanted) belongs here", at: element)
      }
      // Several portals may each take a free port.
      guard portal.port == 0 || !portals.contains(portal) else {
        throw ConfigurationError("\(portal) stands here twice; keep one", at: element)
      }
      portals.append(portal)
    }
    guard (1...Configuration.portalCountMaximum).contains(portals.count) else {
      throw ConfigurationError(
        "1 to \(Configuration.portalCountMaximum) portals belong here", at: node)
    }
    return portals
  }

  private static func replaceAddresses(
    of ports: inout [Port], by addresses: [SocketAddress]?, _ node: Node
  ) throws(ConfigurationError) {
    guard let addresses else { return }
    let targets = ports.indices.filter { ports[$0].designation == .target }
    guard targets.count == addresses.count else {
      throw ConfigurationError(
        "--listen stands for the address of each target port, and there are \(targets.count); "
          + "give it as often", at: node)
    }
    for (index, address) in zip(targets, addresses) { ports[index].address = address }
  }
}
