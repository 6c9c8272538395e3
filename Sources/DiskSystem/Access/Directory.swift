import ISCSI
import ISCSIProtocol
import SAM
import Uring

/// Tells the target server who may log in, as the rules of the configuration say.
final class Directory: TargetDirectory {
  private let table: AccessTable
  private let router: TaskRouter
  private let log: @Sendable (DiskSystem.Event) -> Void

  /// Logins to targets go to `router`.
  init(
    _ table: AccessTable, router: TaskRouter, log: @escaping @Sendable (DiskSystem.Event) -> Void
  ) {
    self.table = table
    self.router = router
    self.log = log
    super.init()
  }

  override func admission(
    of identity: LoginIdentity, at portal: SocketAddress, from peer: SocketAddress
  ) async -> TargetAdmission {
    guard let tag = table.portalGroupTag(of: portal) else {
      return refuse(identity, peer, "\(portal) is none of the portals")
    }
    switch table.admission(of: identity, portalGroupTag: tag) {
    case .admit(let policy, let port, let alias):
      return .admit(policy, port: port, router: router, alias: alias)
    case .discover(let policy): return .discover(policy)
    case .refuse(let reason): return refuse(identity, peer, reason)
    }
  }

  override func visibleTargets(
    for initiatorName: ISCSIName, at portal: SocketAddress
  ) async -> [DiscoveredTarget] {
    table.targets(for: initiatorName.description, local: portal)
  }

  override func report(_ event: TargetServerEvent) {
    switch event {
    case .began(let session): tell("login: \(words(session))")
    case .ended(let session, true): tell("logout: \(words(session))")
    case .ended(let session, false): tell("session ended without a logout: \(words(session))")
    case .refused(let initiator, let peer, let refusal):
      let who = initiator.map { "\($0) from \(peer)" } ?? "\(peer)"
      tell("login refused: \(who): \(Self.words(refusal))")
    }
  }

  private func tell(_ text: String) { log(DiskSystem.Event(kind: .event, text: text)) }

  private func words(_ session: TargetServerEvent.Session) -> String {
    let place = session.peer.map { " from \($0)" } ?? ""
    let user = session.user.map { " as \($0.quoted)" } ?? ""
    let target = session.targetName.map { " to \($0)" } ?? " for discovery"
    return "\(session.initiatorName)\(place)\(user)\(target)"
  }

  private static func words(_ refusal: LoginRefusal) -> String {
    switch refusal {
    case .notALogin: "what it sends is no login"
    case .noAuthentication:
      "it offers no CHAP with an algorithm that is accepted; allow-legacy: true accepts MD5 and SHA-1"
    case .wrongResponse(let user): "wrong user or secret: \(user.quoted)"
    case .noMutualSecret: "it asks the target to prove itself, and its rule has no mutual"
    case .reflectedChallenge: "it sent the challenge of the target back"
    default: "it breaks the rules of the login: \("\(refusal)".quoted)"
    }
  }

  private func refuse(
    _ identity: LoginIdentity, _ peer: SocketAddress, _ reason: String
  ) -> TargetAdmission {
    tell("login refused: \(identity.initiatorName) from \(peer): \(reason)")
    return .refuse(.notFound)
  }
}
