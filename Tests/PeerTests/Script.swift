import Foundation
import Testing

/// A test of `Tests/Peers`: a script that sets up programs which are not ours, and ends with 0 if all
/// of it was true.
struct Script: Sendable, CustomTestStringConvertible {
  /// As in `initiator/chap`.
  let name: String
  let url: URL

  var testDescription: String { name }

  struct Answer: Sendable {
    var status: Int32
    var output: String
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Peers")

  /// Every test in a folder of `Tests/Peers`: what can be executed there, and has this name.
  static func all(in kind: String, where belongs: (String) -> Bool = { _ in true }) -> [Script] {
    let place = folder.appending(path: kind)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path())) ?? []
    return names.sorted().compactMap { name in
      let url = place.appending(path: name)
      guard name.hasSuffix(".sh"), belongs(name),
        FileManager.default.isExecutableFile(atPath: url.path())
      else { return nil }
      return Script(name: "\(kind)/\(name.dropLast(3))", url: url)
    }
  }

  /// Runs it with our programs as they were built beside these tests; it is ended after `seconds`.
  func run(seconds: Int) throws -> Answer {
    let log = FileManager.default.temporaryDirectory.appending(path: "ecopy-\(UUID().uuidString)")
    try Data().write(to: log)
    defer { try? FileManager.default.removeItem(at: log) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/timeout")
    process.arguments = ["-k", "20", "\(seconds)", url.path()]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "ECOPY": Self.built.appending(path: "ecopy").path(),
      "ECOPYD": Self.built.appending(path: "ecopyd").path(),
    ]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: log)
    process.standardError = process.standardOutput
    try process.run()
    process.waitUntilExit()
    let output = String(decoding: try Data(contentsOf: log), as: UTF8.self)
    let late = process.terminationStatus == 124 ? "\nended after \(seconds) s" : ""
    return Answer(status: process.terminationStatus, output: output + late)
  }

  /// Where the programs were built: beside the bundle of these tests, which this process has mapped.
  private static let built: URL = {
    let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    for line in maps.split(separator: "\n") where line.hasSuffix("PackageTests.xctest") {
      guard let start = line.firstIndex(of: "/") else { continue }
      return URL(filePath: String(line[start...])).deletingLastPathComponent()
    }
    return URL(filePath: ".build/debug")
  }()
}
