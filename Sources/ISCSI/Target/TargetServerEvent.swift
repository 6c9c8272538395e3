public import ISCSIProtocol
public import Uring

/// What happened to a connection, for those who keep a log.
public enum TargetServerEvent: Sendable {
  /// A session: who has it, and where.
  public struct Session: Sendable {
    /// The initiator.
    public let initiatorName: ISCSIName
    /// The target; nil for discovery.
    public let targetName: ISCSIName?
    /// Where the initiator is; nil where the socket did not tell.
    public let peer: SocketAddress?
    /// Who it proved to be; nil without CHAP.
    public let user: String?
  }

  /// A session began.
  case began(Session)
  /// A session ended, by a logout or because its connection broke or was ended.
  case ended(Session, byLogout: Bool)
  /// A login was refused; the initiator's name where it came as far as that. Text in the reason is as
  /// the peer sent it.
  case refused(initiatorName: ISCSIName?, peer: SocketAddress, LoginRefusal)
}
