import SAM
import SCSI
import Testing

@testable import DeviceServers

@Suite("Reservations through a power loss")
struct ReservationStoreTests {
  private static let kept: UInt8 = 0x01

  @Test("a kept reservation holds before the first command of the next run")
  func restart() async throws {
    try await withReservationRing { ring in
      let store = ReservationMemory()
      var bench = ReservationBench(ring: ring, control: ControlBlock(store: store))
      #expect(await bench.unit.control.restore() == .nothing)
      _ = await bench.reserveOut(0, bench.join(1), newKey: 1, flags: Self.kept)
      _ = await bench.reserveOut(1, bench.join(1), key: 1, type: 3)
      let capabilities = await bench.run(ReservationBench.reserveIn(2), from: bench.join(2)).data
      #expect(capabilities == [0, 8, 0x1D, 0x81, 0xEA, 0x01, 0, 0])

      bench = ReservationBench(ring: ring, control: ControlBlock(store: store))
      #expect(await bench.run(ReservationBench.write, from: bench.join(2)).status == .busy)
      #expect(await bench.unit.control.restore() == .registrations(1))
      #expect(
        await bench.run(ReservationBench.write, from: bench.join(2)).status == .reservationConflict)
      #expect(await bench.run(ReservationBench.write, from: bench.join(1)).status == .good)
      #expect(
        await bench.run(ReservationBench.reserveIn(1), from: bench.join(1)).data
          == [0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0])
    }
  }

  @Test("the last registration with APTPL zero makes all of it be forgotten")
  func forgotten() async throws {
    try await withReservationRing { ring in
      let store = ReservationMemory()
      var bench = ReservationBench(ring: ring, control: ControlBlock(store: store))
      _ = await bench.unit.control.restore()
      _ = await bench.reserveOut(0, bench.join(1), newKey: 1, flags: Self.kept)
      _ = await bench.reserveOut(0, bench.join(2), newKey: 2)
      let count = store.storeCount
      _ = await bench.reserveOut(1, bench.join(2), key: 2, type: 3)
      #expect(store.storeCount == count)
      bench = ReservationBench(ring: ring, control: ControlBlock(store: store))
      #expect(await bench.unit.control.restore() == .nothing)
      #expect(bench.unit.control.persistent == PersistentReservations())
    }
  }

  @Test("what cannot be stored does not happen")
  func storeFails() async throws {
    try await withReservationRing { ring in
      let store = ReservationMemory()
      let bench = ReservationBench(ring: ring, control: ControlBlock(store: store))
      _ = await bench.unit.control.restore()
      let nexus = bench.join(1)
      _ = await bench.reserveOut(0, nexus, newKey: 1, flags: Self.kept)
      let before = bench.unit.control.persistent
      store.fails = true
      #expect(await bench.reserveOut(1, nexus, key: 1, type: 3).senseCodes == [4, 0x44, 0])
      #expect(bench.unit.control.persistent == before)
      #expect(await bench.run(ReservationBench.write, from: bench.join(2)).status == .good)
      store.fails = false
      #expect(await bench.reserveOut(1, nexus, key: 1, type: 3).status == .good)
    }
  }

  @Test("a damaged store leaves the unit busy until somebody decides to go on without it")
  func damaged() async throws {
    try await withReservationRing { ring in
      let store = ReservationMemory()
      store.bytes = [1, 2, 3]
      let bench = ReservationBench(ring: ring, control: ControlBlock(store: store))
      #expect(await bench.unit.control.restore() == .damaged)
      let nexus = bench.join(1)
      #expect(await bench.run(ReservationBench.write, from: nexus).status == .busy)
      bench.unit.control.forgetStored()
      #expect(await bench.run(ReservationBench.write, from: nexus).status == .good)
    }
  }
}
