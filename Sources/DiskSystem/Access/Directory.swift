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

  private func refuse(
    _ identity: LoginIdentity, _ peer: SocketAddress, _ reason: String
  ) -> TargetAdmission {
    log(
      DiskSystem.Event(
        kind: .event,
        text: "login refused: \(identity.initiatorName) from \(peer): \(reason)"))
    return .refuse(.notFound)
  }
}
