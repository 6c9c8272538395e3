import Foundation

/// One text file of the repository.
struct SourceFile: Sendable {
  /// Its path from the root of the repository, as in `Sources/Uring/Ring.swift`.
  let path: String
  /// Its lines, with their numbers from 1.
  let lines: [(number: Int, text: String)]

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .map { (number: $0.offset + 1, text: String($0.element)) }
  }

  var isSwift: Bool { path.hasSuffix(".swift") }
  var isProduct: Bool { path.hasPrefix("Sources/") || path.hasPrefix("examples/") }

  /// The module of a file under `Sources`, as in `Uring`.
  var module: String? {
    let parts = path.split(separator: "/")
    return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
  }

  /// The lines of a Swift file without comments and without what stands inside string literals.
  var codeLines: [(number: Int, text: String)] {
    var insideLongString = false
    return lines.map { line in
      (number: line.number, text: SourceFile.code(of: line.text, &insideLongString))
    }
  }

  private static func code(of line: String, _ insideLongString: inout Bool) -> String {
    var code = ""
    var rest = Substring(line)
    var insideString = false
    while let character = rest.first {
      if rest.hasPrefix("\"\"\"") {
        insideLongString.toggle()
        rest = rest.dropFirst(3)
      } else if insideLongString {
        rest = rest.dropFirst()
      } else if insideString, character == "\\" {
        rest = rest.dropFirst(2)
      } else if character == "\"" {
        insideString.toggle()
        rest = rest.dropFirst()
      } else if insideString {
        rest = rest.dropFirst()
      } else if rest.hasPrefix("//") {
        break
      } else {
        code.append(character)
        rest = rest.dropFirst()
      }
    }
    return code
  }
}

extension SourceFile {
  /// The root of the repository this file was compiled in.
  static var root: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  /// Every text file that people read or write here, read once.
  static func all() throws -> [SourceFile] { try loaded.get() }

  private static let loaded = Result { try load() }

  /// Nothing that was built or measured.
  private static func load() throws -> [SourceFile] {
    let kinds: Set = ["swift", "c", "h", "py", "sh", "md", "yaml", "txt"]
    let named: Set = [
      "Makefile", "bench", "bench-iscsi", "init", "run", "prerequisites", "test-cu",
    ]
    let places = ["Sources", "Tests", "Benchmarks", "examples", ".ci"]
    var files: [SourceFile] = []
    for place in places {
      let found = FileManager.default.enumerator(atPath: root.appending(path: place).path())
      while let path = found?.nextObject() as? String {
        let inside = path.split(separator: "/")
        guard let name = inside.last, !inside.contains(where: { $0.hasPrefix(".") }),
          !inside.contains("results"), !inside.contains("corpus")
        else { continue }
        let kind = name.split(separator: ".").count > 1 ? name.split(separator: ".").last : nil
        guard kind.map({ kinds.contains(String($0)) }) ?? named.contains(String(name)) else {
          continue
        }
        files.append(try read("\(place)/\(path)"))
      }
    }
    let top = try FileManager.default.contentsOfDirectory(atPath: root.path())
    for name in top where name == "Makefile" || name.hasSuffix(".md") || name.hasSuffix(".swift") {
      files.append(try read(name))
    }
    return files
  }

  private static func read(_ path: String) throws -> SourceFile {
    let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
    return SourceFile(path: path, text: text)
  }
}
