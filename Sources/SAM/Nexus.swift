/// A SCSI initiator port as the transport names it. SAM-5 4.5.9, RFC 7143 4.4.1.
public struct InitiatorPort: Hashable, Sendable {
  /// The initiator's iSCSI name, normalised.
  public let name: String
  /// ISID: the six bytes that tell the initiator's ports apart, right-justified.
  public let isid: UInt64

  /// A port of the initiator `name`.
  public init(name: String, isid: UInt64) {
    self.name = name
    self.isid = isid & 0xFFFF_FFFF_FFFF
  }

  /// `name,i,0x` and the ISID in twelve digits: the SCSI port name.
  public var portName: String {
    let digits = String(isid, radix: 16)
    return "\(name),i,0x\(String(repeating: "0", count: 12 - digits.count))\(digits)"
  }
}

/// A SCSI target port as the transport names it. SAM-5 4.5.9, RFC 7143 4.4.1.
public struct TargetPort: Hashable, Sendable {
  /// The target's iSCSI name, normalised.
  public let name: String
  /// Target portal group tag.
  public let portalGroupTag: UInt16
  /// RELATIVE TARGET PORT IDENTIFIER, 1 or more (SPC-4 7.8.6.6).
  public let relativeIdentifier: UInt16

  /// A port of the target `name`.
  public init(name: String, portalGroupTag: UInt16, relativeIdentifier: UInt16) {
    self.name = name
    self.portalGroupTag = portalGroupTag
    self.relativeIdentifier = relativeIdentifier
  }

  /// `name,t,0x` and the tag in four digits: the SCSI port name.
  public var portName: String {
    let digits = String(portalGroupTag, radix: 16)
    return "\(name),t,0x\(String(repeating: "0", count: 4 - digits.count))\(digits)"
  }
}

/// An I_T nexus: one initiator port logged in to one target port (SAM-5 4.7).
///
/// A new session makes a new nexus object, even between the same ports. Persistent reservations go by
/// the ports, unit attentions and task sets by the object.
public final class Nexus {
  /// Who logged in.
  public let initiatorPort: InitiatorPort
  /// Where it logged in.
  public let targetPort: TargetPort

  /// A nexus that the transport has made.
  public init(initiatorPort: InitiatorPort, targetPort: TargetPort) {
    self.initiatorPort = initiatorPort
    self.targetPort = targetPort
  }
}
