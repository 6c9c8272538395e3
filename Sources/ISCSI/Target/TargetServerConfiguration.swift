public import ISCSIProtocol

/// How a target server behaves.
public struct TargetServerConfiguration: Sendable {
  /// What to negotiate.
  public var policy = NegotiationPolicy()
  /// Most connections in all: each has its block of the arena and two operations of the ring.
  public var mostConnections = 256
  /// Most connections that are not logged in: strangers, who may be slow on purpose.
  public var mostLogins = 64
  /// Seconds that a whole login may take.
  public var loginSeconds = 15
  /// Seconds of silence after which a session is asked whether it is there.
  public var silenceSeconds = 15
  /// Seconds that it has to say anything then.
  public var answerSeconds = 15
  /// Seconds that initiators have to log out when the server stops.
  public var drainSeconds = 5

  /// The default one.
  public init() {}
}
