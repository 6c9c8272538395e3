public import ISCSIProtocol
public import Uring

/// What a session of an initiator port is made of.
public struct InitiatorOptions: Sendable {
  /// Who we are.
  public var initiatorName: ISCSIName
  /// ISID: which of our ports. The same one logs in again after a loss (RFC 7143 6.3.5).
  public var isid: InitiatorSessionID
  /// Whom to log in to; nil for a discovery session.
  public var targetName: ISCSIName?
  /// Where it listens.
  public var portal: PortalAddress
  /// The local address that connections leave from; its port is not used. Nil: any.
  public var source: SocketAddress?
  /// How both ends prove who they are; nil where nobody asks.
  public var authentication: InitiatorCHAP?
  /// What we want of the session.
  public var negotiation: NegotiationPolicy
  /// From the first packet to the full feature phase, redirections included.
  public var loginTimeoutSeconds: UInt64 = 15
  /// Logins to try after a loss.
  public var reconnectAttempts = 8
  /// Time for them.
  public var reconnectSeconds: UInt64 = 30
  /// Silence after which the target is asked whether it is there, and time it has to answer.
  public var keepAliveSeconds: UInt64 = 15
  /// Receives a line for what an operator should know: losses and their mending.
  public var log: (@Sendable (String) -> Void)?

  /// Portals that a target may send on to before it is taken for a loop.
  public static let mostRedirections = 4
  /// An answer to a logout, and to an abortion, is awaited so long.
  static let endingSeconds: UInt64 = 5

  /// Sessions of one port need ISIDs of their own: without one it is random.
  public init(
    initiatorName: ISCSIName, targetName: ISCSIName?, portal: PortalAddress,
    isid: InitiatorSessionID? = nil
  ) {
    self.initiatorName = initiatorName
    self.targetName = targetName
    self.portal = portal
    var random = SystemRandomNumberGenerator()
    self.isid =
      isid
      ?? InitiatorSessionID(
        random: UInt32.random(in: 0...0xFF_FFFF, using: &random),
        qualifier: UInt16.random(in: 0...UInt16.max, using: &random))
    negotiation = NegotiationPolicy()
    // A list of targets is received in pieces of the field that logins use.
    if targetName == nil {
      negotiation.wanted.maxRecvDataSegmentLength = UInt32(InitiatorExchange.fieldByteCount)
    }
  }

  /// What to call the target in messages.
  var label: String {
    let place = PortalAddress(host: portal.host, port: portal.port).map { "\($0)" } ?? portal.host
    return targetName.map { "\($0) at \(place)" } ?? place
  }
}
