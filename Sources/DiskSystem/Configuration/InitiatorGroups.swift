import Yams

/// The named groups of initiators of a configuration.
struct InitiatorGroups {
  private var groups: [String: Set<String>] = [:]

  init(_ node: Node?) throws(ConfigurationError) {
    guard let node else { return }
    let mapping = try ConfigurationMapping(node, "initiators")
    for (name, keyNode, value) in mapping.entries {
      guard name != "any", ISCSINames.normalise(name) == nil else {
        throw ConfigurationError(
          "a group is not called any and not like an initiator; give it another name", at: keyNode)
      }
      var members: Set<String> = []
      for element in try value.elements("the iSCSI name of an initiator") {
        let text = try element.text("the iSCSI name of an initiator")
        guard let member = ISCSINames.normalise(text) else {
          throw ConfigurationError(ISCSINames.complaint(about: text), at: element)
        }
        guard members.insert(member).inserted else {
          throw ConfigurationError("\(member) stands here twice; keep one", at: element)
        }
      }
      guard members.count <= AccessRule.initiatorCountMaximum else {
        throw ConfigurationError(
          "a group has at most \(AccessRule.initiatorCountMaximum) initiators; make two", at: value)
      }
      groups[name] = members
    }
  }

  /// `any`, names and groups as a rule lists them.
  func decode(_ node: Node) throws(ConfigurationError) -> AccessRule.Initiators {
    let wanted = "any, the iSCSI name of an initiator or a group"
    if node.scalar?.string == "any" { return .any }
    var names: Set<String> = []
    for element in try node.elements(wanted) {
      let text = try element.text(wanted)
      if text == "any" {
        throw ConfigurationError("any stands alone; write initiators: any", at: element)
      }
      if let group = groups[text] {
        names.formUnion(group)
      } else if let name = ISCSINames.normalise(text) {
        names.insert(name)
      } else if groups.isEmpty {
        throw ConfigurationError(ISCSINames.complaint(about: text), at: element)
      } else {
        throw ConfigurationError(
          "\(text.quoted) is neither an iSCSI name nor a group; the groups are "
            + groups.keys.sorted().joined(separator: ", "), at: element)
      }
    }
    guard (1...AccessRule.initiatorCountMaximum).contains(names.count) else {
      throw ConfigurationError(
        "1 to \(AccessRule.initiatorCountMaximum) initiators belong here; "
          + "a target that nobody may use needs no rule", at: node)
    }
    return .named(names)
  }
}
