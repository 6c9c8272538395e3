import Devices
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("The medium of a disk logical unit")
struct BlockMediumTests {
  private static let noMedium = BlockOutcome.sense(.notReady, 0x3A, 0)
  private static let sanitizing = BlockOutcome.sense(.notReady, 0x04, 0x1B)

  @Test("taken out, it is not there until it is loaded, and others are told")
  func eject() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring) { $0.isRemovable = true }
      let other = BlockBench.nexus(2)
      bench.join(other)
      #expect(await bench.run(BlockCDB.startStop(0x02)).status == .good)
      for cdb in [
        BlockCDB.testUnitReady, BlockCDB.read(0, 1), BlockCDB.capacity16(),
        BlockCDB.synchronizeCache, BlockCDB.lbaStatus(0), BlockCDB.unmap(0),
        BlockCDB.sanitize(0x02, 0), BlockCDB.ten(0x34, 0, 1),
      ] {
        #expect(await bench.run(cdb).senseCodes == Self.noMedium, "\(cdb)")
      }
      #expect(await bench.run(BlockCDB.startStop(0x03)).status == .good)
      #expect(await bench.run(BlockCDB.testUnitReady).status == .good)
      #expect(
        await bench.run(BlockCDB.testUnitReady, nexus: other).senseCodes
          == BlockOutcome.sense(.unitAttention, 0x28, 0))
      // Stopping without LOEJ, and every power condition, leave it ready.
      #expect(await bench.run(BlockCDB.startStop(0x00)).status == .good)
      for condition: UInt8 in 1..<16 {
        #expect(await bench.run(BlockCDB.startStop(condition << 4 | 0x02)).status == .good)
      }
      #expect(await bench.run(BlockCDB.testUnitReady).status == .good)
      await bench.unit.disk.close()
    }
  }

  @Test("stays in as long as one nexus forbids to take it out")
  func prevent() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring) { $0.isRemovable = true }
      let other = BlockBench.nexus(2)
      bench.join(other)
      let prevented = BlockOutcome.sense(.illegalRequest, 0x53, 0x02)
      #expect(await bench.run(BlockCDB.prevent(1)).status == .good)
      #expect(await bench.run(BlockCDB.prevent(1), nexus: other).status == .good)
      #expect(await bench.run(BlockCDB.startStop(0x02)).senseCodes == prevented)
      #expect(await bench.run(BlockCDB.prevent(0)).status == .good)
      #expect(await bench.run(BlockCDB.startStop(0x02)).senseCodes == prevented)
      bench.unit.nexusLost(other)
      #expect(await bench.run(BlockCDB.startStop(0x02)).status == .good)
      #expect(await bench.run(BlockCDB.startStop(0x03)).status == .good)
      // What is out stays out.
      #expect(await bench.run(BlockCDB.startStop(0x02)).status == .good)
      #expect(await bench.run(BlockCDB.prevent(1)).status == .good)
      #expect(await bench.run(BlockCDB.startStop(0x03)).senseCodes == prevented)
      bench.unit.reset()
      #expect(await bench.run(BlockCDB.startStop(0x03)).status == .good)
      #expect(await bench.run(BlockCDB.startStop(0x02)).status == .good)
      await bench.unit.disk.close()
    }
  }

  @Test("SANITIZE BLOCK ERASE leaves zeros that take no room")
  func blockErase() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let bytes = [UInt8](repeating: 0x61, count: 1 << 20)
      #expect(await bench.run(BlockCDB.write(0, 2048), bytes).status == .good)
      #expect(await bench.run(BlockCDB.write(8192 - 2048, 2048), bytes).status == .good)
      #expect(await bench.run(BlockCDB.sanitize(0x02, 0)).status == .good)
      let status = await bench.run(BlockCDB.lbaStatus(0)).data
      #expect(status == [0, 0, 0, 20] + [UInt8](repeating: 0, count: 14) + [0x20, 0, 1, 0, 0, 0])
      #expect(
        await bench.run(BlockCDB.read(0, 2048)).data == [UInt8](repeating: 0, count: 1 << 20))
      #expect(BlockFolder.allocated(directory + "/disk") < 1 << 20)
      await bench.unit.disk.close()
    }
  }

  @Test(
    "SANITIZE OVERWRITE writes its pattern, tells its progress, and nothing else runs meanwhile")
  func overwrite() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring, blockCount: 16 << 10)
      let list: [UInt8] = [0x82, 0, 0, 4, 1, 2, 3, 4]
      #expect(
        await bench.run(BlockCDB.sanitize(0x01, list.count, immediate: true), list).status
          == .good)
      let during = await bench.run(BlockCDB.testUnitReady)
      #expect(during.senseCodes == Self.sanitizing && during.sense?.progress != nil)
      for cdb in [BlockCDB.read(0, 1), BlockCDB.startStop(0x01), BlockCDB.sanitize(0x02, 0)] {
        #expect(await bench.run(cdb).senseCodes == Self.sanitizing)
      }
      // A reset does not end it.
      await bench.unit.abortTasks { _ in true }
      bench.unit.reset()
      #expect(await bench.run(BlockCDB.testUnitReady).senseCodes == Self.sanitizing)
      while await bench.run(BlockCDB.testUnitReady).status != .good {
        await ring.sleep(nanoseconds: 20_000_000)
      }
      // Two passes, of which the second is inverted.
      let block = (0..<512).map { [0xFE, 0xFD, 0xFC, 0xFB][$0 % 4] as UInt8 }
      #expect(await bench.run(BlockCDB.read(0, 1)).data == block)
      #expect(await bench.run(BlockCDB.read(16383, 1)).data == block)
      await bench.unit.disk.close()
    }
  }

  @Test(
    "SANITIZE OVERWRITE parameters that make no sense are refused",
    arguments: [[0, 0, 0, 4, 1, 2, 3, 4], [1, 0, 0, 0, 1, 2, 3, 4], [1, 0, 0, 5, 1, 2, 3, 4]])
  func overwriteParameters(_ list: [UInt8]) async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let outcome = await bench.run(BlockCDB.sanitize(0x01, list.count), list)
      #expect(outcome.senseCodes == BlockCommandTests.invalidField)
      #expect(await bench.run(BlockCDB.testUnitReady).status == .good)
      await bench.unit.disk.close()
    }
  }

  @Test("a sanitize that failed keeps the medium away until it is left behind")
  func failedSanitize() async throws {
    try await withBlockBench { ring, directory in
      var options = FileDisk.Options.readWrite
      options.creates = true
      options.byteCount = 1 << 20
      let file = try await FileDisk.open(directory + "/disk", options: options, ring: ring)
      var misbehaviour = Misbehaviour()
      misbehaviour.faults = [Fault(.writeError, at: 7, once: true)]
      let bench = BlockBench(FaultyDisk(file, misbehaviour, ring: ring), ring: ring)
      let failed = BlockOutcome.sense(.mediumError, 0x31, 0x03)
      var cdb = BlockCDB.sanitize(0x02, 0)
      cdb[1] |= 0x20
      #expect(await bench.run(cdb).senseCodes == failed)
      #expect(await bench.run(BlockCDB.read(0, 1)).senseCodes == failed)
      #expect(await bench.run(BlockCDB.sanitize(0x1F, 0)).status == .good)
      #expect(await bench.run(BlockCDB.read(0, 1)).status == .good)
      await bench.unit.disk.close()
    }
  }
}
