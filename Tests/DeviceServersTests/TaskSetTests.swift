import SAM
import SCSI
import Testing

@testable import DeviceServers

@Suite("The task set and unit attentions of a logical unit")
struct TaskSetTests {
  private static func slow(_ number: UInt8) -> [UInt8] { [0xC0, number, 0, 0, 0, 0] }
  private static let testUnitReady: [UInt8] = [0, 0, 0, 0, 0, 0]

  private static func started(_ bench: UnitBench) async -> [UInt8] {
    await bench.ring.sleep(nanoseconds: 2_000_000)
    return bench.gate.started.map { $0.cdb[1] }
  }

  @Test("an ordered command waits for older ones, and younger ones wait for it")
  func ordered() async throws {
    try await withUnitBench { bench in
      let nexus = bench.join(1)
      var clients = [bench.send(Self.slow(1), from: nexus)]
      clients.append(bench.send(Self.slow(2), from: nexus, attribute: .ordered))
      clients.append(bench.send(Self.slow(3), from: nexus))
      #expect(await Self.started(bench) == [1])
      clients.append(bench.send(Self.slow(4), from: nexus, attribute: .headOfQueue))
      #expect(await Self.started(bench) == [1, 4])
      bench.gate.open()
      for client in clients { #expect(await client.wait().status == .good) }
      #expect(await Self.started(bench) == [1, 4, 2, 3])
      #expect(bench.unit.tasks.isEmpty)
    }
  }

  @Test("when an ordered command ends, all that waited for it begin at once")
  func allBegin() async throws {
    try await withUnitBench { bench in
      let nexus = bench.join(1)
      let blocker = bench.send(Self.slow(1), from: nexus, attribute: .ordered)
      let waiting = (2...4).map { bench.send(Self.slow($0), from: nexus) }
      #expect(await Self.started(bench) == [1])
      bench.gate.openOne()
      #expect(await blocker.wait().status == .good)
      #expect(await Self.started(bench) == [1, 2, 3, 4])
      bench.gate.open()
      for client in waiting { #expect(await client.wait().status == .good) }
    }
  }

  @Test("an aborted ordered command lets the younger ones begin")
  func abortedOrdered() async throws {
    try await withUnitBench { bench in
      let first = bench.join(1)
      let second = bench.join(2)
      let running = bench.send(Self.slow(1), from: first)
      let ordered = bench.send(Self.slow(2), from: second, attribute: .ordered)
      let younger = bench.send(Self.slow(3), from: first)
      #expect(await Self.started(bench) == [1])
      #expect(
        await bench.router.manage(.abortTaskSet, logicalUnit: 0, nexus: second)
          == .functionComplete)
      #expect(await ordered.wait().isSilent)
      #expect(await Self.started(bench) == [1, 3])
      bench.gate.open()
      #expect(await running.wait().status == .good)
      #expect(await younger.wait().status == .good)
    }
  }

  @Test("unit attentions are reported oldest first, one a command, and not to INQUIRY")
  func attentions() async throws {
    try await withUnitBench { bench in
      let nexus = Nexus(
        initiatorPort: InitiatorPort(name: "iqn.2026-11.test:1", isid: 1),
        targetPort: TargetPort(name: "iqn.2026-11.test:t", portalGroupTag: 1, relativeIdentifier: 1)
      )
      bench.router.attach(nexus)
      bench.unit.control.establish(.modeParametersChanged, for: nexus)
      bench.unit.control.establish(.modeParametersChanged, for: nexus)
      bench.unit.control.establish(.reservationsReleased, for: nexus)
      #expect(await bench.run([0x12, 0, 0, 0, 36, 0], from: nexus).status == .good)
      #expect(await bench.run(Self.testUnitReady, from: nexus).senseCodes == [6, 0x29, 0])
      // Any other command reports one too, even where a field of it is wrong.
      #expect(await bench.run([0, 0xFF, 0, 0, 0, 0], from: nexus).senseCodes == [6, 0x2A, 1])
      let sense = await bench.run([0x03, 0, 0, 0, 252, 0], from: nexus).data
      #expect(sense.count > 13 && [sense[2], sense[12], sense[13]] == [6, 0x2A, 4])
      #expect(await bench.run(Self.testUnitReady, from: nexus).status == .good)
    }
  }

  @Test("LOGICAL UNIT RESET ends all tasks and tells every nexus")
  func reset() async throws {
    try await withUnitBench { bench in
      let first = bench.join(1)
      let second = bench.join(2)
      let task = bench.send(UnitBench.slow, from: second)
      #expect(await Self.started(bench).count == 1)
      bench.ring.start {
        while !bench.gate.started[0].isAborted { await bench.ring.sleep(nanoseconds: 1_000_000) }
        bench.gate.open()
      }
      #expect(
        await bench.router.manage(.logicalUnitReset, logicalUnit: 0, nexus: first)
          == .functionComplete)
      #expect(task.hasEnded)
      #expect(bench.attentions(of: first) == [[0x29, 3]])
      #expect(bench.attentions(of: second) == [[0x2F, 0], [0x29, 3]])
    }
  }
}
