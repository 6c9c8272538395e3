import Devices
import ISCSIProtocol
import SCSI
import Testing
import Uring

@testable import ISCSI

@Suite("A tape over iSCSI, after its connection or its drive began anew,")
struct RemoteTapeRecoveryTests {
  private let positionLost = AdditionalSense(code: 0x3B, qualifier: 0)

  @Test("writes a record again after a loss only where the drive says that it did not")
  func lostWrite() async throws {
    for cut in [FakeDrive.Cut.before, .after] {
      try await withDrive(connections: 2) { tape, drive in
        check(try await tape.write(counting(10)).isSuccess)
        drive.cut = cut
        check(try await tape.write(counting(20)) == .good(20))
        check(try await tape.write(counting(30)) == .good(30))
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
          let (status, bytes) = try await tape.read(1000)
          #expect(status == .good(length) && bytes == counting(length))
        }
      }
    }
  }

  @Test("ends where nobody knows, or the tape is elsewhere, and writes nothing more")
  func lostPosition() async throws {
    for tells in [false, true] {
      try await withDrive(connections: 2, { $0.tellsPosition = tells }) { tape, drive in
        check(try await tape.write(counting(10)).isSuccess)
        drive.cut = .after
        drive.duringLoss = { $0.position -= 2 }
        let status = try await tape.write(counting(20))
        #expect(status.condition?.additional == AdditionalSense(code: 0x3B, qualifier: 0))
        #expect(status.byteCount == 0 && drive.tape.count == 2)
        #expect(!drive.commands.suffix(3).contains(0x0A))
        check(!(try await tape.write(counting(30))).isSuccess)
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
      check(try await tape.write(counting(10)).isSuccess)
      drive.attentions = [(0x29, 0x02), (0x2A, 0x01)]
      check(try await tape.write(counting(20)) == .good(20))
      drive.attentions = [(0x29, 0x00)]
      drive.position = 0
      check(try await tape.write(counting(30)).condition != nil)
      #expect(drive.tape.count == 2)
    }
    try await withDrive { tape, drive in
      drive.attentions = [(0x28, 0x00)]
      check(try await tape.write(counting(10)).condition?.key == .unitAttention)
      #expect(drive.tape.isEmpty)
    }
  }

  @Test(
    "does not take what somebody else wrote for the record in flight",
    arguments: [
      FakeDrive.Object.filemark, .record(counting(20).reversed()), .record(counting(21)),
      .record(counting(19)), .record(counting(19) + [0]),
    ])
  func impostor(object: FakeDrive.Object) async throws {
    try await withDrive(connections: 2) { tape, drive in
      check(try await tape.write(counting(10)).isSuccess)
      drive.cut = .before
      drive.duringLoss = {
        $0.tape.append(object)
        $0.position += 1
      }
      let status = try await tape.write(counting(20))
      #expect(status.condition?.additional == positionLost && status.byteCount == 0)
      check(!(try await tape.write(counting(30))).isSuccess)
      check(!(await tape.writeFilemarks(1, immediate: false)).isSuccess)
      #expect(drive.tape == [.record(counting(10)), object])
      #expect(drive.log.lines.contains { $0.contains("object 1") }, "\(drive.log.lines)")
    }
  }

  @Test("does not take for written a record that was never sent")
  func neverSent() async throws {
    try await withDrive(connections: 2) { tape, drive in
      check(try await tape.write(counting(10)).isSuccess)
      drive.tape.append(.record(counting(20)))
      drive.position += 1
      await drive.disconnect()
      while tape.unit.session.loginCount < 2 {
        await tape.unit.ring.sleep(nanoseconds: 1_000_000)
      }
      check(try await tape.write(counting(20)).condition?.additional == positionLost)
      #expect(drive.tape.count == 2)
    }
  }

  @Test("counts filemarks in flight as written only where filemarks are")
  func lostFilemarks() async throws {
    for cut in [FakeDrive.Cut.before, .after] {
      try await withDrive(connections: 2) { tape, drive in
        check(try await tape.write(counting(10)).isSuccess)
        drive.cut = cut
        check(await tape.writeFilemarks(2, immediate: false).isSuccess)
        check(try await tape.write(counting(20)).isSuccess)
        #expect(
          drive.tape == [.record(counting(10)), .filemark, .filemark, .record(counting(20))])
      }
    }
    try await withDrive(connections: 2) { tape, drive in
      check(try await tape.write(counting(10)).isSuccess)
      drive.cut = .before
      drive.duringLoss = {
        $0.tape += [.filemark, .record([1])]
        $0.position += 2
      }
      let status = await tape.writeFilemarks(2, immediate: false)
      #expect(status.condition?.additional == positionLost)
      check(!(try await tape.write(counting(20))).isSuccess)
      #expect(drive.tape.count == 3)
    }
  }

  @Test("ends where the cartridge was changed, and says so")
  func changedCartridge() async throws {
    let changed = AdditionalSense(code: 0x28, qualifier: 0)
    try await withDrive(connections: 2) { tape, drive in
      check(try await tape.write(counting(10)).isSuccess)
      drive.cut = .before
      drive.attentionsAtLoss = [(0x29, 0x07), (0x28, 0x00)]
      drive.duringLoss = { $0.tape = [.record(counting(99))] }
      let status = try await tape.write(counting(20))
      #expect(status.condition?.key == .unitAttention && status.condition?.additional == changed)
      check(!(try await tape.write(counting(30))).isSuccess)
      #expect(drive.tape == [.record(counting(99))])
    }
    try await withDrive { tape, drive in
      check(try await tape.write(counting(10)).isSuccess)
      drive.attentions = [(0x29, 0x00), (0x28, 0x00)]
      check(try await tape.write(counting(20)).condition?.additional == changed)
      #expect(drive.tape.count == 1)
      // The other cartridge may be used by whoever rewinds it, and was told once that it is another.
      drive.attentions = [(0x28, 0x00)]
      check(await tape.locate(0).condition?.additional == changed)
      check(!(try await tape.write(counting(20))).isSuccess)
      check(await tape.locate(0).isSuccess)
      check(try await tape.write(counting(20)).isSuccess)
    }
  }

  @Test("writes nothing more after a drive that was found empty")
  func emptyDrive() async throws {
    try await withDrive(connections: 2) { tape, drive in
      check(try await tape.write(counting(10)).isSuccess)
      drive.cut = .before
      drive.isEmpty = true
      check(try await tape.write(counting(20)).condition?.key == .notReady)
      drive.isEmpty = false
      check(!(try await tape.write(counting(20))).isSuccess)
      #expect(drive.tape.count == 1)
    }
  }
}
