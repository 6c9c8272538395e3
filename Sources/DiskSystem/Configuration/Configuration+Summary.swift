extension Configuration {
  /// What it means, a line for each portal, unit and rule.
  public var summary: [String] {
    portals.enumerated().map { "portal \($0.offset + 1): \($0.element)" }
      + units.map(\.summary) + targets.flatMap(\.summary)
  }
}

extension UnitConfiguration {
  fileprivate var summary: String {
    var words: [String] = []
    switch place {
    case .file(let path): words.append("file \(path)")
    case .device(let path): words.append("device \(path)")
    }
    if let byteCount { words.append(ByteCountText.format(byteCount)) }
    words.append("blocks of \(blockLength) bytes")
    if isThin { words.append("thin") }
    if isReadOnly { words.append("read-only") }
    if isRemovable { words.append("removable") }
    return "unit \(name): " + words.joined(separator: ", ")
  }
}

extension TargetConfiguration {
  fileprivate var summary: [String] {
    access.isEmpty
      ? ["target \(name): nobody may log in"] : access.map { "target \(name): \($0.summary)" }
  }
}

extension AccessRule {
  fileprivate var summary: String {
    var who =
      switch initiators {
      case .any: "any initiator"
      case .named(let names): names.sorted().joined(separator: ", ")
      }
    if let portals {
      who += " through portal " + portals.sorted().map(String.init).joined(separator: ", ")
    }
    let how =
      switch authentication {
      case .none: "no authentication"
      case .chap(let chap):
        (chap.target == nil ? "CHAP" : "mutual CHAP") + (chap.allowsLegacy ? " with MD5" : "")
      }
    let what = units.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return "\(who); \(how); units " + what.joined(separator: ", ")
  }
}
