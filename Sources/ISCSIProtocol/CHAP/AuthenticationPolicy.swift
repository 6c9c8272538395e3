/// What a target asks of an initiator before it lets it in.
public enum AuthenticationPolicy: Sendable {
  /// Nothing.
  case none
  /// CHAP.
  case chap(TargetCHAP)
}

/// How a target authenticates initiators.
public struct TargetCHAP: Sendable {
  /// Who may log in.
  public let accepted: [CHAPCredential]
  /// Who the target is, for initiators that ask it in turn.
  public let own: CHAPCredential?
  /// Algorithms in the order of preference.
  public let algorithms: [CHAPAlgorithm]

  /// Refused: a secret that serves both directions.
  public init(
    accepted: [CHAPCredential], own: CHAPCredential? = nil, allowsLegacyAlgorithms: Bool = false
  ) throws(CHAPPolicyError) {
    if let own, accepted.contains(where: { $0.secret == own.secret }) {
      throw .sameSecretBothWays
    }
    self.accepted = accepted
    self.own = own
    algorithms = CHAPAlgorithm.preferred(allowsLegacyAlgorithms: allowsLegacyAlgorithms)
  }

  /// Whether `response` is that of `user`. An unknown user costs the same digest and comparison.
  func accepts(
    user: String, response: [UInt8], to challenge: CHAPChallenge, by algorithm: CHAPAlgorithm
  ) -> Bool {
    let known = accepted.first { isEqualInConstantTime(Array($0.user.utf8), Array(user.utf8)) }
    guard let secret = known?.secret ?? Self.nobody,
      let expected = algorithm.response(
        identifier: challenge.identifier, secret: secret, challenge: challenge.bytes)
    else { return false }
    let isEqual = isEqualInConstantTime(expected, response)
    return isEqual && known != nil
  }

  private static let nobody = try? CHAPSecret([UInt8](repeating: 0, count: 16))
}

/// How an initiator authenticates itself, and the target where it wants to.
public struct InitiatorCHAP: Equatable, Sendable {
  /// Who the initiator is.
  public let own: CHAPCredential
  /// Who the target must be; nil for one-way CHAP.
  public let target: CHAPCredential?
  /// Algorithms in the order of preference.
  public let algorithms: [CHAPAlgorithm]

  /// Refused: a secret that serves both directions.
  public init(
    own: CHAPCredential, target: CHAPCredential? = nil, allowsLegacyAlgorithms: Bool = false
  ) throws(CHAPPolicyError) {
    if let target, target.secret == own.secret { throw .sameSecretBothWays }
    self.own = own
    self.target = target
    algorithms = CHAPAlgorithm.preferred(allowsLegacyAlgorithms: allowsLegacyAlgorithms)
  }

  private init(_ chap: InitiatorCHAP, algorithms: [CHAPAlgorithm]) {
    own = chap.own
    target = chap.target
    self.algorithms = algorithms
  }

  /// The same without the modern algorithms: some targets take the number of SHA-256 for that of
  /// SHA-1. Nil where that leaves nothing, or what there was.
  public var legacyOnly: InitiatorCHAP? {
    let legacy = algorithms.filter { !CHAPAlgorithm.modern.contains($0) }
    guard !legacy.isEmpty, legacy.count < algorithms.count else { return nil }
    return InitiatorCHAP(self, algorithms: legacy)
  }
}
