import Devices
import ExtendedCopy
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Task management of a unit that copies write to")
struct CopyTaskManagementTests {
  /// Two disks of which the second holds its writes, and a copy onto it that the first unit got from
  /// the bench's nexus: something of it is in flight.
  private static func copying(
    _ ring: Ring, _ directory: String, immediate: Bool = false
  ) async throws -> (bench: CopyRouterBench, disk: HeldDisk, client: BlockClient) {
    let source = try await HeldDisk.thin(directory, "disk0", ring: ring)
    let disk = try await HeldDisk.thin(directory, "disk1", ring: ring)
    let bench = CopyRouterBench(ring, [source, disk])
    for (key, nexus) in [(UInt64(1), bench.nexus), (2, bench.other)] {
      let list = ReservationBench.list(0, key)
      #expect(await bench.run(ReservationBench.out(0), list, at: 1, from: nexus).status == .good)
    }
    // Write Exclusive - Registrants Only: the other nexus holds it, both may write.
    let reserve = ReservationBench.out(1, type: 5)
    let key = ReservationBench.list(2, 0)
    #expect(await bench.run(reserve, key, at: 1, from: bench.other).status == .good)
    disk.holds = [.write]
    var list = bench.long
    list.immediate = immediate
    let bytes = immediate ? list.longBytes : list.bytes
    let action = immediate ? ExtendedCopyCommand.ServiceAction.lid4 : .lid1
    let client = bench.start(CopyRouterBench.extendedCopy(bytes, action), bytes)
    await disk.waitUntilBusy(ring)
    return (bench, disk, client)
  }

  @Test("PREEMPT AND ABORT answers after the last write of the preempted nexus' copy")
  func preemptAndAbort() async throws {
    try await withBlockBench { ring, directory in
      let (bench, disk, client) = try await Self.copying(ring, directory)
      disk.open(ring) { bench.units[1].control.persistent.registrants.count == 1 }
      let outcome = await bench.run(
        ReservationBench.out(5, type: 5), ReservationBench.list(2, 1), at: 1, from: bench.other)
      #expect(outcome.status == .good)
      #expect(disk.inFlight == 0)
      #expect(bench.units[1].server.store.operationCount == 0)
      #expect(await client.wait().status == .checkCondition)
      await bench.close()
    }
  }

  @Test("so it does where that copy waits for its blocks, and does not wait with it")
  func preemptWaiting() async throws {
    try await withBlockBench { ring, directory in
      let (bench, disk, client) = try await Self.copying(ring, directory)
      let store = bench.units[1].server.store
      disk.open()
      #expect(await client.wait().status == .good)
      let held = await store.hold(0..<8192, alone: true)
      let bytes = bench.long.bytes
      let second = bench.start(CopyRouterBench.extendedCopy(bytes), bytes)
      while store.waitingCount == 0 { await ring.sleep(nanoseconds: 0) }
      let outcome = await bench.run(
        ReservationBench.out(5, type: 5), ReservationBench.list(2, 1), at: 1, from: bench.other)
      #expect(outcome.status == .good && store.operationCount == 1)
      #expect(await second.wait().status == .checkCondition)
      store.release(held)
      await bench.close()
    }
  }

  @Test("LOGICAL UNIT RESET of the destination answers after the writes that have begun")
  func resetOfDestination() async throws {
    try await withBlockBench { ring, directory in
      let (bench, disk, client) = try await Self.copying(ring, directory)
      let store = bench.units[1].server.store
      let begun = Set(store.running.map(\.serial))
      disk.open(ring)
      let answer = await bench.router.manage(
        .logicalUnitReset, logicalUnit: LogicalUnitNumber.encode(1), nexus: bench.other)
      #expect(answer == .functionComplete)
      #expect(disk.holds.isEmpty && begun.isDisjoint(with: store.running.map(\.serial)))
      _ = await client.wait()
      await bench.close()
    }
  }

  @Test("LOGICAL UNIT RESET and nexus loss end a copy in the background, and wait for it")
  func background() async throws {
    for isLoss in [false, true] {
      try await withBlockBench { ring, directory in
        let (bench, disk, client) = try await Self.copying(ring, directory, immediate: true)
        #expect(await client.wait().status == .good)
        disk.open(ring)
        if isLoss {
          await bench.router.detach(bench.nexus)
        } else {
          _ = await bench.router.manage(
            .logicalUnitReset, logicalUnit: LogicalUnitNumber.encode(0), nexus: bench.other)
        }
        #expect(bench.copies.operations.isEmpty && disk.inFlight == 0)
        await bench.close()
      }
    }
  }
}
