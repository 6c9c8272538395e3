import Yams

/// The text of a configuration on its way to nodes, under limits.
enum ConfigurationText {
  /// The root of the document in `bytes`.
  ///
  /// The parser itself stops at 1000 levels. Aliases could make a short text endlessly large, and are
  /// of little use here, so they are refused before it sees them.
  static func compose(_ bytes: [UInt8]) throws(ConfigurationError) -> Node {
    guard bytes.count <= Configuration.byteCountMaximum else {
      throw ConfigurationError(
        "the file is longer than 1 MiB; name groups of initiators instead of repeating them")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError("the file is not UTF-8 text; convert it with iconv")
    }
    try refuseAliases(bytes)
    do {
      guard let node = try Yams.compose(yaml: text, .basic) else {
        throw ConfigurationError("the file is empty; begin with examples/lab.yaml")
      }
      return node
    } catch let error as ConfigurationError {
      throw error
    } catch let error as YamlError {
      throw ConfigurationError(error)
    } catch {
      throw ConfigurationError("this is not YAML: \(error)")
    }
  }

  /// Finds every `*` that could begin an alias, also in comments and quoted text: telling those apart
  /// for sure takes the parser.
  private static func refuseAliases(_ bytes: [UInt8]) throws(ConfigurationError) {
    let before = Set(" \t\r\n[{,:?-".utf8)
    let behind = Set(" \t\r\n*".utf8)
    var (line, column) = (1, 1)
    var previous = UInt8(ascii: "\n")
    for (index, byte) in bytes.enumerated() {
      if byte == UInt8(ascii: "*"), before.contains(previous), index + 1 < bytes.count,
        !behind.contains(bytes[index + 1])
      {
        throw ConfigurationError(
          "*… refers to text elsewhere, which is not done here; write that text out, "
            + "or put no blank before the * where it is only a star", line: line, column: column)
      }
      if byte == UInt8(ascii: "\n") {
        (line, column) = (line + 1, 1)
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
      previous = byte
    }
  }
}
