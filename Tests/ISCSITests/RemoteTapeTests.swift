import Devices
import ISCSIProtocol
import SCSI
import Testing
import Uring

@testable import ISCSI

@Suite("A tape over iSCSI")
struct RemoteTapeTests {
  @Test("is set to variable-block mode, behind the unit attention that is due")
  func setUp() async throws {
    try await withDrive { tape, drive in
      #expect(drive.blockLength == 0 && tape.recordLengthMaximum == 0x10_0000)
      #expect(!tape.isWriteProtected)
      let position = try await tape.position()
      #expect(position.object == 0 && position.isBeginning)
    }
  }

  @Test("gives back records of every length, filemarks and the end, whatever the drive says")
  func lengths() async throws {
    for isVague in [false, true] {
      try await withDrive({
        $0.isVague = isVague
        $0.tellsPosition = !isVague
      }) { tape, drive in
        let lengths = [700, 700, 8000, 1, 700]
        for length in lengths {
          check(try await tape.write(counting(length)).isSuccess)
        }
        check(await tape.writeFilemarks(1, immediate: false).isSuccess)
        check(await tape.locate(0).isSuccess)
        for length in lengths {
          let (status, bytes) = try await tape.read(100_000)
          #expect(status == .good(length) && bytes == counting(length))
        }
        let (mark, _) = try await tape.read(100_000)
        #expect(mark.condition?.filemark == true && mark.byteCount == 0)
        let (end, _) = try await tape.read(100_000)
        #expect(end.condition?.key == .blankCheck)
        #expect(end.condition?.additional == .endOfDataDetected)
        check(try await tape.position().object == 6)
      }
    }
  }

  @Test("tells a record longer than the room for it, and reads it whole the next time")
  func tooLong() async throws {
    try await withDrive { tape, drive in
      drive.tape = [.record(counting(5000))]
      let (status, _) = try await tape.read(1000)
      #expect(status.condition?.incorrectLength == true)
      #expect(status.condition?.information == -4000)
      check(await tape.locate(0).isSuccess)
      #expect(tape.nextRecordLength == 5000)
      let (whole, bytes) = try await tape.read(5000)
      #expect(whole == .good(5000) && bytes == counting(5000))
    }
  }

  @Test("ends a read of exact length at a shorter record, with its right bytes")
  func exact() async throws {
    try await withDrive { tape, drive in
      drive.tape = [.record(counting(600))]
      let (status, bytes) = try await tape.read(1000, acceptsShorter: false)
      #expect(status.condition?.incorrectLength == true && status.byteCount == 600)
      #expect(status.condition?.information == 400 && bytes == counting(600))
    }
  }

  @Test("does not read a record without length for ever")
  func empty() async throws {
    try await withDrive { tape, drive in
      drive.tape = [.record([])]
      let (status, _) = try await tape.read(1000)
      #expect(status.condition?.key == .mediumError)
    }
  }

  @Test("counts objects where the drive does not, also to the end of data")
  func counts() async throws {
    for objectCount in [0, 1, 2, 3, 7, 8, 21] {
      try await withDrive({
        $0.isVague = true
        $0.tellsPosition = false
        $0.tape = (0..<objectCount).map { $0 % 5 == 4 ? .filemark : .record([UInt8($0)]) }
        $0.position = objectCount / 2
      }) { tape, drive in
        check(try await tape.position().object == 0)
        check(await tape.space(.endOfData, count: 1).isSuccess)
        check(try await tape.position().object == UInt64(objectCount))
        #expect(drive.position == objectCount)
        if objectCount > 1 {
          check(await tape.locate(1).isSuccess)
          let (_, bytes) = try await tape.read(10)
          #expect(bytes == [1])
        }
        check(await tape.locate(UInt64(objectCount)).isSuccess)
        check(await tape.locate(UInt64(objectCount) + 1).condition != nil)
      }
    }
  }

  @Test("tells early warning, and stops by itself where the drive does not")
  func endOfMedium() async throws {
    try await withDrive({
      $0.isVague = true
      $0.capacity = 1
    }) { tape, drive in
      check(try await tape.write(counting(100)) == .good(100))
      let second = try await tape.write(counting(100))
      #expect(second.byteCount == 100 && second.condition?.isEarlyWarning == true)
      #expect(second.isSuccess && tape.isPastEarlyWarning)
      tape.bytesPastEarlyWarning = RemoteTape.roomPastEarlyWarning - 50
      let third = try await tape.write(counting(100))
      #expect(third.condition?.key == .volumeOverflow && third.byteCount == 0)
      #expect(drive.tape.count == 2)
    }
  }

  @Test("refuses writes to a protected tape without asking")
  func protected() async throws {
    try await withDrive({ $0.isProtected = true }) { tape, drive in
      #expect(tape.isWriteProtected)
      check(try await tape.write([1]).condition?.key == .dataProtect)
      #expect(!drive.commands.contains(0x0A))
    }
  }

  @Test("does not count a record at early warning of which only a part was asked for")
  func partAtEarlyWarning() async throws {
    try await withDrive({ $0.capacity = 0 }) { tape, drive in
      // More than the 8192 bytes that go unasked.
      let status = try await tape.write(counting(9000))
      #expect(!status.isSuccess && status.byteCount == 0)
    }
  }
}
