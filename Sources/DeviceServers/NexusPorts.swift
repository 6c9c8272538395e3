public import SAM

/// An I_T nexus as persistent reservations know it: by its ports, so that a new session between the same
/// ports is the same one. SPC-4 5.13.1.
public struct NexusPorts: Hashable, Sendable {
  /// The SCSI initiator port.
  public let initiatorPort: InitiatorPort
  /// RELATIVE TARGET PORT IDENTIFIER.
  public let targetPortIdentifier: UInt16

  /// The two ports.
  public init(initiatorPort: InitiatorPort, targetPortIdentifier: UInt16) {
    self.initiatorPort = initiatorPort
    self.targetPortIdentifier = targetPortIdentifier
  }

  /// The ports of a nexus that exists.
  public init(_ nexus: Nexus) {
    self.init(
      initiatorPort: nexus.initiatorPort,
      targetPortIdentifier: nexus.targetPort.relativeIdentifier)
  }
}
