import Foundation
import Testing

@Suite("ecopy run")
struct RunTests {
  let folder: Scratch
  let disk: [UInt8]
  static let record = 65536
  static let blocks = 4096

  static let segments =
    Lists.copy(blocks: 3001, lba: 0, recordLength: record, cat: true)
    + Lists.copy(blocks: blocks - 3001, lba: 3001, recordLength: record) + Lists.filemark

  init() throws {
    folder = try Scratch()
    disk = try folder.fill("disk.img", Self.blocks * 512)
    try Program.run("tape", "create", "T", in: folder)
  }

  private var source: String { "disk.img,block=512,naa=\(Lists.diskNAA)" }
  private var tape: String { "tape:T,naa=\(Lists.tapeNAA)" }

  private func run(_ list: [UInt8], _ arguments: String...) throws -> Program.Answer {
    try folder.write("list.bin", list)
    return try Program.run(["run", "list.bin", "--format", "json"] + arguments, in: folder)
  }

  @Test("both forms of a list put the disk on the tape", arguments: [true, false])
  func bothFormsPutTheDiskOnTheTape(isVendor: Bool) throws {
    let list =
      isVendor
      ? Lists.vendor(7, Lists.designators, Self.segments)
      : Lists.spc2(7, Lists.designators, Self.segments)
    let answer = try run(list, "--device", source, "--device", tape)
    #expect(answer.status == 0, "\(answer.errors)")
    #expect(answer.number("status") == 0)
    #expect(answer.text("sense") == "")
    #expect(answer.number("listID") == 7)
    #expect(answer.text("heldData") == "")
    #expect(answer.json["heldDataDiscarded"] as? Bool == false)
    #expect(answer.number("segmentsProcessed") == 3)
    #expect(answer.number("bytesRead") == disk.count)
    #expect(answer.number("bytesWritten") == disk.count)
    #expect(answer.number("payloadBytesCopied") == 0)
    let devices = try #require(answer.json["devices"] as? [[String: Any]])
    #expect(devices.map { $0["device"] as? String } == ["disk.img", "tape:T"])
    #expect(devices[0]["position"] is NSNull)
    #expect(devices[1]["position"] as? Int == disk.count / Self.record + 1)
    try Program.run("tape", "export", "T", "raw", in: folder)
    #expect(try folder.bytes("raw") == disk)
  }

  @Test("a second list goes on where position= says")
  func aSecondListGoesOn() throws {
    let list = Lists.vendor(1, Lists.designators, Self.segments)
    _ = try run(list, "--device", source, "--device", tape)
    let answer = try run(list, "--device", source, "--device", tape + ",position=33")
    let devices = try #require(answer.json["devices"] as? [[String: Any]])
    #expect(devices[1]["position"] as? Int == 66)
  }

  @Test(
    "a port name and a LUN name a device, in peripheral and in flat space addressing",
    arguments: ["0003000000000000", "4003000000000000"])
  func portNamesNameDevices(lun: String) throws {
    let targets = Lists.ports(
      disk: "5001405000000001", diskLUN: lun, tape: "5001405000000001",
      tapeLUN: "0000000000000000")
    let answer = try run(
      Lists.spc2(1, targets, Self.segments), "--device", "tape:T,wwn=5001405000000001",
      "--device", "disk.img,wwn=5001405000000001,lun=3")
    #expect(answer.status == 0, "\(answer.errors)")
    #expect(answer.number("bytesWritten") == disk.count)
  }

  @Test("descriptors can be bound by their numbers")
  func descriptorsAreBoundByNumbers() throws {
    let list = Lists.vendor(1, Lists.designators, Self.segments)
    let answer = try run(list, "--cscd", "1=tape:T", "--cscd", "0=disk.img")
    #expect(answer.status == 0, "\(answer.errors)")
    let devices = try #require(answer.json["devices"] as? [[String: Any]])
    #expect(devices.map { $0["device"] as? String } == ["tape:T", "disk.img"])
  }

  @Test("a device that nothing matches is unreachable: COPY ABORTED")
  func whatNothingMatchesIsUnreachable() throws {
    let answer = try run(
      Lists.vendor(1, Lists.designators, Self.segments), "--device", source, "--device",
      "tape:T,naa=5001405000000000")
    #expect(answer.status == 10)
    #expect(answer.number("status") == 2)
    let sense = Lists.bytes(answer.text("sense") ?? "")
    #expect(sense.count >= 18)
    #expect(sense[2] & 0x0F == 0x0A)
    #expect((sense[12], sense[13]) == (0x08, 0x04))
    #expect(answer.complaints.count == 1)
  }

  @Test("a range behind the end of the disk is refused before anything moves")
  func aRangeBehindTheEndIsRefused() throws {
    let answer = try run(
      Lists.vendor(
        1, Lists.designators,
        Lists.copy(blocks: 128, lba: Self.blocks - 127, recordLength: Self.record)),
      "--device", source, "--device", tape)
    #expect(answer.status == 10)
    #expect(answer.number("bytesWritten") == 0)
    #expect(answer.complaints.count == 1)
    #expect(answer.errors.contains("behind the end"))
    #expect(answer.errors.contains("disk.img has 4096 blocks of 512 bytes"))
    #expect(answer.errors.contains("the range of 128 blocks from LBA 3969"))
  }

  @Test("lengths that differ are both named")
  func lengthsAreNamed() throws {
    let list = Lists.vendor(1, Lists.designators, Self.segments)
    let blocks = try run(list, "--cscd", "0=disk.img,block=1024", "--cscd", "1=tape:T")
    #expect(blocks.errors.contains("blocks of 512 bytes, disk.img has 1024"), "\(blocks.errors)")
    let unbound = try run(list, "--cscd", "0=disk.img,block=512")
    #expect(unbound.errors.contains("target descriptor 1"), "\(unbound.errors)")
    #expect(unbound.errors.lowercased().contains(Lists.tapeNAA), "\(unbound.errors)")
    #expect(try run(list, "--device", source, "--device", tape).status == 0)
    // 01h: 128 blocks in records of 32,768 bytes; the tape has records of 65,536.
    let back =
      Lists.bytes("01000014 0001 0000 00 008000 0000") + Lists.bigEndian(128, 2)
      + Lists.bigEndian(0, 8)
    let records = try run(
      Lists.vendor(1, Lists.designators, back), "--cscd", "0=disk.img,block=512", "--cscd",
      "1=tape:T")
    #expect(
      records.errors.contains("a record of 65536 bytes, 32768 were asked for"),
      "\(records.errors)")
  }

  @Test("a segment that names a descriptor the list has not is told with both numbers")
  func anIndexBehindTheList() throws {
    var segment = Lists.copy(blocks: 128, lba: 0, recordLength: Self.record)
    segment[7] = 5
    let answer = try run(
      Lists.vendor(1, Lists.designators, segment), "--device", source, "--device", tape)
    #expect(
      answer.errors.contains("the list has 2 target descriptors, segment 0 names number 5"),
      "\(answer.errors)")
  }

  @Test(
    "a list that is cut short is refused with ILLEGAL REQUEST, and the JSON says so",
    arguments: [1, 11, 12, 50, 100])
  func aTruncatedListIsRefused(length: Int) throws {
    let list = Lists.vendor(1, Lists.designators, Self.segments)
    let answer = try run(Array(list.prefix(length)), "--device", source, "--device", tape)
    #expect(answer.status == 5)
    #expect(answer.number("status") == 2)
    let sense = Lists.bytes(answer.text("sense") ?? "")
    #expect(sense.count >= 18)
    #expect(sense[2] & 0x0F == 0x05)
    #expect(answer.complaints.count == 1)
    #expect(try Program.run("tape", "list", "T", in: folder).output.hasPrefix("0  end of data"))
  }

  @Test("a write-protected tape is told apart, and stays as it is")
  func aProtectedTapeStaysAsItIs() throws {
    let answer = try run(
      Lists.vendor(1, Lists.designators, Self.segments), "--device", source, "--device",
      tape + ",readonly")
    #expect(answer.status == 10)
    #expect(answer.errors.contains("tape:T: DATA PROTECT, WRITE PROTECTED"))
    #expect(answer.number("bytesWritten") == 0)
  }

  @Test("a full tape ends a list at a record border, and says so")
  func aFullTapeEndsAList() throws {
    try Program.run("tape", "create", "S", "--capacity", "640KiB", in: folder)
    let answer = try run(
      Lists.vendor(1, Lists.designators, Self.segments), "--device", source, "--device",
      "tape:S,naa=\(Lists.tapeNAA)")
    #expect(answer.status == 10)
    #expect(answer.number("bytesWritten") == 10 * Self.record)
    #expect(answer.errors.contains("the tape is full"))
  }

  @Test("a read error names the disk and the block")
  func aReadErrorNamesTheBlock() throws {
    let answer = try run(
      Lists.vendor(1, Lists.designators, Self.segments), "--device",
      source + ",fault=read-error@1000", "--device", tape)
    #expect(answer.status == 10)
    #expect(answer.errors.contains("disk.img: MEDIUM ERROR"))
    #expect(answer.errors.contains("block 1000"))
  }

  @Test("two devices of one name, and one descriptor bound twice, are refused")
  func twoDevicesOfOneNameAreRefused() throws {
    try folder.fill("other.img", 512)
    let list = Lists.vendor(1, Lists.designators, Self.segments)
    let named = try run(
      list, "--device", source, "--device", "other.img,naa=\(Lists.diskNAA)", "--device", tape)
    #expect(named.status == 31)
    #expect(named.complaints.count == 1)
    #expect(try run(list, "--cscd", "0=disk.img", "--cscd", "0=other.img").status == 31)
  }

  @Test("a descriptor number that does not exist is refused")
  func aNumberThatDoesNotExistIsRefused() throws {
    let answer = try run(
      Lists.vendor(1, Lists.designators, Self.segments), "--cscd", "0=disk.img", "--cscd",
      "2=tape:T")
    #expect(answer.status == 5)
    #expect(answer.complaints.count == 1)
    #expect(answer.output.isEmpty)
  }

  @Test("a disk whose size its block length does not divide is refused")
  func aBlockLengthThatDoesNotDivide() throws {
    let answer = try run(
      Lists.vendor(1, Lists.designators, Self.segments), "--device",
      "disk.img,block=1000,naa=\(Lists.diskNAA)", "--device", tape)
    #expect(answer.status == 5)
    #expect(answer.complaints.count == 1)
    #expect(answer.errors.contains("block length"))
  }

  @Test("a list that is no file is a file error", arguments: ["nothing.bin", "."])
  func aListThatIsNoFile(path: String) throws {
    let answer = try Program.run("run", path, "--device", source, in: folder)
    #expect(answer.status == 15)
    #expect(answer.complaints.count == 1)
  }
}
