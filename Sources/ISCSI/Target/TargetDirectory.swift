public import ISCSIProtocol
public import SAM
public import Uring

/// What becomes of an initiator that wants to log in.
public enum TargetAdmission {
  /// It may log in to this port once it has authenticated itself; its commands go to the router.
  case admit(AuthenticationPolicy, port: TargetPort, router: TaskRouter, alias: String?)
  /// It may ask what targets there are, once it has authenticated itself.
  case discover(AuthenticationPolicy)
  /// It may not. Unknown and forbidden targets are best told alike.
  case refuse(LoginStatus)
  /// Its target is elsewhere.
  case redirect(PortalAddress, isPermanent: Bool)
}

/// What a target server asks whoever knows the targets. Used on the ring's thread.
open class TargetDirectory {
  /// For subclasses.
  public init() {}

  /// Decides about an initiator before it has authenticated itself.
  ///
  /// - Parameters:
  ///   - identity: who wants to log in where; a target's name is nil only for discovery.
  ///   - portal: the address of this end of the connection.
  ///   - peer: the address of the other end.
  open func admission(
    of identity: LoginIdentity, at portal: SocketAddress, from peer: SocketAddress
  ) async -> TargetAdmission {
    preconditionFailure("a directory admits initiators")
  }

  /// The targets that an initiator which has authenticated itself may log in to, with their portals:
  /// nothing else is shown to it. At most `SendTargets.maximumTargetCount`.
  open func visibleTargets(
    for initiatorName: ISCSIName, at portal: SocketAddress
  ) async -> [DiscoveredTarget] {
    preconditionFailure("a directory shows targets")
  }

  /// Told what happens to connections; does nothing here.
  open func report(_ event: TargetServerEvent) {}
}
