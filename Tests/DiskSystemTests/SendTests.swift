import Foundation
import Testing

@Suite("ecopy as the server of ecopyd")
struct SendTests {
  /// A descriptor that names no unit, and one segment.
  static let list = """
    header: {list-identifier: 1}
    targets:
      - {type: identification descriptor, peripheral-device-type: 0, code-set: 1, \
    designator-type: 3, designator: 3000000000000000, disk-block-length: 512}
    segments:
      - {type: block to block, block-device-number-of-blocks: 1}
    """

  private func send(_ arguments: [String], in scratch: Scratch) throws -> Daemon.Answer {
    let process = Process()
    process.executableURL = URL(filePath: Daemon.path).deletingLastPathComponent()
      .appending(path: "ecopy")
    process.arguments = arguments
    process.currentDirectoryURL = scratch.url
    let (output, errors) = (Pipe(), Pipe())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = [output, errors].map {
      String(decoding: (try? $0.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    }
    process.waitUntilExit()
    return Daemon.Answer(status: process.terminationStatus, output: text[0], errors: text[1])
  }

  @Test("what the copy manager says is told in words, with the bytes of the connection")
  func answersAreToldInWords() throws {
    let scratch = try Scratch()
    try scratch.write("a.yaml", Sample.whole)
    try scratch.write("list.yaml", Self.list)
    try scratch.write("odd.bin", String(repeating: "x", count: 20))
    let daemon = try Daemon(
      ["--config", "a.yaml", "--state", "s", "--listen", "127.0.0.1:0"], in: scratch)
    let address = try #require(try daemon.addresses().first)
    let url = "iscsi://\(address)/iqn.2026-11.org.example:a"
    let aborted = try send(["send", "list.yaml", "--target", "\(url)/0"], in: scratch)
    #expect(aborted.status == 10, "\(aborted.errors)")
    #expect(aborted.errors.contains("COPY ABORTED: UNREACHABLE COPY TARGET"))
    #expect(aborted.errors.contains("segment 0"))
    #expect(aborted.output.contains("CHECK CONDITION: 1 segment, 0 bytes copied\nsent "))
    #expect(aborted.output.hasSuffix(" bytes on the server's connection\n"))
    let refused = try send(["send", "odd.bin", "--target", "\(url)/0"], in: scratch)
    #expect(refused.status == 5, "\(refused.errors)")
    #expect(refused.errors.contains("ILLEGAL REQUEST"))
    let missing = try send(["send", "list.yaml", "--target", "\(url)/7"], in: scratch)
    #expect(missing.status == 15)
    #expect(missing.errors.contains("there is no logical unit 7"))
    #expect(try send(["send", "list.yaml", "--target", "iscsi://bad"], in: scratch).status == 1)
    let limits = try send(["results", "--target", "\(url)/0", "--limits"], in: scratch)
    #expect(limits.status == 0 && limits.output.hasPrefix("maximumTargets: "))
    let unknown = try send(["results", "--target", "\(url)/0", "--list-id", "9"], in: scratch)
    #expect(unknown.status == 5)
    #expect(daemon.end(SIGTERM).status == 0)
  }
}
