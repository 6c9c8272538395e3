import Devices
import Glibc
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("What has to be durable before a command ends")
struct BlockDurabilityTests {
  private static let block = [UInt8](repeating: 7, count: 512)
  private static let writeThrough: [UInt8] =
    [0, 0, 0, 0, 0x08, 0x12] + [UInt8](repeating: 0, count: 18)

  @Test("MODE SELECT that ends caching or writing flushes first, and START STOP UNIT always does")
  func flushes() async throws {
    try await withBlockBench { ring, directory in
      let disk = try await HeldDisk.thin(directory, ring: ring)
      let bench = BlockBench(disk, ring: ring)
      for list in [Self.writeThrough, PrimaryCDB.control(protected: true)] {
        let before = disk.flushCount
        #expect(await bench.run(PrimaryCDB.modeSelect(list.count), list).status == .good)
        #expect(disk.flushCount == before + 1)
        // What changes neither does not.
        #expect(await bench.run(PrimaryCDB.modeSelect(list.count), list).status == .good)
        #expect(disk.flushCount == before + 1)
      }
      let before = disk.flushCount
      #expect(bench.unit.server.isWriteProtected)
      #expect(await bench.run(BlockCDB.startStop(0)).status == .good)
      #expect(disk.flushCount == before + 1)
      await disk.close()
    }
  }

  @Test("a write that had begun before MODE SELECT ended caching is flushed too")
  func flushesWhatHadBegun() async throws {
    try await withBlockBench { ring, directory in
      let disk = try await HeldDisk.thin(directory, ring: ring)
      let bench = BlockBench(disk, ring: ring)
      disk.holds = [.write]
      let client = BlockClient()
      ring.start { client.end(await bench.run(BlockCDB.write(0, 1), Self.block)) }
      await disk.waitUntilBusy(ring)
      disk.open(ring)
      let list = Self.writeThrough
      #expect(await bench.run(PrimaryCDB.modeSelect(list.count), list).status == .good)
      #expect(client.hasEnded)
      await disk.close()
    }
  }

  @Test("a flush that fails ends MODE SELECT, and changes nothing")
  func failedFlush() async throws {
    let faults = [SimulatedFault([.flush], errno: EIO)]
    try await BlockFaultTests.simulateFaults(faults) { bench in
      let list = Self.writeThrough
      let outcome = await bench.run(PrimaryCDB.modeSelect(list.count), list)
      #expect(outcome.status == .checkCondition)
      #expect(bench.unit.control.mode.hasWriteCache)
    }
  }

  @Test("a FUA write that fails may have met the loss of other writes: the next flush reports it")
  func failedDurableWrite() async throws {
    for (errno, isLasting) in [(EIO, true), (ENOSPC, false)] {
      let faults = [SimulatedFault([.write], bytes: 8192..<8704, errno: errno, isOnce: true)]
      try await BlockFaultTests.simulateFaults(faults) { bench in
        let write = BlockCDB.write(16, 1, fua: true)
        #expect(await bench.run(write, Self.block).status == .checkCondition)
        #expect(await bench.run(BlockCDB.synchronizeCache).status == .checkCondition)
        let next = await bench.run(BlockCDB.synchronizeCache).status
        #expect(next == (isLasting ? .checkCondition : .good))
      }
    }
  }
}
