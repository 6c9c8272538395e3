import Foundation
import Testing

@Suite("Help says what it said")
struct HelpTests {
  static let verbs = [
    [], ["copy"], ["run"], ["list"], ["list", "decode"], ["list", "encode"], ["tape"],
    ["tape", "create"], ["tape", "list"], ["tape", "verify"], ["tape", "import"],
    ["tape", "export"], ["tape", "cat"], ["discover"], ["doctor"], ["send"], ["results"],
  ]

  /// With ECOPY_RECORD=1 in the environment the snapshots are written, not compared.
  @Test("the help of a verb is its snapshot", arguments: verbs)
  func helpIsItsSnapshot(verb: [String]) throws {
    let folder = try Scratch()
    let answer = try Program.run(verb + ["--help"], in: folder)
    #expect(answer.status == 0)
    #expect(answer.errors.isEmpty)
    let name = (["ecopy"] + verb).joined(separator: "-") + ".txt"
    let snapshot = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Snapshots").appending(path: name)
    if ProcessInfo.processInfo.environment["ECOPY_RECORD"] == "1" {
      try Data(answer.output.utf8).write(to: snapshot)
    }
    #expect(try String(contentsOf: snapshot, encoding: .utf8) == answer.output)
  }

  @Test("the help lists the exit codes, and the help of copy warns of disks in use")
  func helpNamesWhatMatters() throws {
    let folder = try Scratch()
    let help = try Program.run("--help", in: folder).output
    for code in ["0", "1", "2", "3", "5", "7", "10", "14", "15", "24", "26", "108", "130"] {
      #expect(help.contains("\n  \(code) "), "exit code \(code)")
    }
    #expect(try Program.run("copy", "--help", in: folder).output.contains("power cut"))
  }

  @Test(
    "what is not understood exits with 1 and one line",
    arguments: [
      ["copy", "a.img"], ["copy", "a.img", "tape:T", "--bogus"], ["nonsense"],
      ["copy", "a.img", "tape:T", "--block-size", "1Q"], ["run", "l.bin", "--cscd", "x=a.img"],
      ["copy", "a.img", "tape:T", "--append", "--overwrite"], ["tape", "create"],
      ["copy", "a.img", "b.img", "--format", "xml"], ["copy", "a.img", "b.img", "--depth", "0"],
    ])
  func syntaxErrorsExitWithOne(arguments: [String]) throws {
    let answer = try Program.run(arguments, in: try Scratch())
    #expect(answer.status == 1)
    #expect(answer.complaints.count == 1, "\(answer.errors)")
    #expect(answer.errors.contains("--help"))
  }
}
