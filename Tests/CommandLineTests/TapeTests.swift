import Foundation
import Testing

@Suite("ecopy tape")
struct TapeTests {
  let folder: Scratch

  init() throws { folder = try Scratch() }

  @discardableResult
  private func tape(_ arguments: String...) throws -> Program.Answer {
    try Program.run(["tape"] + arguments, in: folder)
  }

  @Test("a cartridge is made once, with what was asked for")
  func aCartridgeIsMadeOnce() throws {
    let made = try tape(
      "create", "T", "--capacity", "10MiB", "--early-warning", "1MiB", "--write-protect",
      "--format", "json")
    #expect(made.status == 0)
    #expect(made.number("capacity") == 10 << 20)
    let listed = try tape("list", "tape:T", "--format", "json")
    #expect(listed.number("capacity") == 10 << 20)
    #expect(listed.number("earlyWarning") == 1 << 20)
    #expect(listed.json["writeProtected"] as? Bool == true)
    let again = try tape("create", "T")
    #expect(again.status == 15)
    #expect(again.complaints.count == 1)
  }

  @Test("list shows runs, with --objects each object")
  func listShowsRunsAndObjects() throws {
    try folder.fill("disk.img", 2500)
    try tape("create", "T")
    try Program.run(
      "copy", "disk.img", "tape:T", "--block-size", "1000", "--filemark", in: folder)
    let runs = try tape("list", "T").output
    #expect(
      runs == """
        0 to 1  2 records of 1,000 bytes
        2  1 record of 500 bytes
        3  1 filemark
        4  end of data; 3 records with 2,500 bytes, 1 filemark

        """)
    let objects = try tape("list", "T", "--objects").output.split(separator: "\n")
    #expect(objects.count == 5)
    #expect(objects[1] == "1  1 record of 1,000 bytes")
    let json = try tape("list", "T", "--objects", "--format", "json")
    #expect((json.json["list"] as? [[String: Any]])?.count == 4)
    #expect((json.json["runs"] as? [[String: Any]])?.count == 3)
  }

  @Test("a SIMH image is written as others read it, and read back")
  func aSIMHImageIsExchanged() throws {
    try folder.write("abc", Array("abc".utf8))
    try tape("create", "T")
    try Program.run("copy", "abc", "tape:T", "--filemark", in: folder)
    #expect(try tape("export", "T", "t.tap").status == 0)
    #expect(
      try folder.bytes("t.tap")
        == Lists.bytes("03000000 616263 00 03000000 00000000 ffffffff"))
    let imported = try tape("import", "U", "t.tap", "--format", "json")
    #expect(imported.status == 0, "\(imported.errors)")
    #expect(imported.number("records") == 1)
    #expect(try tape("list", "U").output == tape("list", "T").output)
    let refused = try tape("import", "U", "t.tap")
    #expect(refused.status == 7)
    #expect(refused.complaints.count == 1)
    #expect(try tape("import", "U", "t.tap", "--append").status == 0)
    #expect(try tape("list", "U", "--format", "json").number("objects") == 4)
  }

  @Test("raw data is imported in records, and exported")
  func rawDataIsExchanged() throws {
    let bytes = try folder.fill("data.raw", 250_000)
    #expect(try tape("import", "T", "data.raw", "--block-size", "100000").status == 0)
    #expect(try tape("list", "T", "--format", "json").number("records") == 3)
    #expect(try tape("export", "T", "back.raw").status == 0)
    #expect(try folder.bytes("back.raw") == bytes)
  }

  @Test("cat writes one file of the tape, or all of it")
  func catWritesFiles() throws {
    try folder.write("abc", Array("abc\n".utf8))
    try folder.write("def", Array("def\n".utf8))
    try tape("create", "T")
    try Program.run("copy", "abc", "def", "tape:T", "--filemark", in: folder)
    #expect(try tape("cat", "T").output == "abc\ndef\n")
    #expect(try tape("cat", "T", "--file", "1").output == "abc\n")
    #expect(try tape("cat", "T", "--file", "2").output == "def\n")
    let missing = try tape("cat", "T", "--file", "4")
    #expect(missing.status == 5)
    #expect(missing.complaints.count == 1)
  }

  @Test("verify reads every record")
  func verifyReadsEveryRecord() throws {
    try folder.fill("disk.img", 100_000)
    try tape("create", "T")
    try Program.run("copy", "disk.img", "tape:T", "--block-size", "30000", in: folder)
    let good = try tape("verify", "T", "--format", "json")
    #expect(good.status == 0)
    #expect(good.number("records") == 4)
    let data = try FileHandle(forWritingTo: folder.file("T/data"))
    try data.truncate(atOffset: 40_000)
    try data.close()
    let bad = try tape("verify", "T")
    #expect(bad.status == 3, "\(bad.errors)")
    #expect(bad.complaints.count == 1)
  }

  @Test("what is no cartridge is named", arguments: ["list", "verify", "cat"])
  func whatIsNoCartridgeIsNamed(verb: String) throws {
    let answer = try tape(verb, "nothing")
    #expect(answer.status == 15)
    #expect(answer.complaints.count == 1)
    #expect(answer.errors.contains("ecopy tape create nothing"))
  }

  @Test("doctor tells what the machine gives")
  func doctorTells() throws {
    let answer = try Program.run("doctor", "--format", "json", in: folder)
    #expect(answer.status == (answer.json["ok"] as? Bool == true ? 0 : 1))
    let findings = try #require(answer.json["findings"] as? [[String: Any]])
    for subject in ["kernel", "io_uring", "locked memory", "huge pages", "direct I/O at ."] {
      #expect(findings.contains { $0["subject"] as? String == subject }, "\(subject)")
    }
    for finding in findings where finding["verdict"] as? String != "PASS" {
      #expect(finding["fix"] is String)
    }
    #expect(try Program.run("doctor", "missing", in: folder).status == 1)
  }
}
