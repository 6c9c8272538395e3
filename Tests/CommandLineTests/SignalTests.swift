import Foundation
import Testing

/// Helps to meet a copy that runs.
enum Signalled {
  struct NeverCopied: Error {}

  /// Waits until a line of progress says that bytes were written.
  static func waitForCopying(_ errors: URL) throws {
    for _ in 0..<400 {
      let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
      for line in text.split(separator: "\n") where line.contains("\"phase\":\"copying\"") {
        if !line.contains("\"bytes\":0,") { return }
      }
      usleep(50_000)
    }
    throw NeverCopied()
  }
}

@Suite("Signals")
struct SignalTests {
  @Test("SIGUSR1 prints a line; SIGINT stops at a record border and says what is on tape")
  func signalsAreAnswered() throws {
    let folder = try Scratch()
    let bytes = try folder.fill("disk.img", 16 << 20)
    try Program.run("tape", "create", "T", in: folder)
    let running = try Program.start(
      [
        "copy", "disk.img,rate=4MB", "tape:T", "--block-size", "256K", "--depth", "1",
        "--progress", "json", "--format", "json",
      ], in: folder)
    try Signalled.waitForCopying(running.errors)
    kill(running.process.processIdentifier, SIGUSR1)
    usleep(300_000)
    kill(running.process.processIdentifier, SIGINT)
    let answer = try Program.finish(running)
    #expect(answer.status == 130, "\(answer.errors)")
    #expect(answer.errors.contains("of 16.0 MiB  "), "the line of SIGUSR1")
    #expect(answer.text("status") == "cancelled")
    let written = try #require(answer.number("bytesWritten"))
    #expect(written > 0 && written < bytes.count && written % (256 << 10) == 0)
    let tape = try #require(answer.json["tape"] as? [String: Any])
    #expect(tape["records"] as? Int == written / (256 << 10))
    #expect((answer.json["resume"] as? [String: Any])?["offset"] as? Int == written)
    let rest = try Program.run(
      "copy", "disk.img", "tape:T", "--source-offset", "\(written)", "--append", in: folder)
    #expect(rest.status == 0, "\(rest.errors)")
    try Program.run("tape", "export", "T", "raw", in: folder)
    #expect(try folder.bytes("raw") == bytes)
  }

  @Test("a copy of more than a second tells its progress where standard error is no terminal")
  func aLongCopyTellsItsProgress() throws {
    let folder = try Scratch()
    try folder.fill("disk.img", 8 << 20)
    let answer = try Program.run("copy", "disk.img,rate=4MB", "a.img", in: folder)
    #expect(answer.status == 0)
    #expect(answer.progress.count >= 2)
    #expect(answer.progress.allSatisfy { $0.contains("\"t\":\"progress\"") })
    let silent = try Program.run(
      "copy", "disk.img,rate=4MB", "b.img", "--progress", "none", in: folder)
    #expect(silent.progress.isEmpty)
  }

  @Test("progress of a short copy is silent, unless it is asked for")
  func progressIsSilent() throws {
    let folder = try Scratch()
    try folder.fill("disk.img", 1 << 20)
    #expect(try Program.run("copy", "disk.img", "a.img", in: folder).complaints.isEmpty)
    let asked = try Program.run("copy", "disk.img", "b.img", "--progress", "json", in: folder)
    for line in asked.progress {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(object?["t"] as? String == "progress")
    }
    #expect(asked.progress.last?.contains("\"phase\":\"ended\",\"bytes\":1048576") == true)
  }
}
