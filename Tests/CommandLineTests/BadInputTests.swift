import Foundation
import Testing

/// What can be wrong with the devices of a copy: one line, the right exit code, nothing damaged.
@Suite("Bad input to ecopy copy")
struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var status: Int32
    /// What the line must name.
    var names: String

    init(_ arguments: [String], _ status: Int32, _ names: String) {
      self.arguments = arguments
      self.status = status
      self.names = names
    }

    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let cases = [
    Case(["missing.img", "kept.img"], 15, "missing.img"),
    Case(["folder", "kept.img"], 15, "folder"),
    Case(["disk.img", "folder"], 15, "folder"),
    Case(["disk.img", "tape:missing"], 15, "ecopy tape create missing"),
    Case(["disk.img", "tape:folder"], 15, "folder"),
    Case(["disk.img", "missing/copy.img"], 15, "missing/copy.img: the directory"),
    Case(["tape:missing", "kept.img"], 15, "missing"),
    Case(["disk.img,block=1000", "kept.img"], 5, "block length"),
    Case(["disk.img,bogus=1", "kept.img"], 1, "bogus"),
    Case(["disk.img,block=x", "kept.img"], 1, "block=x"),
    Case(["", "kept.img"], 1, "name"),
    Case(["--source-offset", "1GiB", "disk.img", "kept.img"], 5, "behind its end"),
    Case(["--source-offset", "1", "disk.img,block=512", "kept.img"], 5, "multiple"),
    Case(["--source-offset", "1", "tape:full", "kept.img"], 5, "position="),
    Case(["disk.img", "disk.img"], 31, "another destination"),
    Case(["disk.img", "kept.img", "kept.img"], 31, "another destination"),
    Case(["disk.img", "link.img"], 31, "another destination"),
    Case(["tape:full", "tape:full"], 31, "another destination"),
    Case(["disk.img", "tape:full"], 7, "--append"),
    Case(["disk.img", "tape:full,position=1"], 7, "--overwrite"),
    Case(["disk.img", "tape:protected"], 7, "write-protected"),
    Case(["--overwrite", "disk.img", "tape:protected"], 7, "write-protected"),
    Case(["disk.img", "kept.img", "--append"], 31, "--append applies to tapes only"),
    Case(
      ["disk.img", "kept.img", "--overwrite", "--pad"], 31, "--overwrite, --pad apply to tapes"),
    Case(["disk.img", "kept.img", "--filemark"], 31, "--filemark applies"),
    Case(["disk.img", "kept.img,readonly"], 7, "cannot be readonly"),
    Case(["disk.img", "fresh.img", "--arena", "1000GiB"], 99, "MiB of memory"),
    Case(["tape:full,position=9", "kept.img"], 5, "position 9"),
    Case(["tape:full,position=2", "kept.img"], 5, "no data"),
    Case(["tape:empty", "kept.img"], 5, "no data"),
    Case(
      ["disk.img", "tape:empty", "--block-size", "14MiB", "--arena", "8MiB"], 5, "--block-size"),
    Case(["disk.img", "tape:small", "--block-size", "64K"], 108, "tape:small: the tape is full"),
    Case(["disk.img,block=512,fault=read-error@100", "tape:empty"], 3, "disk.img"),
    Case(["disk.img", "tape:empty,fault=write-error@0"], 3, "tape:empty"),
    Case(["disk.img", "fresh.img,block=512,fault=write-error@100"], 3, "fresh.img"),
  ]

  @Test("it is told in one line, and nothing is damaged", arguments: cases)
  func itIsToldInOneLine(bad: Case) throws {
    let folder = try Self.template.get().copy()
    let answer = try Program.run(["copy"] + bad.arguments, in: folder)
    #expect(answer.status == bad.status, "\(answer.errors)")
    #expect(answer.complaints.count == 1, "\(answer.errors)")
    #expect(answer.errors.contains(bad.names), "\(answer.errors)")
    for name in ["disk.img", "kept.img", "full/index", "full/data"] {
      #expect(try folder.bytes(name) == Self.template.get().bytes(name), "\(name)")
    }
  }

  /// A folder with everything that the cases name.
  static let template = Result<Scratch, any Error> {
    let folder = try Scratch()
    try folder.fill("disk.img", 1 << 20)
    try folder.fill("kept.img", 5000, seed: 2)
    try FileManager.default.createDirectory(
      at: folder.file("folder"), withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.img").path(), withDestinationPath: "disk.img")
    for name in ["full", "empty"] { try Program.run("tape", "create", name, in: folder) }
    try Program.run("tape", "create", "protected", "--write-protect", in: folder)
    try Program.run("tape", "create", "small", "--capacity", "200000", in: folder)
    try Program.run("copy", "kept.img", "tape:full", "--filemark", in: folder)
    return folder
  }

  @Test("what this user may not read or write is named", arguments: ["read", "write", "list"])
  func permissionsAreNamed(what: String) throws {
    let folder = try Scratch()
    try folder.fill("disk.img", 5000)
    try folder.fill("secret.img", 5000)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o777], ofItemAtPath: folder.url.path())
    try FileManager.default.setAttributes(
      [.posixPermissions: what == "write" ? 0o444 : 0o000],
      ofItemAtPath: folder.file("secret.img").path())
    let arguments =
      switch what {
      case "read": ["copy", "secret.img", "copy.img"]
      case "write": ["copy", "disk.img", "secret.img"]
      default: ["run", "secret.img"]
      }
    let answer = try Program.finish(
      try Program.start(arguments, in: folder, asOrdinaryUser: true))
    #expect(answer.status == 15, "\(answer.errors)")
    #expect(answer.complaints.count == 1, "\(answer.errors)")
    #expect(answer.errors.contains("secret.img"))
    #expect(try folder.bytes("disk.img").count == 5000)
  }

  @Test("a cartridge that another process uses is busy")
  func aCartridgeInUseIsBusy() throws {
    let folder = try Scratch()
    try folder.fill("disk.img", 8 << 20)
    try Program.run("tape", "create", "T", in: folder)
    let first = try Program.start(
      ["copy", "disk.img,rate=4MB", "tape:T", "--progress", "json"], in: folder)
    try Signalled.waitForCopying(first.errors)
    let second = try Program.run("copy", "disk.img", "tape:T", "--append", in: folder)
    #expect(second.status == 26)
    #expect(second.complaints.count == 1)
    #expect(try Program.finish(first).status == 0)
  }
}
