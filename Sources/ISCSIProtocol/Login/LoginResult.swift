/// What a login ended with.
public struct LoginResult: Equatable, Sendable {
  /// Who the initiator is.
  public let initiatorName: ISCSIName
  /// Which target; nil in a discovery session.
  public let targetName: ISCSIName?
  /// Normal or discovery.
  public let sessionType: SessionType
  /// ISID of the initiator port.
  public let isid: InitiatorSessionID
  /// TSIH: what the initiator asked for at a target, what the target gave at an initiator.
  public let tsih: UInt16
  /// CID of the connection.
  public let connectionID: UInt16
  /// What was negotiated.
  public let parameters: SessionParameters
  /// The user who was authenticated by CHAP; nil without.
  public let user: String?
  /// The alias of the peer.
  public let peerAlias: String?
  /// The tag of the portal group, where the target told it.
  public let portalGroupTag: UInt16?
  /// CmdSN of the first command in the full feature phase.
  public let cmdSN: SerialNumber
  /// StatSN of the first response in the full feature phase.
  public let statSN: SerialNumber
}

/// Bounds of a login.
public enum LoginLimits {
  /// Most requests of one login. The longest useful one has six: method, algorithm, response,
  /// parameters and two more to end the stages; the rest is for text in pieces.
  public static let requestCount = 24
}
