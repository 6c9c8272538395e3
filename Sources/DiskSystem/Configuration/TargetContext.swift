import Uring
import Yams

/// What the targets of a configuration refer to.
struct TargetContext {
  let portals: [SocketAddress]
  let groups: InitiatorGroups
  let unitNames: Set<String>
  let secrets: (String) -> SecretFile
  /// Whether a secret stood in the configuration itself.
  private(set) var hasMetSecrets = false
  /// Secrets that initiators prove, and those that targets prove, with their places.
  private var initiatorSecrets: [[UInt8]: Node] = [:]
  private var targetSecrets: [[UInt8]: Node] = [:]

  init(
    portals: [SocketAddress], groups: InitiatorGroups, unitNames: Set<String>,
    secrets: @escaping (String) -> SecretFile
  ) {
    self.portals = portals
    self.groups = groups
    self.unitNames = unitNames
    self.secrets = secrets
  }

  mutating func decodeTargets(_ node: Node) throws(ConfigurationError) -> [TargetConfiguration] {
    guard let nodes = node.sequence else {
      throw ConfigurationError("a list of targets belongs here; begin each with - name:", at: node)
    }
    guard (1...Configuration.targetCountMaximum).contains(nodes.count) else {
      throw ConfigurationError(
        "1 to \(Configuration.targetCountMaximum) targets belong here", at: node)
    }
    var targets: [TargetConfiguration] = []
    var names: Set<String> = []
    for element in nodes {
      let (target, nameNode) = try decodeTarget(element)
      guard names.insert(target.name).inserted else {
        throw ConfigurationError(
          "\(target.name) stands here twice; give each target its own name", at: nameNode)
      }
      targets.append(target)
    }
    return targets
  }

  private mutating func decodeTarget(
    _ node: Node
  ) throws(ConfigurationError) -> (TargetConfiguration, Node) {
    var mapping = try ConfigurationMapping(node, "a target")
    let nameNode = try mapping.require("name", "name: iqn.2026-01.org.example:disks")
    let text = try nameNode.text("the iSCSI name of the target")
    guard let name = ISCSINames.normalise(text) else {
      throw ConfigurationError(ISCSINames.complaint(about: text), at: nameNode)
    }
    let alias = try mapping.take("alias").map { node throws(ConfigurationError) in
      try decodeAlias(node)
    }
    let rules = try mapping.take("access").map { node throws(ConfigurationError) in
      try decodeRules(node)
    }
    try mapping.finish()
    return (TargetConfiguration(name: name, alias: alias, access: rules ?? []), nameNode)
  }

  private func decodeAlias(_ node: Node) throws(ConfigurationError) -> String {
    let alias = try node.text("a name for people")
    // RFC 7143 13.12.
    guard alias.utf8.count <= 255, alias.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw ConfigurationError("an alias has at most 255 bytes of text on one line", at: node)
    }
    return alias
  }

  // MARK: Rules

  private mutating func decodeRules(_ node: Node) throws(ConfigurationError) -> [AccessRule] {
    guard let nodes = node.sequence else {
      throw ConfigurationError(
        "a list of rules belongs here; begin each with - initiators:", at: node)
    }
    var rules: [AccessRule] = []
    for element in nodes {
      let rule = try decodeRule(element)
      guard !isHidden(rule, behind: rules) else {
        throw ConfigurationError(
          "rules before this one hold for the same initiators, so it is never used; "
            + "move it before them, or remove it", at: element)
      }
      rules.append(rule)
    }
    return rules
  }

  /// Whether for everybody `rule` is about, an earlier rule counts at every portal.
  private func isHidden(_ rule: AccessRule, behind earlier: [AccessRule]) -> Bool {
    let tags = rule.portals ?? Set((1...portals.count).map { UInt16($0) })
    return tags.allSatisfy { tag in
      let before = earlier.filter { $0.portals?.contains(tag) != false }
      if before.contains(where: { $0.initiators == .any }) { return true }
      guard case .named(let names) = rule.initiators else { return false }
      return names.allSatisfy { name in before.contains { $0.initiators.contains(name) } }
    }
  }

  private mutating func decodeRule(_ node: Node) throws(ConfigurationError) -> AccessRule {
    var mapping = try ConfigurationMapping(node, "a rule")
    let initiators = try groups.decode(
      mapping.require("initiators", "initiators: any, or a list of iSCSI names and groups"))
    let tags = try mapping.take("portals").map { node throws(ConfigurationError) in
      try decodePortals(node)
    }
    let authentication = try decodeAuthentication(
      mapping.require("authentication", "authentication: none, or chap: with user and secret"))
    let units = try decodeUnits(
      mapping.require("units", "units: with logical unit numbers and names, as {0: disk}"))
    try mapping.finish()
    return AccessRule(
      initiators: initiators, portals: tags, authentication: authentication, units: units)
  }

  private func decodePortals(_ node: Node) throws(ConfigurationError) -> Set<UInt16> {
    let wanted = "an address from the list of portals"
    var tags: Set<UInt16> = []
    for element in try node.elements(wanted) {
      let portal = SocketAddress(portal: try element.text(wanted))
      guard let portal, let index = portals.firstIndex(of: portal) else {
        throw ConfigurationError(
          "\(wanted) belongs here: one of "
            + portals.map(\.description).joined(separator: ", "), at: element)
      }
      tags.insert(UInt16(index + 1))
    }
    guard !tags.isEmpty else { throw ConfigurationError("\(wanted) belongs here", at: node) }
    return tags
  }

  private func decodeUnits(_ node: Node) throws(ConfigurationError) -> [UInt16: String] {
    let mapping = try ConfigurationMapping(node, "units of a rule")
    var units: [UInt16: String] = [:]
    for (key, keyNode, value) in mapping.entries {
      guard key.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt16(key),
        number < AccessRule.logicalUnitNumberLimit
      else {
        throw ConfigurationError(
          "a logical unit number from 0 to \(AccessRule.logicalUnitNumberLimit - 1) belongs here, "
            + "as in {0: disk}", at: keyNode)
      }
      let name = try value.text("the name of a unit")
      guard unitNames.contains(name) else {
        throw ConfigurationError(
          "there is no unit \(name.quoted); the units are "
            + unitNames.sorted().prefix(16).joined(separator: ", "), at: value)
      }
      guard units.updateValue(name, forKey: number) == nil else {
        throw ConfigurationError("number \(number) stands here twice; keep one", at: keyNode)
      }
    }
    guard !units.isEmpty else {
      throw ConfigurationError("at least one unit belongs here, as {0: disk}", at: node)
    }
    return units
  }

  // MARK: Authentication

  private mutating func decodeAuthentication(
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
