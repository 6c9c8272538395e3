public import ISCSIProtocol

/// A device that initiator ports may reach: a logical unit of another system.
public struct FabricDevice: Sendable, Equatable {
  /// One way to it. A copy goes to the port that its descriptor names, and to no other of the device.
  public struct Port: Sendable, Equatable {
    /// The SAN it is attached to; nil: the one without a name.
    public var san: String?
    /// Where the target listens.
    public var address: PortalAddress
    /// N_Port_Name: what a target descriptor of type E0h calls it.
    public var worldWideName: UInt64?

    /// A way with everything said.
    public init(san: String? = nil, address: PortalAddress, worldWideName: UInt64? = nil) {
      self.san = san
      self.address = address
      self.worldWideName = worldWideName
    }
  }

  /// Ways to one device at most.
  public static let portCountMaximum = 64
  /// Its LUN is below this: two bytes in the flat space addressing method. SAM-5 4.7.
  public static let logicalUnitLimit: UInt16 = 16384

  /// What the administrator calls it.
  public var name: String
  /// The target it is behind.
  public var targetName: ISCSIName
  /// Its LUN there, below 16384.
  public var logicalUnit: UInt16
  /// The ways to it, in the order in which they are tried.
  public var ports: [Port]
  /// How both ends prove who they are; nil where nobody asks.
  public var authentication: InitiatorCHAP?

  /// A device with everything said.
  public init(
    name: String, targetName: ISCSIName, logicalUnit: UInt16, ports: [Port],
    authentication: InitiatorCHAP? = nil
  ) {
    self.name = name
    self.targetName = targetName
    self.logicalUnit = logicalUnit
    self.ports = ports
    self.authentication = authentication
  }
}
