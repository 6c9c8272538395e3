extension FabricPlan {
  /// Adds a group.
  public mutating func createGroup(_ group: PortGroup) throws(GroupRefusal) {
    guard self.group(named: group.name) == nil else { throw .exists(group.name) }
    guard groups.count < Self.groupCountMaximum else { throw .tooMany }
    try check(group)
    groups.append(group)
  }

  /// Gives the group of the same name other ports.
  public mutating func editGroup(_ group: PortGroup) throws(GroupRefusal) {
    guard let index = groups.firstIndex(where: { $0.name == group.name }) else {
      throw .unknown(group.name)
    }
    try check(group)
    groups[index] = group
  }

  /// Removes a group; its ports are in none then.
  public mutating func deleteGroup(_ name: String) throws(GroupRefusal) {
    guard let index = groups.firstIndex(where: { $0.name == name }) else { throw .unknown(name) }
    groups.remove(at: index)
  }

  /// The group of a name.
  public func group(named name: String) -> PortGroup? { groups.first { $0.name == name } }

  private func check(_ group: PortGroup) throws(GroupRefusal) {
    var seen: Set<PortName> = []
    for name in group.ports {
      guard port(name) != nil else { throw .unknownPort(name) }
      guard seen.insert(name).inserted else { throw .twice(name) }
      if let other = groups.first(where: { $0.name != group.name && $0.ports.contains(name) }) {
        throw .inAnotherGroup(name, other.name)
      }
    }
    for side in [Designation.target, .initiator]
    where !group.ports.contains(where: { port($0)?.designation == side }) {
      throw .missing(side, group.name)
    }
  }
}

/// Why groups stay as they are.
public enum GroupRefusal: Error, Equatable, Sendable {
  /// There is one of this name.
  case exists(String)
  /// There is none of this name.
  case unknown(String)
  /// There are as many as there may be.
  case tooMany
  /// There is no such port.
  case unknownPort(PortName)
  /// It names a port more than once.
  case twice(PortName)
  /// A port is in one group at most, and this one is in the group named.
  case inAnotherGroup(PortName, String)
  /// The group would have no port of this designation.
  case missing(Designation, String)
}

extension GroupRefusal: CustomStringConvertible {
  /// The cause and the way out, in one line.
  public var description: String {
    switch self {
    case .exists(let name): "there is a group \(name); edit that one, or choose another name"
    case .unknown(let name): "there is no group \(name); create it first"
    case .tooMany: "there are \(FabricPlan.groupCountMaximum) groups; delete one first"
    case .unknownPort(let port): "there is no port \(port); name one of the configuration"
    case .twice(let port): "\(port) stands in the group twice; keep one"
    case .inAnotherGroup(let port, let group):
      "\(port) is in group \(group), and a port is in one group at most; take it out there first"
    case .missing(let side, let name):
      "group \(name) has no \(side.rawValue) port; a group needs at least one target port and one "
        + "initiator port"
    }
  }
}
