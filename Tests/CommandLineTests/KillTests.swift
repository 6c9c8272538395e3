import Foundation
import Testing

/// `kill -9` at any moment: what a finished copy reported as durable is on the cartridge, and what
/// an unfinished one left behind is a beginning of its source, never anything else.
@Suite("A cartridge whose writer is killed", .serialized)
struct KillTests {
  static let kills = 100
  static let sourceBytes = 24 << 20
  static let recordBytes = 64 << 10

  @Test("keeps what was reported durable, 100 times")
  func killed() throws {
    let folder = try Scratch()
    let source = Data(
      (0..<Self.sourceBytes / 8).flatMap { number in
        let word = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
        return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
      })
    try source.write(to: folder.url.appending(path: "source"))
    var durableFiles = 0
    var killed = 0
    for number in 0..<Self.kills {
      if number % 10 == 0 {
        try? FileManager.default.removeItem(at: folder.url.appending(path: "tape"))
        try Program.run("tape", "create", "tape", in: folder)
        durableFiles = 0
      }
      let running = try Program.start(
        [
          "copy", "source", "tape:tape", "--append", "--filemark", "--block-size", "64KiB",
        ], in: folder)
      // From before the tape is opened to behind the last byte.
      usleep(UInt32((number * 7919) % 97) * 1_000)
      kill(running.process.processIdentifier, SIGKILL)
      let answer = try Program.finish(running)
      if answer.status == 0 { durableFiles += 1 } else { killed += 1 }

      let content = try Self.content(of: folder)
      #expect(content.count >= durableFiles, "kill \(number): a file that was durable is gone")
      for (index, file) in content.enumerated() {
        if index < durableFiles {
          #expect(file == source, "kill \(number): file \(index) has changed")
        } else {
          #expect(file == source.prefix(file.count), "kill \(number): bytes were invented")
        }
      }
      // A killed copy may have left whole records, or even its filemark: cut the tape there.
      if content.count > durableFiles || answer.status != 0 {
        try Self.cut(folder, behind: durableFiles)
      }
    }
    #expect(killed > Self.kills / 5, "only \(killed) of \(Self.kills) copies were still running")
  }

  /// The bytes between filemarks, read through an image that the test takes apart itself.
  static func content(of folder: Scratch) throws -> [Data] {
    let answer = try Program.run("tape", "export", "tape", "image.tap", in: folder)
    #expect(answer.status == 0, "\(answer.errors)")
    let image = try Data(contentsOf: folder.url.appending(path: "image.tap"))
    try FileManager.default.removeItem(at: folder.url.appending(path: "image.tap"))
    var files: [Data] = []
    var current = Data()
    var at = 0
    while at + 4 <= image.count {
      let word = image[at..<at + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
      at += 4
      if word == 0xFFFF_FFFF { break }
      if word == 0 {
        files.append(current)
        current = Data()
      } else {
        current.append(image[at..<at + word])
        at += (word + 1) / 2 * 2 + 4
      }
    }
    if !current.isEmpty { files.append(current) }
    return files
  }

  /// Writes the durable files anew, so that the next copy appends to a known tape.
  static func cut(_ folder: Scratch, behind files: Int) throws {
    try FileManager.default.removeItem(at: folder.url.appending(path: "tape"))
    try Program.run("tape", "create", "tape", in: folder)
    for _ in 0..<files {
      let answer = try Program.run(
        "copy", "source", "tape:tape", "--append", "--filemark", "--block-size", "64KiB",
        in: folder)
      #expect(answer.status == 0)
    }
  }
}
