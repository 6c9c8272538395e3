import ISCSIProtocol
import SAM
import Uring

/// Who may log in where, and what is behind it: the rules of a configuration, ready to be asked.
///
/// Unknown targets and forbidden ones are answered alike, so that nobody learns names by trying.
///
/// Used on the ring's thread.
final class AccessTable {
  private let targets: [TargetConfiguration]
  /// Addresses that are listened on, as they were bound; portal group tags count from 1.
  var portals: [SocketAddress] = []
  /// RELATIVE TARGET PORT IDENTIFIERs of each target, in the order of the portals.
  private let portIdentifiers: [[UInt16]]
  /// What each rule that needs CHAP checks, by target and place in its list.
  private var handshakes: [RulePlace: TargetCHAP] = [:]

  private struct RulePlace: Hashable {
    var target: Int
    var rule: Int
  }

  /// The rules of `configuration`, before any portal is bound, with the identifier of each target at
  /// each of its portals.
  init(_ configuration: Configuration, portIdentifiers: [[UInt16]]) {
    precondition(
      portIdentifiers.count == configuration.targets.count
        && portIdentifiers.allSatisfy { $0.count == configuration.portals.count },
      "every target has an identifier at every portal")
    targets = configuration.targets
    self.portIdentifiers = portIdentifiers
    for (target, configuration) in targets.enumerated() {
      for (rule, access) in configuration.access.enumerated() {
        guard case .chap(let chap) = access.authentication else { continue }
        handshakes[RulePlace(target: target, rule: rule)] = Self.handshake(
          [chap.initiator], chap.target, chap.allowsLegacy)
      }
    }
  }

  // MARK: Login

  /// What becomes of somebody who wants to log in.
  enum Admission {
    /// To a target, at a port with this portal group tag and relative identifier.
    case admit(AuthenticationPolicy, TargetPort, alias: String?)
    /// To ask what there is.
    case discover(AuthenticationPolicy)
    /// Not at all, for a reason that only the operator is told.
    case refuse(String)
  }

  /// What becomes of a login through a portal.
  func admission(of identity: LoginIdentity, portalGroupTag tag: UInt16) -> Admission {
    let initiator = identity.initiatorName.description
    guard let name = identity.targetName?.description else {
      return .discover(discoveryPolicy(initiator))
    }
    guard let target = targets.firstIndex(where: { $0.name == name }) else {
      return .refuse("there is no target \(name)")
    }
    guard let place = rulePlace(target, initiator, tag) else {
      return .refuse("no rule of \(name) lets it in at portal \(tag)")
    }
    let policy = handshakes[place].map { AuthenticationPolicy.chap($0) } ?? .none
    return .admit(
      policy,
      TargetPort(
        name: name, portalGroupTag: tag, relativeIdentifier: portIdentifiers[target][Int(tag) - 1]),
      alias: targets[target].alias)
  }

  /// Relative identifiers of all ports of the targets that show a unit to anybody.
  func portIdentifiers(showing unit: String) -> [UInt16] {
    targets.indices.filter { target in
      targets[target].access.contains { $0.units.values.contains(unit) }
    }.flatMap { portIdentifiers[$0] }
  }

  /// The tag of the portal at which a connection arrived, by the address of this end of it.
  func portalGroupTag(of local: SocketAddress) -> UInt16? {
    let index =
      portals.firstIndex(of: local)
      ?? portals.firstIndex {
        $0.isUnspecified && $0.port == local.port && $0.isIPv6 == local.isIPv6
      }
    return index.map { UInt16($0 + 1) }
  }

  /// The rule that counts for an initiator at a target and a portal.
  func rule(initiator: String, target name: String, portalGroupTag tag: UInt16) -> AccessRule? {
    guard let target = targets.firstIndex(where: { $0.name == name }),
      let place = rulePlace(target, initiator, tag)
    else { return nil }
    return targets[target].access[place.rule]
  }

  private func rulePlace(_ target: Int, _ initiator: String, _ tag: UInt16) -> RulePlace? {
    targets[target].access.firstIndex { $0.covers(initiator, portalGroupTag: tag) }
      .map { RulePlace(target: target, rule: $0) }
  }

  // MARK: Discovery

  /// Targets that an initiator may log in to, with the portals through which it may.
  ///
  /// - Parameter local: where the question arrived: it stands for portals that are every address of
  ///   this machine, and its port.
  func targets(
    for initiator: String, local: SocketAddress
  ) -> [DiscoveredTarget] {
    targets.indices.compactMap { target in
      let addresses = portals.indices.compactMap { index -> PortalAddress? in
        let tag = UInt16(index + 1)
        guard rulePlace(target, initiator, tag) != nil else { return nil }
        let portal = portals[index]
        // An initiator that came over one family of addresses has no use for "any" of the other.
        if portal.isUnspecified, portal.isIPv6 != local.isIPv6 { return nil }
        return PortalAddress(
          host: portal.isUnspecified ? local.host : portal.host, port: portal.port,
          portalGroupTag: tag)
      }
      guard !addresses.isEmpty, let name = try? ISCSIName(targets[target].name) else { return nil }
      return DiscoveredTarget(name: name, addresses: addresses)
    }
  }

  /// Who may ask nothing but targets that want CHAP proves itself to one of them; else names would
  /// be shown to whoever claims to be somebody.
  private func discoveryPolicy(_ initiator: String) -> AuthenticationPolicy {
    var accounts: [ChallengeHandshake.Account] = []
    var own: ChallengeHandshake.Account?
    var allowsLegacy = false
    for target in targets.indices {
      for index in portals.indices {
        guard let place = rulePlace(target, initiator, UInt16(index + 1)) else { continue }
        guard case .chap(let chap) = targets[target].access[place.rule].authentication else {
          return .none
        }
        accounts.append(chap.initiator)
        own = own ?? chap.target
        allowsLegacy = allowsLegacy || chap.allowsLegacy
      }
    }
    return accounts.isEmpty ? .none : .chap(Self.handshake(accounts, own, allowsLegacy))
  }

  private static func handshake(
    _ accepted: [ChallengeHandshake.Account], _ own: ChallengeHandshake.Account?,
    _ allowsLegacy: Bool
  ) -> TargetCHAP {
    do throws(CHAPPolicyError) {
      var credentials: [CHAPCredential] = []
      for account in accepted { credentials.append(try credential(account)) }
      var proof: CHAPCredential?
      if let own { proof = try credential(own) }
      return try TargetCHAP(
        accepted: credentials, own: proof, allowsLegacyAlgorithms: allowsLegacy)
    } catch {
      preconditionFailure("a configuration has only secrets that CHAP takes: \(error)")
    }
  }

  private static func credential(
    _ account: ChallengeHandshake.Account
  ) throws(CHAPPolicyError) -> CHAPCredential {
    try CHAPCredential(user: account.user, secret: CHAPSecret(account.secret.bytes))
  }
}

extension SocketAddress {
  /// Whether it is every address of this machine.
  var isUnspecified: Bool { address.allSatisfy { $0 == 0 } }
}
