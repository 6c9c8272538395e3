import Foundation

/// The built program, executed as a process.
enum Program {
  struct Answer {
    var status: Int32
    var output: String
    var errors: String

    /// Lines on standard error, without warnings about the machine and without progress.
    var complaints: [String] {
      errors.split(separator: "\n").map(String.init)
        .filter { !$0.contains(": warning: ") && !$0.contains("\"t\":\"progress\"") }
    }

    /// Lines of progress on standard error.
    var progress: [String] {
      errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("{") }
    }

    /// The JSON object on standard output.
    var json: [String: Any] {
      let object = try? JSONSerialization.jsonObject(with: Data(output.utf8))
      return object as? [String: Any] ?? [:]
    }

    func number(_ name: String) -> Int? { (json[name] as? NSNumber)?.intValue }
    func text(_ name: String) -> String? { json[name] as? String }
  }

  /// Where it was built: beside the bundle of these tests, which this process has mapped.
  static let path: String = {
    let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    for line in maps.split(separator: "\n") where line.hasSuffix("PackageTests.xctest") {
      guard let start = line.firstIndex(of: "/") else { continue }
      return URL(filePath: String(line[start...])).deletingLastPathComponent()
        .appending(path: "ecopy").path()
    }
    return ".build/debug/ecopy"
  }()

  static func start(
    _ arguments: [String], in folder: Scratch, asOrdinaryUser: Bool = false
  ) throws -> (process: Process, output: URL, errors: URL) {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    if asOrdinaryUser, geteuid() == 0 {
      process.executableURL = URL(filePath: "/usr/bin/setpriv")
      process.arguments =
        ["--reuid", "65534", "--regid", "65534", "--clear-groups", path] + arguments
    }
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(["COLUMNS": "80"]) { $1 }
    let name = UUID().uuidString
    let output = folder.url.appending(path: ".out-\(name)")
    let errors = folder.url.appending(path: ".err-\(name)")
    for file in [output, errors] { try Data().write(to: file) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    return (process, output, errors)
  }

  static func finish(_ running: (process: Process, output: URL, errors: URL)) throws -> Answer {
    running.process.waitUntilExit()
    let code = running.process.terminationStatus
    return Answer(
      status: running.process.terminationReason == .exit ? code : 128 + code,
      output: String(decoding: try Data(contentsOf: running.output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: running.errors), as: UTF8.self))
  }

  @discardableResult
  static func run(
    _ arguments: String..., in folder: Scratch, asOrdinaryUser: Bool = false
  ) throws -> Answer {
    try finish(try start(arguments, in: folder, asOrdinaryUser: asOrdinaryUser))
  }

  @discardableResult
  static func run(_ arguments: [String], in folder: Scratch) throws -> Answer {
    try finish(try start(arguments, in: folder))
  }
}

/// A folder of a test's own, removed with it.
final class Scratch: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "ecopy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  private init(copying other: URL) throws {
    url = FileManager.default.temporaryDirectory.appending(path: "ecopy-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: other, to: url)
  }

  /// A folder with the same files.
  func copy() throws -> Scratch { try Scratch(copying: url) }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appending(path: name) }

  func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: file(name))) }

  /// A file whose bytes can be told apart wherever they end up.
  @discardableResult
  func fill(_ name: String, _ count: Int, seed: UInt64 = 1) throws -> [UInt8] {
    var state = seed
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 4096)
    var page = (0..<4096).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 40)
    }
    while bytes.count < count {
      for index in 0..<4 { page[index] = UInt8(truncatingIfNeeded: bytes.count >> (8 * index + 8)) }
      bytes += page
    }
    bytes.removeLast(bytes.count - count)
    try Data(bytes).write(to: file(name))
    return bytes
  }

  func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: file(name)) }
}
