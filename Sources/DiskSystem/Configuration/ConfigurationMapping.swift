import Yams

/// A mapping whose keys are all known: what was not taken is an error.
struct ConfigurationMapping {
  let node: Node
  /// What the mapping describes, as messages call it.
  let name: String
  private var values: [String: Node] = [:]
  private var keys: [(name: String, node: Node)] = []
  private var known: [String] = []

  init(_ node: Node, _ name: String) throws(ConfigurationError) {
    self.node = node
    self.name = name
    guard let mapping = node.mapping else {
      throw ConfigurationError("\(name) has keys with values; write key: value", at: node)
    }
    for (key, value) in mapping {
      guard let text = key.scalar?.string else {
        throw ConfigurationError("a key is one word; write key: value", at: key)
      }
      // The parser tells apart what resolves differently, as 0 and "0".
      guard values[text] == nil else {
        throw ConfigurationError("\(text.quoted) stands here twice; keep one", at: key)
      }
      values[text] = value
      keys.append((text, key))
    }
  }

  /// The keys with their places, in the order of the file, for mappings whose keys are names.
  var entries: [(key: String, keyNode: Node, value: Node)] {
    keys.compactMap { key in values[key.name].map { (key.name, key.node, $0) } }
  }

  mutating func take(_ key: String) -> Node? {
    known.append(key)
    return values.removeValue(forKey: key)
  }

  mutating func require(_ key: String, _ example: String) throws(ConfigurationError) -> Node {
    guard let value = take(key) else {
      throw ConfigurationError("\(name) has no \(key); add \(example)", at: node)
    }
    return value
  }

  /// Refuses the first key that was not taken.
  func finish() throws(ConfigurationError) {
    guard let key = keys.first(where: { values[$0.name] != nil }) else { return }
    throw ConfigurationError(
      "\(key.name.quoted) is not known in \(name); write one of "
        + known.joined(separator: ", "), at: key.node)
  }
}

extension Node {
  /// Its text, which `wanted` describes.
  func text(_ wanted: String) throws(ConfigurationError) -> String {
    guard let text = scalar?.string, !text.isEmpty else {
      throw ConfigurationError("\(wanted) belongs here", at: self)
    }
    return text
  }

  /// Its elements; a sequence of one may be written as the element.
  func elements(_ wanted: String) throws(ConfigurationError) -> [Node] {
    if let sequence { return Array(sequence) }
    _ = try text("\(wanted), or a list of them,")
    return [self]
  }

  /// `true` or `false`.
  func flag() throws(ConfigurationError) -> Bool {
    switch scalar?.string {
    case "true": return true
    case "false": return false
    default: throw ConfigurationError("true or false belongs here", at: self)
    }
  }

  /// A number of bytes.
  func byteCount() throws(ConfigurationError) -> UInt64 {
    guard let text = scalar?.string, let count = ByteCountText.parse(text) else {
      throw ConfigurationError("a size such as 512 MiB belongs here", at: self)
    }
    return count
  }
}

/// A number of bytes as people write it: `4096`, `512 MiB`, `64K` (powers of 1024), `1 GB` (of 1000).
enum ByteCountText {
  static func parse(_ text: String) -> UInt64? {
    let digits = text.prefix { "0"..."9" ~= $0 && $0.isASCII }
    var unit = text.dropFirst(digits.count)
    if unit.first == " " { unit = unit.dropFirst() }
    guard let number = UInt64(digits), let factor = factor(unit) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }

  private static func factor(_ unit: Substring) -> UInt64? {
    if unit.isEmpty || unit == "B" { return 1 }
    guard let power = ["K", "M", "G", "T", "P"].firstIndex(of: unit.first?.uppercased()) else {
      return nil
    }
    let base: UInt64
    switch unit.dropFirst() {
    case "", "iB": base = 1024
    case "B": base = 1000
    default: return nil
    }
    return (0...power).reduce(1) { product, _ in product * base }
  }

  /// As an administrator would have written it.
  static func format(_ count: UInt64) -> String {
    for (shift, name) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
    where count > 0 && count % (1 << UInt64(shift)) == 0 {
      return "\(count >> UInt64(shift)) \(name)"
    }
    return "\(count)"
  }
}

extension String {
  /// In quotes and on one line, cut where it is long: what a stranger wrote goes into messages so.
  var quoted: String {
    let shown = unicodeScalars.prefix(64).map { scalar in
      scalar.properties.generalCategory == .control ? "?" : String(scalar)
    }
    return "'" + shown.joined() + (unicodeScalars.count > 64 ? "…" : "") + "'"
  }
}
