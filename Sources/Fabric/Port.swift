public import ISCSIProtocol
public import Uring

/// What a port is for.
public enum Designation: String, Sendable {
  /// Initiators log in to it.
  case target
  /// It logs in to devices.
  case initiator
}

/// A port of the disk system, as it was configured.
public struct Port: Sendable, Equatable {
  /// `CH A(CL1)`.
  public var name: PortName
  /// What it is for.
  public var designation: Designation
  /// Where a target port listens; where an initiator port's connections come from, with port 0; nil:
  /// any address.
  public var address: SocketAddress?
  /// The SAN it is attached to; nil: the one without a name.
  public var san: String?
  /// N_Port_Name: what a target descriptor of type E0h calls a target port.
  public var worldWideName: UInt64?
  /// What an initiator port logs in as; nil: the name of the disk system.
  public var initiatorName: ISCSIName?
  /// RELATIVE PORT IDENTIFIER, 1 or more, of its own among all ports. SPC-4 7.8.6.6.
  public var relativeIdentifier: UInt16

  /// A port with everything said.
  public init(
    name: PortName, designation: Designation, address: SocketAddress? = nil, san: String? = nil,
    worldWideName: UInt64? = nil, initiatorName: ISCSIName? = nil, relativeIdentifier: UInt16
  ) {
    self.name = name
    self.designation = designation
    self.address = address
    self.san = san
    self.worldWideName = worldWideName
    self.initiatorName = initiatorName
    self.relativeIdentifier = relativeIdentifier
  }
}

/// Target ports and initiator ports that may serve each other.
public struct PortGroup: Sendable, Equatable {
  /// What the administrator calls it.
  public var name: String
  /// Its ports; one target port and one initiator port at least.
  public var ports: [PortName]

  /// A group of these ports.
  public init(name: String, ports: [PortName]) {
    self.name = name
    self.ports = ports
  }
}

/// How initiator ports are chosen for a command that came through a target port.
public enum PortSelection: String, Sendable {
  /// Those of the target port's group.
  case manual
  /// All of them, one after another.
  case automatic
}
