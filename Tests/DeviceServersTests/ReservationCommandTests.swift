import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("PERSISTENT RESERVE IN and OUT")
struct ReservationCommandTests {
  @Test("parameter data of PERSISTENT RESERVE IN, byte by byte")
  func golden() async throws {
    try await withReservationBench { bench in
      let nexus = bench.join(0x11)
      #expect(
        await bench.run(ReservationBench.reserveIn(0), from: nexus).data == [
          0, 0, 0, 0, 0, 0, 0, 0,
        ])
      #expect(
        await bench.run(ReservationBench.reserveIn(1), from: nexus).data == [
          0, 0, 0, 0, 0, 0, 0, 0,
        ])
      #expect(
        await bench.run(ReservationBench.reserveIn(2), from: nexus).data
          == [0, 8, 0x1C, 0x80, 0xEA, 0x01, 0, 0])
      let key: UInt64 = 0x0102_0304_0506_0708
      #expect(await bench.reserveOut(0, nexus, newKey: key).status == .good)
      #expect(await bench.reserveOut(1, nexus, key: key, type: 5).status == .good)
      #expect(
        await bench.run(ReservationBench.reserveIn(0), from: nexus).data
          == [0, 0, 0, 1, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8])
      #expect(
        await bench.run(ReservationBench.reserveIn(1), from: nexus).data
          == [0, 0, 0, 1, 0, 0, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 5, 0, 0])
      let text = Array("iqn.2026-11.test:17,i,0x000000000011".utf8) + [0, 0, 0, 0]
      #expect(
        await bench.run(ReservationBench.reserveIn(3), from: nexus).data
          == [0, 0, 0, 1, 0, 0, 0, 68, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 1]
          + [0, 0, 0, 44, 0x45, 0, 0, 40] + text)
      #expect(
        await bench.run(ReservationBench.reserveIn(0, length: 9), from: nexus).data
          == [0, 0, 0, 1, 0, 0, 0, 8, 1])
    }
  }

  @Test("READ RESERVATION has key zero where all registrants hold it")
  func allRegistrants() async throws {
    try await withReservationBench { bench in
      let nexus = bench.join(1)
      _ = await bench.reserveOut(6, nexus, key: 99, newKey: 7)
      _ = await bench.reserveOut(1, nexus, key: 7, type: 8)
      #expect(
        await bench.run(ReservationBench.reserveIn(1), from: nexus).data
          == [0, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0])
    }
  }

  @Test("service actions that do not exist are an invalid field in the CDB")
  func serviceActions() async throws {
    try await withReservationBench { bench in
      let nexus = bench.join(1)
      for action in 4...31 as ClosedRange<UInt8> {
        #expect(
          await bench.run(ReservationBench.reserveIn(action), from: nexus).senseCodes == [
            5, 0x24, 0,
          ])
      }
      for action in 8...31 as ClosedRange<UInt8> {
        #expect(await bench.reserveOut(action, nexus).senseCodes == [5, 0x24, 0])
      }
    }
  }

  @Test("parameter lists of a wrong length are refused")
  func lengths() async throws {
    try await withReservationBench { bench in
      let nexus = bench.join(1)
      for action in 0...7 as ClosedRange<UInt8> {
        for length in [0, 1, 23, 25, 28, 60, 1 << 20, 0xFFFF_FFFF] as [UInt64] {
          let bytes = [UInt8](repeating: 0, count: Int(min(length, 64)))
          let outcome = await bench.run(
            ReservationBench.out(action, type: 1, length: length), bytes, from: nexus)
          #expect(outcome.senseCodes == [5, 0x1A, 0], "action \(action), length \(length)")
        }
      }
      // Fewer bytes than announced.
      let short = await bench.run(ReservationBench.out(0), [1, 2, 3], from: nexus)
      #expect(short.senseCodes == [5, 0x1A, 0])
    }
  }

  @Test("SPEC_I_PT registers whom the list names, and its list is measured")
  func specified() async throws {
    try await withReservationBench { bench in
      let first = bench.join(1)
      let second = bench.join(2)
      let transportID = TransportID(name: "iqn.2026-11.test:2", isid: 2).bytes
      let list =
        ReservationBench.list(0, 7, 0x08) + BlockCDB.big(UInt64(transportID.count), 4) + transportID
      let good = await bench.run(
        ReservationBench.out(0, length: UInt64(list.count)), list, from: first)
      #expect(good.status == .good)
      #expect(await bench.reserveOut(1, second, key: 7, type: 1).status == .good)
      var wrong = list
      wrong[27] += 4
      let outcome = await bench.run(
        ReservationBench.out(0, length: UInt64(wrong.count)), wrong, from: bench.join(3))
      #expect(outcome.senseCodes == [5, 0x1A, 0])
      wrong = list
      wrong[28] = 0x46
      let strange = await bench.run(
        ReservationBench.out(0, length: UInt64(wrong.count)), wrong, from: bench.join(4))
      #expect(strange.senseCodes == [5, 0x26, 0])
    }
  }

  @Test("REGISTER AND MOVE takes its own parameter list")
  func move() async throws {
    try await withReservationBench { bench in
      let first = bench.join(1)
      let second = bench.join(2, port: 2)
      _ = await bench.reserveOut(0, first, newKey: 1)
      _ = await bench.reserveOut(1, first, key: 1, type: 3)
      let transportID = TransportID(name: "iqn.2026-11.test:2", isid: 2).bytes
      let list =
        BlockCDB.big(1, 8) + BlockCDB.big(9, 8) + [0, 0x02, 0, 2]
        + BlockCDB.big(UInt64(transportID.count), 4) + transportID
      let moved = await bench.run(
        ReservationBench.out(7, length: UInt64(list.count)), list, from: first)
      #expect(moved.status == .good)
      #expect(await bench.run(ReservationBench.read, from: first).status == .reservationConflict)
      #expect(await bench.run(ReservationBench.write, from: second).status == .good)
    }
  }

  @Test("attentions reach the nexuses concerned and nobody else")
  func attentions() async throws {
    try await withReservationBench { bench in
      let nexuses = (0..<4).map { bench.join($0) }
      for (number, nexus) in nexuses.prefix(3).enumerated() {
        _ = await bench.reserveOut(0, nexus, newKey: UInt64(number + 1))
      }
      _ = await bench.reserveOut(1, nexuses[0], key: 1, type: 5)
      _ = await bench.reserveOut(2, nexuses[0], key: 1, type: 5)
      #expect(nexuses.map(bench.attentions) == [[], [[0x2A, 4]], [[0x2A, 4]], []])
      _ = await bench.reserveOut(1, nexuses[0], key: 1, type: 5)
      _ = await bench.reserveOut(4, nexuses[1], key: 2, newKey: 1, type: 6)
      #expect(nexuses.map(bench.attentions) == [[[0x2A, 5]], [], [[0x2A, 4]], []])
      _ = await bench.reserveOut(3, nexuses[2], key: 3)
      #expect(nexuses.map(bench.attentions) == [[], [[0x2A, 3]], [], []])
    }
  }

  @Test("PREEMPT AND ABORT ends the tasks of the preempted nexus, and only after them itself")
  func preemptAndAbort() async throws {
    try await withReservationBench { bench in
      let first = bench.join(1)
      let second = bench.join(2)
      _ = await bench.reserveOut(0, first, newKey: 1)
      _ = await bench.reserveOut(0, second, newKey: 2)
      let victim = bench.send(ReservationBench.slow, from: first)
      let own = bench.send(ReservationBench.slow, from: second)
      let preemption = bench.send(
        ReservationBench.out(5, type: 1), ReservationBench.list(2, 1), from: second)
      while !bench.gate.started.contains(where: \.isAborted) {
        await bench.ring.sleep(nanoseconds: 1_000_000)
      }
      #expect(bench.gate.started.map(\.isAborted) == [true, false])
      #expect(!preemption.hasEnded)
      bench.gate.open()
      #expect(await preemption.wait().status == .good)
      #expect(victim.hasEnded)
      #expect(await victim.wait().isSilent)
      #expect(await own.wait().status == .good)
      #expect(bench.attentions(of: first) == [[0x2A, 5]])
    }
  }

  @Test("a new session between the same ports is the same registrant")
  func newSession() async throws {
    try await withReservationBench { bench in
      let old = bench.join(1)
      _ = await bench.reserveOut(0, old, newKey: 1)
      _ = await bench.reserveOut(1, old, key: 1, type: 3)
      await bench.router.detach(old)
      #expect(
        await bench.run(ReservationBench.read, from: bench.join(2)).status == .reservationConflict)
      #expect(await bench.run(ReservationBench.read, from: bench.join(1)).status == .good)
      #expect(
        await bench.run(ReservationBench.read, from: bench.join(1, port: 2)).status
          == .reservationConflict)
    }
  }
}
