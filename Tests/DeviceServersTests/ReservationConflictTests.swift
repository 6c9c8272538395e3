import Devices
import SAM
import SCSI
import Testing

@testable import DeviceServers

@Suite("Which commands conflict with a reservation")
struct ReservationConflictTests {
  /// Of SPC-4 table 66: what a stranger and a registrant may do while another nexus holds a type.
  private struct Row: Sendable {
    let type: UInt8
    let strangerReads: Bool
    let registrantReads: Bool
    let registrantWrites: Bool
  }

  private static let rows = [
    Row(type: 1, strangerReads: true, registrantReads: true, registrantWrites: false),
    Row(type: 3, strangerReads: false, registrantReads: false, registrantWrites: false),
    Row(type: 5, strangerReads: true, registrantReads: true, registrantWrites: true),
    Row(type: 6, strangerReads: false, registrantReads: true, registrantWrites: true),
    Row(type: 7, strangerReads: true, registrantReads: true, registrantWrites: true),
    Row(type: 8, strangerReads: false, registrantReads: true, registrantWrites: true),
  ]

  /// Commands that never conflict with a persistent reservation.
  private static let harmless: [[UInt8]] = [
    [0x00, 0, 0, 0, 0, 0], [0x03, 0, 0, 0, 32, 0], [0x12, 0, 0, 0, 96, 0],
    [0x4D, 0, 0x40, 0, 0, 0, 0, 0, 64, 0], ReservationBench.reserveIn(0),
    ReservationBench.reserveIn(3),
    [0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], [0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0],
    [0xA3, 0x0C, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], [0xA3, 0x0D, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0],
  ]

  @Test("access by type and registration", arguments: ReservationType.allCases.indices)
  func table(_ index: Int) async throws {
    let row = Self.rows[index]
    try await withReservationBench { bench in
      let holder = bench.join(1)
      let registrant = bench.join(2)
      let stranger = bench.join(3)
      _ = await bench.reserveOut(0, holder, newKey: 1)
      _ = await bench.reserveOut(0, registrant, newKey: 2)
      _ = await bench.reserveOut(1, holder, key: 1, type: row.type)
      func may(_ cdb: [UInt8], _ nexus: Nexus) async -> Bool {
        await bench.run(cdb, from: nexus).status != .reservationConflict
      }
      let modeSense: [UInt8] = [0x1A, 0, 0x3F, 0, 255, 0]
      let modeSelect: [UInt8] = [0x15, 0x10, 0, 0, 0, 0]
      for cdb in [ReservationBench.read, modeSense] {
        #expect(await may(cdb, holder))
        #expect(await may(cdb, registrant) == row.registrantReads)
        #expect(await may(cdb, stranger) == row.strangerReads)
      }
      for cdb in [ReservationBench.write, modeSelect] {
        #expect(await may(cdb, holder))
        #expect(await may(cdb, registrant) == row.registrantWrites)
        #expect(await may(cdb, stranger) == false)
      }
      for cdb in Self.harmless { #expect(await may(cdb, stranger), "\(cdb)") }
    }
  }

  @Test("a disk that starts or allows removal disturbs nobody; one that stops or prevents does")
  func medium() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring) { $0.isRemovable = true }
      let other = BlockBench.nexus(2)
      bench.join(other)
      _ = await bench.run(ReservationBench.out(0), ReservationBench.list(0, 1))
      _ = await bench.run(ReservationBench.out(1, type: 1), ReservationBench.list(1, 0))
      func conflicts(_ cdb: [UInt8], _ data: [UInt8] = []) async -> Bool {
        await bench.run(cdb, data, nexus: other).status == .reservationConflict
      }
      #expect(await !conflicts(BlockCDB.startStop(1)))
      #expect(await conflicts(BlockCDB.startStop(0)))
      #expect(await conflicts(BlockCDB.startStop(0x11)))
      #expect(await !conflicts(BlockCDB.prevent(0)))
      #expect(await conflicts(BlockCDB.prevent(1)))
      #expect(await !conflicts(BlockCDB.read(0, 1)))
      #expect(await !conflicts(BlockCDB.capacity16()))
      #expect(await conflicts(BlockCDB.write(0, 1), [UInt8](repeating: 1, count: 512)))
      #expect(await conflicts(BlockCDB.synchronizeCache))
      await bench.unit.disk.close()
    }
  }

  // MARK: RESERVE and RELEASE

  private static let reserve6: [UInt8] = [0x16, 0, 0, 0, 0, 0]
  private static let release6: [UInt8] = [0x17, 0, 0, 0, 0, 0]
  private static let reserve10: [UInt8] = [0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  private static let release10: [UInt8] = [0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0]

  @Test("RESERVE keeps others out until its nexus releases", arguments: [false, true])
  func reserve(_ isLong: Bool) async throws {
    let (reserve, release) =
      isLong ? (Self.reserve10, Self.release10) : (Self.reserve6, Self.release6)
    try await withReservationBench { bench in
      let first = bench.join(1)
      let second = bench.join(2)
      #expect(await bench.run(reserve, from: first).status == .good)
      #expect(await bench.run(reserve, from: first).status == .good)
      #expect(await bench.run(reserve, from: second).status == .reservationConflict)
      #expect(await bench.run(release, from: second).status == .good)
      for cdb in [
        ReservationBench.read, ReservationBench.write, [0, 0, 0, 0, 0, 0],
        [0x1A, 0, 0x3F, 0, 255, 0],
        ReservationBench.reserveIn(0),
      ] {
        #expect(await bench.run(cdb, from: second).status == .reservationConflict, "\(cdb)")
        #expect(await bench.run(cdb, from: first).status == .good, "\(cdb)")
      }
      #expect(await bench.run([0x12, 0, 0, 0, 96, 0], from: second).status == .good)
      #expect(await bench.reserveOut(0, second, newKey: 1).status == .reservationConflict)
      #expect(await bench.reserveOut(0, first, newKey: 1).status == .reservationConflict)
      #expect(await bench.run(release, from: first).status == .good)
      #expect(await bench.run(reserve, from: second).status == .good)
    }
  }

  @Test("the end of its nexus and a reset free what RESERVE holds")
  func freed() async throws {
    try await withReservationBench { bench in
      var first = bench.join(1)
      let second = bench.join(2)
      _ = await bench.run(Self.reserve6, from: first)
      await bench.router.detach(first)
      #expect(await bench.run(ReservationBench.write, from: second).status == .good)
      for function in [.logicalUnitReset, .targetReset] as [TaskManagementFunction] {
        first = bench.join(1)
        _ = bench.attentions(of: second)
        #expect(await bench.run(Self.reserve6, from: first).status == .good)
        #expect(
          await bench.run(ReservationBench.write, from: second).status == .reservationConflict)
        _ = await bench.router.manage(function, logicalUnit: 0, nexus: second)
        _ = bench.attentions(of: second)
        #expect(await bench.run(ReservationBench.write, from: second).status == .good)
        await bench.router.detach(first)
      }
    }
  }

  @Test("third-party and extent reservations do not exist")
  func thirdParty() async throws {
    try await withReservationBench { bench in
      let nexus = bench.join(1)
      #expect(await bench.run([0x16, 0x10, 0, 0, 0, 0], from: nexus).senseCodes == [5, 0x24, 0])
      #expect(await bench.run([0x16, 0x01, 0, 0, 0, 0], from: nexus).senseCodes == [5, 0x24, 0])
    }
  }

  @Test("beside registrations RESERVE and RELEASE end well for holders only, and do nothing")
  func besideRegistrations() async throws {
    try await withReservationBench { bench in
      let holder = bench.join(1)
      let registrant = bench.join(2)
      let stranger = bench.join(3)
      func all(_ cdb: [UInt8]) async -> [Bool] {
        var answers: [Bool] = []
        for nexus in [holder, registrant, stranger] {
          answers.append(await bench.run(cdb, from: nexus).status == .good)
        }
        return answers
      }
      _ = await bench.reserveOut(0, holder, newKey: 1)
      _ = await bench.reserveOut(0, registrant, newKey: 2)
      #expect(await all(Self.reserve6) == [false, false, false])
      _ = await bench.reserveOut(1, holder, key: 1, type: 1)
      #expect(await all(Self.reserve6) == [true, false, false])
      #expect(await all(Self.release6) == [true, false, false])
      _ = await bench.reserveOut(2, holder, key: 1, type: 1)
      _ = await bench.reserveOut(1, holder, key: 1, type: 5)
      #expect(await all(Self.reserve10) == [true, true, false])
      #expect(await all(Self.release10) == [true, true, false])
      #expect(await bench.run(ReservationBench.write, from: registrant).status == .good)
    }
  }
}
