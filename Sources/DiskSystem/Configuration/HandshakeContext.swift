import Yams

/// How both ends prove who they are, with all secrets of one side so far.
struct HandshakeContext {
  private let secrets: (String) -> SecretFile
  /// Whether a secret stood in the configuration itself.
  private(set) var hasMetSecrets = false
  /// Secrets that initiators prove, and those that targets prove, with their places.
  private var initiatorSecrets: [[UInt8]: Node] = [:]
  private var targetSecrets: [[UInt8]: Node] = [:]

  init(secrets: @escaping (String) -> SecretFile) { self.secrets = secrets }

  mutating func decodeAuthentication(
    _ node: Node
  ) throws(ConfigurationError) -> Authentication {
    if node.scalar?.string == "none" { return .none }
    guard node.mapping != nil else {
      throw ConfigurationError("none, or chap: with user and secret, belongs here", at: node)
    }
    var mapping = try ConfigurationMapping(node, "authentication")
    let chap = try mapping.require("chap", "chap: {user: …, secret-file: …}")
    try mapping.finish()
    return .chap(try decodeHandshake(chap))
  }

  private mutating func decodeHandshake(
    _ node: Node
  ) throws(ConfigurationError) -> ChallengeHandshake {
    var mapping = try ConfigurationMapping(node, "chap")
    let (initiator, place) = try decodeAccount(&mapping)
    var target: ChallengeHandshake.Account?
    initiatorSecrets[initiator.secret.bytes] = place
    if let node = mapping.take("mutual") {
      var mutual = try ConfigurationMapping(node, "mutual")
      let (account, place) = try decodeAccount(&mutual)
      try mutual.finish()
      targetSecrets[account.secret.bytes] = place
      target = account
    }
    let allowsLegacy = try mapping.take("allow-legacy")?.flag() ?? false
    try mapping.finish()
    // Whoever may prove one of them could play the other end. RFC 7143 9.2.1.
    for (secret, place) in targetSecrets where initiatorSecrets[secret] != nil {
      throw ConfigurationError(
        "the target proves itself with a secret of an initiator; give it one of its own",
        at: place)
    }
    return ChallengeHandshake(initiator: initiator, target: target, allowsLegacy: allowsLegacy)
  }

  private mutating func decodeAccount(
    _ mapping: inout ConfigurationMapping
  ) throws(ConfigurationError) -> (ChallengeHandshake.Account, Node) {
    let userNode = try mapping.require("user", "user: NAME")
    let user = try userNode.text("a user name")
    guard user.utf8.count <= 255, user.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else {
      throw ConfigurationError(
        "a user name has at most 255 printable ASCII characters", at: userNode)
    }
    let secretNode = mapping.take("secret")
    let fileNode = mapping.take("secret-file")
    let bytes: [UInt8]
    let place: Node
    switch (secretNode, fileNode) {
    case (let node?, nil):
      bytes = Array(try node.text("a secret").utf8)
      hasMetSecrets = true
      place = node
    case (nil, let node?):
      place = node
      switch secrets(try node.text("the path of a file with a secret")) {
      case .bytes(let given): bytes = given.last == 0x0A ? given.dropLast() : given
      case .refused(let reason): throw ConfigurationError(reason, at: node)
      }
    case (nil, nil):
      throw ConfigurationError(
        "\(mapping.name) has no secret; add secret-file: PATH, or secret: TEXT", at: mapping.node)
    case (_, let node?):
      throw ConfigurationError("secret and secret-file are both here; keep one", at: node)
    }
    guard let secret = Secret(bytes) else {
      throw ConfigurationError(
        "a secret has \(Secret.byteCountMinimum) to \(Secret.byteCountMaximum) bytes, this one has "
          + "\(bytes.count); make one with: openssl rand -hex 16", at: place)
    }
    return (ChallengeHandshake.Account(user: user, secret: secret), place)
  }
}
