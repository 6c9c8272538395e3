import Foundation

/// `ecopyd` as a process.
final class Daemon {
  struct Answer {
    var status: Int32
    var output: String
    var errors: String

    /// Lines on standard error, without warnings about the machine.
    var complaints: [String] {
      errors.split(separator: "\n").map(String.init).filter { !$0.contains(": warning: ") }
    }
  }

  struct NotReady: Error {
    let errors: String
  }

  private let process = Process()
  /// Not removed before the process has ended.
  private let scratch: Scratch
  private let output: URL
  private let errors: URL

  /// Where it was built: beside the bundle of these tests, which this process has mapped.
  static let path: String = {
    let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    for line in maps.split(separator: "\n") where line.hasSuffix("PackageTests.xctest") {
      guard let start = line.firstIndex(of: "/") else { continue }
      return URL(filePath: String(line[start...])).deletingLastPathComponent()
        .appending(path: "ecopyd").path()
    }
    return ".build/debug/ecopyd"
  }()

  init(
    _ arguments: [String], in scratch: Scratch, environment: [String: String] = [:]
  ) throws {
    self.scratch = scratch
    let name = UUID().uuidString
    output = scratch.url.appending(path: ".out-\(name)")
    errors = scratch.url.appending(path: ".err-\(name)")
    for file in [output, errors] { try Data().write(to: file) }
    process.executableURL = URL(filePath: Self.path)
    process.arguments = arguments
    process.currentDirectoryURL = scratch.url
    process.environment = ProcessInfo.processInfo.environment.merging(["COLUMNS": "80"]) { $1 }
      .merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  private func text(_ file: URL) -> String {
    (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  }

  /// The addresses it listens on, once it does.
  func addresses(_ count: Int = 1) throws -> [String] {
    for _ in 0..<600 {
      let lines = text(output).split(separator: "\n")
      let found = lines.compactMap { line in
        line.hasPrefix("ecopyd: listening on ") ? String(line.dropFirst(21)) : nil
      }
      if found.count == count { return found }
      if !process.isRunning { break }
      usleep(50_000)
    }
    throw NotReady(errors: text(errors))
  }

  /// Whether a line with `words` comes on standard error within half a minute.
  func tells(_ words: String) -> Bool {
    for _ in 0..<600 {
      if text(errors).contains(words) { return true }
      usleep(50_000)
    }
    return false
  }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  func end(_ number: Int32? = nil) -> Answer {
    if let number { signal(number) }
    process.waitUntilExit()
    let code = process.terminationStatus
    return Answer(
      status: process.terminationReason == .exit ? code : 128 + code, output: text(output),
      errors: text(errors))
  }

  static func run(_ arguments: String..., in scratch: Scratch) throws -> Answer {
    try Daemon(arguments, in: scratch).end()
  }
}

extension Scratch {
  func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
    try Data(text.utf8).write(to: url.appending(path: name))
    try FileManager.default.setAttributes(
      [.posixPermissions: mode], ofItemAtPath: url.appending(path: name).path())
  }
}
