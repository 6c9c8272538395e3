import Fabric
import Yams

extension PortGroup {
  static func decodeAll(_ node: Node?, _ ports: [Port]) throws(ConfigurationError) -> [PortGroup] {
    guard let node else { return [] }
    let mapping = try ConfigurationMapping(node, "groups")
    guard mapping.entries.count <= FabricPlan.groupCountMaximum else {
      throw ConfigurationError(
        "at most \(FabricPlan.groupCountMaximum) groups belong here", at: node)
    }
    var plan = FabricPlan(ports: ports)
    for (name, keyNode, value) in mapping.entries {
      guard UnitConfiguration.isName(name) else {
        throw ConfigurationError(
          "\(name.quoted) cannot name a group; write 1 to 64 letters, digits, '-', '_' or '.', "
            + "beginning with a letter or a digit", at: keyNode)
      }
      var members: [Fabric.PortName] = []
      for element in try value.elements("the name of a port, as CH A(CL1),") {
        let text = try element.text("the name of a port, as CH A(CL1),")
        guard let member = Fabric.PortName(text), plan.port(member) != nil else {
          throw ConfigurationError(
            "there is no port \(text.quoted); the ports are "
              + ports.prefix(16).map(\.name.description).joined(separator: ", "), at: element)
        }
        guard !members.contains(member) else {
          throw ConfigurationError("\(member) stands here twice; keep one", at: element)
        }
        if let other = plan.group(of: member) {
          throw ConfigurationError(
            "\(member) is in group \(other.name) too; a port is in one group at most", at: element)
        }
        members.append(member)
      }
      do throws(GroupRefusal) {
        try plan.createGroup(PortGroup(name: name, ports: members))
      } catch {
        throw ConfigurationError(error.description, at: value)
      }
    }
    return plan.groups
  }
}

extension PortSelection {
  /// Where nothing is said, no port may serve one that it was not grouped with.
  static func decode(_ node: Node?) throws(ConfigurationError) -> PortSelection {
    guard let node else { return .manual }
    guard let selection = PortSelection(rawValue: node.scalar?.string ?? "") else {
      throw ConfigurationError("manual or automatic belongs here", at: node)
    }
    return selection
  }
}
