/// One end of the negotiation of operational parameters. RFC 7143 6.2, 13.
///
/// A key is settled once: by the answer of the responder, which follows from the offer and from what
/// it wants itself. An offer without an answer leaves the default.
public struct ParameterNegotiation: Sendable {
  /// Which end this is.
  public enum Role: Sendable {
    /// The initiator.
    case initiator
    /// The target.
    case target
  }

  /// What is settled so far; the defaults elsewhere.
  public private(set) var parameters = SessionParameters()
  /// What the peer calls itself, where it does.
  public private(set) var peerAlias: String?

  private let role: Role
  private let policy: NegotiationPolicy
  private let isDiscovery: Bool
  private var offered: Set<ParameterKey> = []
  private var settled: Set<ParameterKey> = []
  /// What the peer has declared, to know a repetition by.
  private var declared: [ParameterKey: String] = [:]
  private var hasDeclared = false

  /// An end that wants `policy`.
  public init(role: Role, policy: NegotiationPolicy, sessionType: SessionType) {
    self.role = role
    self.policy = policy
    isDiscovery = sessionType == .discovery
  }

  /// Whether an answer is due to one of our offers.
  public var awaitsAnswers: Bool { !offered.isEmpty }

  /// What an initiator offers at the beginning of the operational stage.
  public mutating func offers() -> TextKeys {
    var keys = TextKeys()
    func list(_ kinds: [DigestKind]) -> String { kinds.map(\.rawValue).joined(separator: ",") }
    declare(&keys)
    for key in ParameterKey.allCases
    where !settled.contains(key) && !(isDiscovery && key.isOfNormalSessionsOnly) {
      switch key.rule {
      case .list where key == .headerDigest: keys.append(key.rawValue, list(policy.headerDigests))
      case .list where key == .dataDigest: keys.append(key.rawValue, list(policy.dataDigests))
      case .and, .or: keys.append(key.rawValue, TextValue.text(policy.wanted[boolean: key]))
      // Level 1 is what there is without the key, and old targets do not know it.
      case .minimum where key == .protocolLevel && policy.wanted.protocolLevel == 1: continue
      case .minimum, .maximum: keys.append(key.rawValue, "\(policy.wanted[number: key])")
      default: continue
      }
      offered.insert(key)
    }
    return keys
  }

  /// Declares what only our end knows, once.
  public mutating func declare(_ keys: inout TextKeys) {
    guard !hasDeclared else { return }
    hasDeclared = true
    let key = ParameterKey.maxRecvDataSegmentLength
    keys.append(key.rawValue, "\(policy.wanted.maxRecvDataSegmentLength)")
    parameters.maxRecvDataSegmentLength = policy.wanted.maxRecvDataSegmentLength
  }

  /// Takes the text of the peer and returns the answers that are due.
  public mutating func receive(_ keys: TextKeys, in stage: LoginStage) throws(NegotiationError)
    -> TextKeys
  {
    var answers = TextKeys()
    // The first burst is bounded by the longest one, in whatever order they come.
    let burst = keys.pairs.filter { $0.key == ParameterKey.maxBurstLength.rawValue }
    for pair in burst { try receive(pair, in: stage, &answers) }
    for pair in keys.pairs where pair.key != ParameterKey.maxBurstLength.rawValue {
      try receive(pair, in: stage, &answers)
    }
    if !settled.contains(.firstBurstLength) {
      parameters.firstBurstLength = min(parameters.firstBurstLength, parameters.maxBurstLength)
    }
    guard parameters.firstBurstLength <= parameters.maxBurstLength else {
      throw .firstBurstOverMaxBurst
    }
    return answers
  }

  private mutating func receive(
    _ pair: TextKeys.Pair, in stage: LoginStage, _ answers: inout TextKeys
  ) throws(NegotiationError) {
    guard let key = ParameterKey(rawValue: pair.key) else {
      // An answer to an answer would go on for ever.
      if pair.value != TextValue.notUnderstood {
        answers.append(pair.key, TextValue.notUnderstood)
      }
      return
    }
    guard key.rule != .security else { return }
    guard stage != .securityNegotiation || key.isOfSecurityStage else {
      throw .misplaced(pair.key)
    }
    if role == .target, key.rule == .declared, declared[key] == pair.value {
      // Some initiators declare who they are in both stages, in the same words.
      return
    }
    guard settled.insert(key).inserted else { throw .repeated(pair.key) }
    if key.rule == .declared { declared[key] = pair.value }
    if key.rule == .declared {
      try receive(declared: key, pair.value)
    } else if offered.remove(key) != nil {
      try receive(answer: key, pair.value)
    } else {
      answers.append(pair.key, answer(to: key, pair.value))
    }
  }

  private mutating func receive(
    declared key: ParameterKey, _ value: String
  ) throws(NegotiationError) {
    switch key {
    case .maxRecvDataSegmentLength:
      guard let number = TextValue.number(value), (512...16_777_215).contains(number) else {
        throw .badValue(key.rawValue)
      }
      parameters.peerMaxRecvDataSegmentLength = UInt32(number)
    case .initiatorName, .targetName, .sessionType:
      guard role == .target else { throw .misplaced(key.rawValue) }
    case .initiatorAlias:
      guard role == .target else { throw .misplaced(key.rawValue) }
      peerAlias = value
    case .targetAlias:
      guard role == .initiator else { throw .misplaced(key.rawValue) }
      peerAlias = value
    case .targetAddress, .targetPortalGroupTag:
      guard role == .initiator else { throw .misplaced(key.rawValue) }
    default: throw .misplaced(key.rawValue)
    }
  }

  /// Takes the answer to our offer: it must be one that the rule allows.
  private mutating func receive(
    answer key: ParameterKey, _ value: String
  ) throws(NegotiationError) {
    if value == TextValue.irrelevant || value == TextValue.notUnderstood { return }
    guard value != TextValue.reject else { throw .rejected(key.rawValue) }
    let fault = NegotiationError.badValue(key.rawValue)
    switch key.rule {
    case .list:
      let offers = key == .headerDigest ? policy.headerDigests : policy.dataDigests
      guard let kind = DigestKind(rawValue: value), offers.contains(kind) else { throw fault }
      set(key, kind)
    case .and, .or:
      guard let answer = TextValue.boolean(value) else { throw fault }
      let ours = policy.wanted[boolean: key]
      // What the rule leaves open is the peer's choice: Yes for “and”, No for “or”.
      guard key.rule == .and ? ours || !answer : !ours || answer else { throw fault }
      parameters[boolean: key] = answer
    case .minimum(let range), .maximum(let range):
      guard let number = TextValue.number(value).flatMap(UInt32.init(exactly:)),
        range.contains(number)
      else { throw fault }
      let ours = policy.wanted[number: key]
      if case .minimum = key.rule {
        guard number <= ours else { throw fault }
      } else {
        guard number >= ours else { throw fault }
      }
      parameters[number: key] = number
    default: throw fault
    }
  }

  /// The answer to an offer of the peer; settles it.
  private mutating func answer(to key: ParameterKey, _ value: String) -> String {
    if isDiscovery && key.isOfNormalSessionsOnly { return TextValue.irrelevant }
    switch key.rule {
    case .list where key == .taskReporting:
      // RFC 7143 13.23: the tasks of other sessions are fenced by responses only.
      return TextValue.list(value).contains("RFC3720") ? "RFC3720" : TextValue.reject
    case .list:
      let supported = key == .headerDigest ? policy.headerDigests : policy.dataDigests
      let offers = TextValue.list(value).compactMap(DigestKind.init(rawValue:))
      guard let kind = offers.first(where: supported.contains) else { return TextValue.reject }
      set(key, kind)
      return kind.rawValue
    case .and, .or:
      guard let theirs = TextValue.boolean(value) else { return TextValue.reject }
      let ours = policy.wanted[boolean: key]
      parameters[boolean: key] = key.rule == .and ? ours && theirs : ours || theirs
      return TextValue.text(parameters[boolean: key])
    case .minimum(let range), .maximum(let range):
      guard let number = TextValue.number(value).flatMap(UInt32.init(exactly:)),
        range.contains(number)
      else { return TextValue.reject }
      let ours = policy.wanted[number: key]
      var result = max(number, ours)
      if case .minimum = key.rule { result = min(number, ours) }
      if key == .firstBurstLength { result = min(result, parameters.maxBurstLength) }
      parameters[number: key] = result
      return "\(result)"
    case .obsolete(let word): return word
    case .declared, .security: preconditionFailure("\(key.rawValue) is not answered here")
    }
  }

  private mutating func set(_ key: ParameterKey, _ kind: DigestKind) {
    if key == .headerDigest {
      parameters.headerDigest = kind
    } else {
      parameters.dataDigest = kind
    }
  }
}
