public import ISCSIProtocol

/// Ports, groups and devices as they are configured at one time.
public struct FabricPlan: Sendable, Equatable {
  /// All ports of the disk system.
  public var ports: [Port]
  /// Groups; a port is in one of them at most.
  public var groups: [PortGroup]
  /// Which initiator ports may serve a target port.
  public var selection: PortSelection
  /// Devices of other systems.
  public var devices: [FabricDevice]
  /// What initiator ports without a name of their own log in as; nil: nothing was said.
  public var initiatorName: ISCSIName?
  /// Targets by the N_Port_Name that a target descriptor of type E0h calls them.
  public var aliases: [UInt64: ISCSIName]

  /// Ports of one disk system at most.
  public static let portCountMaximum = 256
  /// Groups of one disk system at most: each has two ports of its own.
  public static let groupCountMaximum = portCountMaximum / 2
  /// Devices of one disk system at most.
  public static let deviceCountMaximum = 1024

  /// A plan with everything said.
  public init(
    ports: [Port] = [], groups: [PortGroup] = [], selection: PortSelection = .manual,
    devices: [FabricDevice] = [], initiatorName: ISCSIName? = nil,
    aliases: [UInt64: ISCSIName] = [:]
  ) {
    self.ports = ports
    self.groups = groups
    self.selection = selection
    self.devices = devices
    self.initiatorName = initiatorName
    self.aliases = aliases
  }

  /// The port of a name.
  public func port(_ name: PortName) -> Port? { ports.first { $0.name == name } }

  /// The group that a port is in.
  public func group(of name: PortName) -> PortGroup? { groups.first { $0.ports.contains(name) } }

  /// The initiator ports that may be searched for a command that came through target port `name`, in
  /// the order in which they are: that of the configuration.
  public func initiatorPorts(
    servingTargetPort name: PortName
  ) throws(PortRefusal) -> [Port] {
    let all = ports.filter { $0.designation == .initiator }
    let permitted: [Port]
    switch selection {
    case .automatic: permitted = all
    case .manual:
      guard let group = group(of: name) else { throw .ungrouped(name) }
      permitted = all.filter { group.ports.contains($0.name) }
    }
    if permitted.isEmpty { throw .noInitiatorPort(name) }
    return permitted
  }
}

/// Why no initiator port may serve a target port.
public enum PortRefusal: Error, Equatable, Sendable {
  /// Ports are selected by groups, and it is in none.
  case ungrouped(PortName)
  /// There is no initiator port that could.
  case noInitiatorPort(PortName)
}

extension PortRefusal: CustomStringConvertible {
  /// The cause and the way out, in one line.
  public var description: String {
    switch self {
    case .ungrouped(let port):
      "\(port) is in no group; put it into one with an initiator port, or select ports automatically"
    case .noInitiatorPort(let port):
      "no initiator port may serve \(port); make a port of its group an initiator port"
    }
  }
}
