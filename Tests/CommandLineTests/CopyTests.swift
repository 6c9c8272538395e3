import Foundation
import Testing

@Suite("ecopy copy")
struct CopyTests {
  let folder: Scratch

  init() throws { folder = try Scratch() }

  @discardableResult
  private func ecopy(_ arguments: String...) throws -> Program.Answer {
    try Program.run(arguments, in: folder)
  }

  @Test("two disks go to a tape as files, and come back")
  func disksToTapeAndBack() throws {
    let one = try folder.fill("one.img", 5 << 20)
    let two = try folder.fill("two.img", 1_234_567, seed: 2)
    try ecopy("tape", "create", "T")
    let answer = try ecopy(
      "copy", "one.img", "two.img", "tape:T", "--filemark", "--verify", "--digest", "sha256",
      "--digest", "crc32c", "--format", "json")
    #expect(answer.status == 0, "\(answer.errors)")
    #expect(answer.text("status") == "complete")
    #expect(answer.number("bytesWritten") == one.count + two.count)
    #expect(answer.number("payloadBytesCopied") == 0)
    #expect(answer.json["verified"] as? Bool == true)
    let tape = answer.json["tape"] as? [String: Any]
    #expect(tape?["records"] as? Int == 7)
    #expect(tape?["filemarks"] as? Int == 2)
    #expect(tape?["position"] as? Int == 9)
    #expect(try ecopy("copy", "tape:T", "back.img").status == 0)
    #expect(try folder.bytes("back.img") == one)
    #expect(try ecopy("copy", "tape:T,position=6", "back.img").status == 0)
    #expect(try folder.bytes("back.img") == two)
  }

  @Test("blocks filled up behind each source are verified as such")
  func paddedSourcesAreVerified() throws {
    let one = try folder.fill("one.img", 700)
    let two = try folder.fill("two.img", 900, seed: 2)
    let answer = try ecopy("copy", "one.img", "two.img", "both.img,block=512", "--verify")
    #expect(answer.status == 0, "\(answer.errors)")
    let both = try folder.bytes("both.img")
    #expect(both.count == 2048)
    #expect(Array(both.prefix(700)) == Array(one))
    #expect(Array(both[1024..<1924]) == Array(two))
  }

  @Test("a disk and a tape go to one tape, verified")
  func diskAndTapeToOneTape() throws {
    try folder.fill("disk.img", 100_000)
    for name in ["A", "B"] { try ecopy("tape", "create", name) }
    try ecopy("copy", "disk.img", "tape:A", "--block-size", "30000")
    let answer = try ecopy("copy", "disk.img", "tape:A", "tape:B", "--verify")
    #expect(answer.status == 0, "\(answer.errors)")
  }

  @Test("the digest is that of sha256sum")
  func theDigestIsThatOfOthers() throws {
    try folder.write("abc", Array("abc".utf8))
    let answer = try ecopy("copy", "abc", "copy", "--digest", "sha256", "--format", "json")
    #expect(
      answer.text("sha256") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test("the last record is short, or padded where that was asked for")
  func theLastRecordIsShortOrPadded() throws {
    let bytes = try folder.fill("disk.img", 100_000)
    try ecopy("tape", "create", "T")
    #expect(try ecopy("copy", "disk.img", "tape:T", "--block-size", "64K").status == 0)
    let padded = try ecopy(
      "copy", "disk.img", "tape:T", "--block-size", "64K", "--pad", "--append", "--verify",
      "--format", "json")
    #expect(padded.status == 0, "\(padded.errors)")
    #expect(padded.number("bytesPadded") == 2 * 65536 - 100_000)
    let objects = try ecopy("tape", "list", "T", "--objects").output
    #expect(
      objects.hasPrefix(
        "0  1 record of 65,536 bytes\n1  1 record of 34,464 bytes\n2  1 record of 65,536 bytes\n"
          + "3  1 record of 65,536 bytes\n"))
    #expect(try ecopy("tape", "export", "T", "raw").status == 0)
    #expect(
      try folder.bytes("raw") == bytes + bytes + [UInt8](repeating: 0, count: 2 * 65536 - 100_000))
  }

  @Test("holes are not read, and stay holes")
  func holesStayHoles() throws {
    let file = folder.file("sparse.img")
    try Data().write(to: file)
    let handle = try FileHandle(forWritingTo: file)
    try handle.truncate(atOffset: 32 << 20)
    try handle.seek(toOffset: 9 << 20)
    try handle.write(contentsOf: Data(repeating: 7, count: 65536))
    try handle.close()
    let answer = try ecopy("copy", "sparse.img", "fresh.img", "--verify", "--format", "json")
    #expect(answer.status == 0, "\(answer.errors)")
    #expect(try folder.bytes("fresh.img") == folder.bytes("sparse.img"))
    #expect((answer.number("bytesSkipped") ?? 0) > 31 << 20)
    var status = stat()
    #expect(unsafe stat(folder.file("fresh.img").path(), &status) == 0)
    #expect(status.st_blocks * 512 < 1 << 20)
    try ecopy("tape", "create", "T")
    #expect(try ecopy("copy", "sparse.img", "tape:T", "--verify").status == 0)
    #expect(try ecopy("copy", "tape:T", "back.img").status == 0)
    #expect(try folder.bytes("back.img") == folder.bytes("sparse.img"))
  }

  @Test("a tape is copied with its filemarks and the lengths of its records")
  func tapeToTape() throws {
    try folder.fill("one.img", 300_000)
    try folder.fill("two.img", 70_000, seed: 2)
    try ecopy("tape", "create", "A")
    try ecopy("tape", "create", "B")
    try ecopy("copy", "one.img", "tape:A", "--block-size", "64K", "--filemark")
    try ecopy("copy", "two.img", "tape:A", "--block-size", "10000", "--filemark", "--append")
    let answer = try ecopy("copy", "tape:A", "tape:B", "--verify")
    #expect(answer.status == 0, "\(answer.errors)")
    #expect(try ecopy("tape", "list", "B").output == ecopy("tape", "list", "A").output)
    try ecopy("tape", "export", "A", "a.tap")
    try ecopy("tape", "export", "B", "b.tap")
    #expect(try folder.bytes("a.tap") == folder.bytes("b.tap"))
  }

  @Test("a full tape says where to go on, and the next one takes the rest")
  func aFullTapeSaysWhereToGoOn() throws {
    let bytes = try folder.fill("disk.img", 6 << 20)
    try ecopy("tape", "create", "A", "--capacity", "4MiB", "--early-warning", "1MiB")
    try ecopy("tape", "create", "B")
    let first = try ecopy(
      "copy", "disk.img", "tape:A", "--block-size", "256K", "--format", "json")
    #expect(first.status == 108)
    #expect(first.text("status") == "tape full")
    let resume = try #require(first.json["resume"] as? [String: Any])
    let offset = try #require(resume["offset"] as? Int)
    #expect(offset > 2 << 20 && offset <= 4 << 20)
    #expect(offset == first.number("bytesWritten"))
    #expect(first.complaints.count == 1)
    #expect(first.errors.contains("--source-offset \(offset) disk.img"))
    let second = try ecopy("copy", "--source-offset", "\(offset)", "disk.img", "tape:B")
    #expect(second.status == 0, "\(second.errors)")
    try ecopy("tape", "export", "A", "a.raw")
    try ecopy("tape", "export", "B", "b.raw")
    #expect(try folder.bytes("a.raw") + folder.bytes("b.raw") == bytes)
  }

  @Test(
    "what goes on after a full tape has the options of the first copy, and what fits is verified")
  func whatGoesOnHasTheOptions() throws {
    try folder.fill("disk.img", 6 << 20)
    try ecopy("tape", "create", "A", "--capacity", "4MiB", "--early-warning", "1MiB")
    let first = try ecopy(
      "copy", "disk.img", "tape:A", "--block-size", "256K", "--filemark", "--verify", "--digest",
      "crc32c", "--format", "json")
    #expect(first.status == 108, "\(first.errors)")
    #expect(first.json["verified"] as? Bool == true)
    #expect(
      first.errors.contains("--block-size 256KiB --filemark --digest crc32c --verify"),
      "\(first.errors)")
    #expect((first.json["tape"] as? [String: Any])?["filemarks"] as? Int == 1)
  }

  @Test("a tape that is copied to a smaller one goes on at its position")
  func aTapeGoesOnAtItsPosition() throws {
    try folder.fill("disk.img", 6 << 20)
    for name in ["A", "B"] { try ecopy("tape", "create", name) }
    try ecopy("tape", "create", "S", "--capacity", "3MiB", "--early-warning", "1MiB")
    try ecopy("copy", "disk.img", "tape:A", "--block-size", "256K", "--filemark")
    let first = try ecopy("copy", "tape:A", "tape:S", "--format", "json")
    #expect(first.status == 108, "\(first.errors)")
    let resume = try #require(first.json["resume"] as? [String: Any])
    let position = try #require(resume["position"] as? Int)
    #expect(first.errors.contains("ecopy copy tape:A,position=\(position) NEXT-TAPE"))
    #expect((first.json["tape"] as? [String: Any])?["filemarks"] as? Int == 0)
    #expect(try ecopy("copy", "tape:A,position=\(position)", "tape:B").status == 0)
    for name in ["A", "B", "S"] { try ecopy("tape", "export", name, name + ".raw") }
    #expect(try folder.bytes("S.raw") + folder.bytes("B.raw") == folder.bytes("A.raw"))
  }

  @Test("standard output that takes nothing is a failure", arguments: [">/dev/full", ">&-"])
  func fullOutputIsAFailure(redirection: String) throws {
    try folder.fill("disk.img", 5000)
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "'\(Program.path)' copy disk.img copy.img 2>err \(redirection)"]
    process.currentDirectoryURL = folder.url
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 15)
    #expect(String(decoding: try folder.bytes("err"), as: UTF8.self).contains("standard output: "))
    #expect(try folder.bytes("copy.img") == folder.bytes("disk.img"))
  }

  @Test("with --format json a copy that does not begin says why on standard output")
  func errorsAreJSONToo() throws {
    let answer = try ecopy("copy", "missing.img", "copy.img", "--format", "json")
    #expect(answer.status == 15)
    #expect(answer.text("status") == "failed")
    #expect(answer.text("message")?.contains("missing.img") == true)
    #expect(answer.complaints.count == 1)
  }

  @Test("several disks lie one behind the other in a file")
  func disksAreJoined() throws {
    let one = try folder.fill("one.img", 1_000_001)
    let two = try folder.fill("two.img", 999, seed: 2)
    #expect(try ecopy("copy", "one.img", "two.img", "both.img", "--verify").status == 0)
    #expect(try folder.bytes("both.img") == one + two)
  }

  @Test("--verify finds a destination that lies")
  func verifyFindsALie() throws {
    try folder.fill("disk.img", 4 << 20)
    let answer = try ecopy(
      "copy", "disk.img", "copy.img,block=512,fault=dropped-write@3000", "--verify", "--format",
      "json")
    #expect(answer.status == 14, "\(answer.errors)")
    #expect(answer.json["verified"] as? Bool == false)
  }
}
