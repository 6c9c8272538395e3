import Yams

/// Why a configuration is not accepted: the place, what is wrong there and what to write instead.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file as the caller named it.
  public internal(set) var file = ""
  /// Counted from 1.
  public let line: Int
  /// Counted from 1, in characters.
  public let column: Int
  /// What is wrong, and what to write instead.
  public let message: String

  /// `file:line:column: message`.
  public var description: String { "\(file):\(line):\(column): \(message)" }

  init(_ message: String, line: Int = 1, column: Int = 1) {
    self.line = line
    self.column = column
    self.message = message
  }

  init(_ message: String, at node: Node) {
    self.init(message, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
  }

  init(_ error: YamlError) {
    switch error {
    case .composer(_, let problem, let mark, _) where problem.hasSuffix("another document"):
      self.init(
        "a second document begins here; remove the second ---", line: mark.line,
        column: mark.column)
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(problem, line: mark.line, column: mark.column)
    case .duplicatedKeysInMapping(let keys, let context):
      self.init(
        "\(keys.joined(separator: ", ")) stands here twice; keep one",
        line: context.mark.line, column: context.mark.column)
    case .reader(let problem, _, _, _): self.init("\(problem); write the file as UTF-8 text")
    default: self.init("this is not YAML: \(error)")
    }
  }
}
