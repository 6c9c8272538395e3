import Devices
import ISCSIProtocol
import SCSI
import Testing
import Uring

@testable import ISCSI

@Suite("A tape over iSCSI")
struct RemoteTapeTests {
  /// Runs `body` with a drive that `setUp` makes.
  private func withDrive(
    connections: Int = 1, _ setUp: @escaping @Sendable (FakeDrive) -> Void = { _ in },
    _ body: @escaping @Sendable (RemoteTape, FakeDrive) async throws -> Void
  ) async throws {
    try await withFakeTarget { target in
      target.policy.wanted.firstBurstLength = 8192
      let drive = FakeDrive()
      setUp(drive)
      let script = target.serve(drive, connections: connections)
      let tape = try await target.openTape()
      try await body(tape, drive)
      _ = await tape.close()
      await script.wait()
    }
  }

  private func write(_ bytes: [UInt8], to tape: RemoteTape) async throws -> DeviceStatus {
    var payload = try tape.unit.ring.room(bytes.count)
    payload.overwrite(with: bytes)
    return await tape.write(payload).status
  }

  private func read(
    _ count: Int, from tape: RemoteTape, acceptsShorter: Bool = true
  ) async throws -> (DeviceStatus, [UInt8]) {
    let payload = try tape.unit.ring.room(count)
    let completion = await tape.read(into: payload, acceptsShorter: acceptsShorter)
    let status = completion.status
    return (status, Array(completion.takePayload().bytes().prefix(status.byteCount)))
  }

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
          check(try await write(counting(length), to: tape).isSuccess)
        }
        check(await tape.writeFilemarks(1, immediate: false).isSuccess)
        check(await tape.locate(0).isSuccess)
        for length in lengths {
          let (status, bytes) = try await read(100_000, from: tape)
          #expect(status == .good(length) && bytes == counting(length))
        }
        let (mark, _) = try await read(100_000, from: tape)
        #expect(mark.condition?.filemark == true && mark.byteCount == 0)
        let (end, _) = try await read(100_000, from: tape)
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
      let (status, _) = try await read(1000, from: tape)
      #expect(status.condition?.incorrectLength == true)
      #expect(status.condition?.information == -4000)
      check(await tape.locate(0).isSuccess)
      #expect(tape.nextRecordLength == 5000)
      let (whole, bytes) = try await read(5000, from: tape)
      #expect(whole == .good(5000) && bytes == counting(5000))
    }
  }

  @Test("ends a read of exact length at a shorter record, with its right bytes")
  func exact() async throws {
    try await withDrive { tape, drive in
      drive.tape = [.record(counting(600))]
      let (status, bytes) = try await read(1000, from: tape, acceptsShorter: false)
      #expect(status.condition?.incorrectLength == true && status.byteCount == 600)
      #expect(status.condition?.information == 400 && bytes == counting(600))
    }
  }

  @Test("does not read a record without length for ever")
  func empty() async throws {
    try await withDrive { tape, drive in
      drive.tape = [.record([])]
      let (status, _) = try await read(1000, from: tape)
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
          let (_, bytes) = try await read(10, from: tape)
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
      check(try await write(counting(100), to: tape) == .good(100))
      let second = try await write(counting(100), to: tape)
      #expect(second.byteCount == 100 && second.condition?.isEarlyWarning == true)
      #expect(second.isSuccess && tape.isPastEarlyWarning)
      tape.bytesPastEarlyWarning = RemoteTape.roomPastEarlyWarning - 50
      let third = try await write(counting(100), to: tape)
      #expect(third.condition?.key == .volumeOverflow && third.byteCount == 0)
      #expect(drive.tape.count == 2)
    }
  }

  @Test("refuses writes to a protected tape without asking")
  func protected() async throws {
    try await withDrive({ $0.isProtected = true }) { tape, drive in
      #expect(tape.isWriteProtected)
      check(try await write([1], to: tape).condition?.key == .dataProtect)
      #expect(!drive.commands.contains(0x0A))
    }
  }

  @Test("writes a record again after a loss only where the drive says that it did not")
  func lostWrite() async throws {
    for cut in [FakeDrive.Cut.before, .after] {
      try await withDrive(connections: 2) { tape, drive in
        check(try await write(counting(10), to: tape).isSuccess)
        drive.cut = cut
        check(try await write(counting(20), to: tape) == .good(20))
        check(try await write(counting(30), to: tape) == .good(30))
        #expect(drive.tape == [10, 20, 30].map { .record(counting($0)) })
        #expect(drive.blockLength == 0)
      }
    }
  }

  @Test("reads a record again after a loss, wherever the loss came")
  func lostRead() async throws {
    for cut in [FakeDrive.Cut.before, .after] {
      try await withDrive(connections: 2) { tape, drive in
        drive.tape = [10, 20, 30].map { .record(counting($0)) }
        for length in [10, 20, 30] {
          if length == 20 { drive.cut = cut }
          let (status, bytes) = try await read(1000, from: tape)
          #expect(status == .good(length) && bytes == counting(length))
        }
      }
    }
  }

  @Test("ends where nobody knows, or the tape is elsewhere, and writes nothing more")
  func lostPosition() async throws {
    for tells in [false, true] {
      try await withDrive(connections: 2, { $0.tellsPosition = tells }) { tape, drive in
        check(try await write(counting(10), to: tape).isSuccess)
        drive.cut = .after
        drive.movesAtLoss = -2
        let status = try await write(counting(20), to: tape)
        #expect(status.condition?.additional == AdditionalSense(code: 0x3B, qualifier: 0))
        #expect(status.byteCount == 0 && drive.tape.count == 2)
        #expect(!drive.commands.suffix(3).contains(0x0A))
        check(!(try await write(counting(30), to: tape)).isSuccess)
        check(!(await tape.writeFilemarks(1, immediate: false)).isSuccess)
        #expect(drive.tape.count == 2)
        if !tells {
          await #expect(throws: Condition.self) { _ = try await tape.position() }
        }
      }
    }
  }

  @Test("goes on after a reset that left the tape in place, and stops after one that did not")
  func reset() async throws {
    try await withDrive { tape, drive in
      check(try await write(counting(10), to: tape).isSuccess)
      drive.attentions = [(0x29, 0x02), (0x2A, 0x01)]
      check(try await write(counting(20), to: tape) == .good(20))
      drive.attentions = [(0x29, 0x00)]
      drive.position = 0
      check(try await write(counting(30), to: tape).condition != nil)
      #expect(drive.tape.count == 2)
    }
    try await withDrive { tape, drive in
      drive.attentions = [(0x28, 0x00)]
      check(try await write(counting(10), to: tape).condition?.key == .unitAttention)
      #expect(drive.tape.isEmpty)
    }
  }
}
