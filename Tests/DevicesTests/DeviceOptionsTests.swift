import Testing

@testable import Devices

@Suite("A device string")
struct DeviceOptionsTests {
  @Test("names a disk, a cartridge or a drive, with its options")
  func options() throws {
    let disk = try DeviceOptions("a,,b.img,block=4KiB,naa=50:00:c5:00:a1:b2:c3:d4,lun=7,readonly")
    #expect(disk.kind == .disk && disk.path == "a,b.img" && disk.blockLength == 4096)
    #expect(disk.naa == [0x50, 0, 0xC5, 0, 0xA1, 0xB2, 0xC3, 0xD4])
    #expect(disk.lun == 7 && disk.readOnly && disk.misbehaviour == Misbehaviour())
    let tape = try DeviceOptions("tape:/t,position=12,wwn=0x5000000000000001,drive=lto-9")
    #expect(tape.kind == .cartridge && tape.path == "/t" && tape.position == .object(12))
    #expect(tape.wwn?.count == 8 && tape.drive == .lto9)
    #expect(try DeviceOptions("tape:/t,position=end").position == .endOfData)
    #expect(try DeviceOptions("/dev/nst0").kind == .tape)
    var model = StreamingDrive.Model(
      nativeBytesPerSecond: 400_000_000, slowestBytesPerSecond: 177_000_000)
    #expect(try DeviceOptions("tape:/t,drive=400MB/177MB").drive == model)
    model.bufferByteCount = 32_000_000
    #expect(try DeviceOptions("tape:/t,drive=400MB/177MB/32MB").drive == model)
  }

  @Test("tells what is to go wrong")
  func misbehaviour() throws {
    let found = try DeviceOptions(
      "d,fault=read-error@0x64,fault=torn-write@7/once,fault=lying-flush,delay=5ms,rate=400MB,"
        + "stall=2s/10s"
    ).misbehaviour
    #expect(
      found.faults == [Fault(.readError, at: 100), Fault(.tornWrite, at: 7, once: true)])
    #expect(found.liesAboutFlush && found.delayNanoseconds == 5_000_000)
    #expect(found.bytesPerSecond == 400_000_000)
    #expect(found.stallNanoseconds == 2_000_000_000)
    #expect(found.stallPeriodNanoseconds == 10_000_000_000)
    for kind in Fault.Kind.allCases {
      #expect(
        try DeviceOptions("d,fault=\(kind.rawValue)@1").misbehaviour.faults
          == [Fault(kind, at: 1)])
    }
  }

  @Test(
    "that is not understood is refused with its option",
    arguments: [
      ",block=1", "d,block=", "d,block=0", "d,block=17MiB", "d,block=x", "d,block=+1", "d,colour=1",
      "d,readonly=1", "d,lun=16384", "d,naa=12", "d,naa=zz00000000000000", "d,position=1",
      "tape:d,block=1", "tape:", "d,lun=1,lun=1", "d,fault=fire@1", "d,fault=read-error",
      "d,fault=read-error@", "d,delay=5", "d,delay=25h", "d,stall=2s", "d,stall=2s/2s",
      "d,rate=0", "d,rate=99999999999TB", "d,drive=lto-9", "tape:d,drive=lto-1",
      "tape:d,drive=1MB/2MB", "tape:d,drive=2MB/1MB/0", "tape:d,drive=2MB/1MB/1MB/1",
      "d,", "d,delay=99999999s",
    ])
  func refused(text: String) {
    #expect(throws: DeviceError.self) { try DeviceOptions(text) }
  }

  @Test(
    "a URL is shown without its passwords, also where it is none",
    arguments: [
      ("iscsi://h/iqn.x/0", "iscsi://h/iqn.x/0"),
      ("iscsi://u%secret@h:1/iqn.x/0", "iscsi://u%…@h:1/iqn.x/0"),
      ("iscsi://u:secret@h/iqn.x/0", "iscsi://u%…@h/iqn.x/0"),
      ("iscsi://u%se/cr?et@h/iqn.x/0", "iscsi://u%…@h/iqn.x/0"),
      ("iscsi://u%a@secret@h/iqn.x/0", "iscsi://u%…@h/iqn.x/0"),
      (
        "iscsi://u%secret@h/iqn.x/0?target-user=t&target-password=s,e@cret&data-digest=none",
        "iscsi://u%…@h/iqn.x/0?target-user=t&target-password=…&data-digest=none"
      ), ("disk%secret@h", "disk%secret@h"),
    ])
  func shown(text: String, shown: String) {
    #expect(DeviceOptions.shown(text) == shown)
  }

  @Test("a URL is remote, with options behind commas")
  func remote() throws {
    let options = try DeviceOptions("iscsi://u%a,,b@h/iqn.x/1,position=end,readonly")
    #expect(options.kind == .remote && options.path == "iscsi://u%a,b@h/iqn.x/1")
    #expect(options.position == .endOfData && options.readOnly)
    do {
      _ = try DeviceOptions("iscsi://u%secret@h/iqn.x/1,bogus=1")
      Issue.record("bogus= is no option")
    } catch {
      #expect(!error.description.contains("secret"))
    }
  }

  @Test(
    "no message shows a part of a password, whatever is typed",
    arguments: [
      "iscsi://u%hush,HUSH@h/iqn.x/0", "iscsi://u%hush,HUSH=1@h/iqn.x/0",
      "iscsi://u%hush,block=HUSH@h/iqn.x/0", "iscsi://u:hush,HUSH@h/iqn.x/0",
      "iscsi://u%h@h/iqn.x/0?target-user=t&target-password=hush,HUSH",
      "iscsi://u%hush,HUSH", "iscsi://u%hush@h/iqn.x/0,HUSH",
    ])
  func secrets(text: String) {
    do throws(DeviceError) {
      _ = try DeviceOptions(text)
      Issue.record("it is understood")
    } catch {
      #expect(!error.description.lowercased().contains("hush"), "\(error)")
    }
  }
}
