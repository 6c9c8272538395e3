import Foundation

/// Something that is a defect wherever it stands.
struct Rule: Sendable {
  let name: String
  /// What to do instead.
  let advice: String
  let isMeantFor: @Sendable (SourceFile) -> Bool
  /// Whether comments and string literals are searched as well.
  let readsProse: Bool
  let finds: @Sendable (String) -> Bool

  init(
    _ name: String, advice: String, readsProse: Bool = false,
    in isMeantFor: @escaping @Sendable (SourceFile) -> Bool,
    finds: @escaping @Sendable (String) -> Bool
  ) {
    self.name = name
    self.advice = advice
    self.readsProse = readsProse
    self.isMeantFor = isMeantFor
    self.finds = finds
  }

  /// The places of `file` that break this rule, as `path:line: rule: advice`.
  func findings(in file: SourceFile) -> [String] {
    guard isMeantFor(file) else { return [] }
    // Most files break no rule: only where something looks like it, code is told from prose.
    guard file.lines.contains(where: { finds($0.text) }) else { return [] }
    let lines = readsProse ? file.lines : file.codeLines
    return lines.filter { finds($0.text) }
      .map { "\(file.path):\($0.number): \(name): \(advice)" }
  }
}

extension Rule {
  static let all = [
    bareTask, detachedTask, taskSleep, forcedTry, forcedCast, foundation, reminder, ownPath,
  ]

  /// A bare task runs on the global executor: it leaves the processor's thread.
  static let bareTask = Rule(
    "a bare Task", advice: "children use the executor preference of their processor",
    in: { $0.isSwift && $0.isProduct && $0.module != "Uring" },
    finds: { $0.matches(#"(?<![\w.])Task(<[^>]*>)?(\.init)?\s*(\([^)]*\))?\s*\{"#) })

  static let detachedTask = Rule(
    "Task.detached", advice: "children use the executor preference of their processor",
    in: { $0.isSwift && $0.isProduct && $0.module != "Uring" },
    finds: { $0.matches(#"\bTask(<[^>]*>)?\.(detached|immediateDetached)\b"#) })

  static let taskSleep = Rule(
    "Task.sleep", advice: "timers are timeouts of the ring",
    in: { $0.isSwift && $0.isProduct && $0.module != "Uring" },
    finds: { $0.matches(#"\bTask(<[^>]*>)?\.sleep\b"#) })

  static let forcedTry = Rule(
    "try!", advice: "throw, or say with preconditionFailure why it cannot happen",
    in: { $0.isSwift }, finds: { $0.matches(#"\btry!"#) })

  static let forcedCast = Rule(
    "as!", advice: "use as? and say what else it can be", in: { $0.isSwift },
    finds: { $0.matches(#"\bas!"#) })

  static let foundation = Rule(
    "Foundation", advice: "only the command line may import it; elsewhere Glibc",
    in: { $0.isSwift && $0.isProduct && $0.module != "ecopy" },
    finds: { $0.matches(#"\bimport\s+((struct|class|enum|func)\s+)?Foundation"#) })

  static let reminder = Rule(
    "a reminder", advice: "do it, or file it as an issue", readsProse: true,
    in: { !$0.path.hasPrefix("Tests/TidyTests/") },
    finds: { $0.matches(#"\b(TODO|FIXME|XXX)\b"#) })

  /// Absolute paths are those every Linux system has; relative ones lead to what is there. Tests
  /// name files of simulated systems as they like.
  static let ownPath = Rule(
    "a path of somebody's own machine", advice: "use a path inside the repository",
    readsProse: true,
    in: { !$0.path.hasPrefix("Tests/") || !$0.isSwift },
    finds: { line in
      line.capturesOf(#"(?:^|[\s"'`(=])/([A-Za-z]\w*)/\w"#).contains {
        !standardFolders.contains($0)
      }
        || line.capturesOf(#"(?:^|[\s"'`(=])\.\./([A-Za-z]\w*)"#).contains {
          !topFolders.contains($0)
        }
    })

  private static let standardFolders: Set = [
    "bin", "boot", "dev", "etc", "lib", "lib64", "media", "mnt", "opt", "proc", "run", "sbin",
    "srv", "sys", "tmp", "usr", "var",
  ]
  private static let topFolders: Set = ["Sources", "Tests", "Benchmarks", "examples"]
}

extension String {
  fileprivate func matches(_ pattern: String) -> Bool {
    range(of: pattern, options: .regularExpression) != nil
  }

  /// What the only group of `pattern` matched, each time.
  fileprivate func capturesOf(_ pattern: String) -> [String] {
    guard let expression = try? NSRegularExpression(pattern: pattern) else {
      preconditionFailure("the pattern of a rule is not a regular expression: \(pattern)")
    }
    let whole = NSRange(startIndex..., in: self)
    return expression.matches(in: self, range: whole).compactMap {
      Range($0.range(at: 1), in: self).map { String(self[$0]) }
    }
  }
}
