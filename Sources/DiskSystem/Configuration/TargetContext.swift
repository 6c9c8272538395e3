import Yams

/// What the targets of a configuration refer to.
struct TargetContext {
  let ports: PortContext
  let groups: InitiatorGroups
  let unitNames: Set<String>
  /// Reads how initiators prove who they are.
  private(set) var handshakes: HandshakeContext

  init(
    ports: PortContext, groups: InitiatorGroups, unitNames: Set<String>,
    secrets: @escaping (String) -> SecretFile
  ) {
    self.ports = ports
    self.groups = groups
    self.unitNames = unitNames
    handshakes = HandshakeContext(secrets: secrets)
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
    let tags = rule.portals ?? Set((1...ports.portals.count).map { UInt16($0) })
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
    let authentication = try handshakes.decodeAuthentication(
      mapping.require("authentication", "authentication: none, or chap: with user and secret"))
    let units = try decodeUnits(
      mapping.require("units", "units: with logical unit numbers and names, as {0: disk}"))
    try mapping.finish()
    return AccessRule(
      initiators: initiators, portals: tags, authentication: authentication, units: units)
  }

  private func decodePortals(_ node: Node) throws(ConfigurationError) -> Set<UInt16> {
    let wanted = "an address from the list of portals, or the name of a target port,"
    var tags: Set<UInt16> = []
    for element in try node.elements(wanted) {
      guard let tag = try ports.portalGroupTag(element, wanted) else { continue }
      tags.insert(tag)
    }
    guard node.sequence?.isEmpty != true else {
      throw ConfigurationError("\(wanted) belongs here", at: node)
    }
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
}
