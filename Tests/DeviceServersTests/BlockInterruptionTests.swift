import Devices
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Commands that wait, and what comes between")
struct BlockInterruptionTests {
  private static let notPresent = BlockOutcome.sense(.notReady, 0x3A, 0)
  private static let protected = BlockOutcome.sense(.dataProtect, 0x27, 0)
  private static let block = [UInt8](repeating: 7, count: 512)

  /// A command that was admitted and is executed.
  private static func start(
    _ bench: BlockBench, _ cdb: [UInt8], _ dataOut: [UInt8] = []
  ) -> BlockClient {
    let ended = BlockClient()
    bench.ring.start {
      ended.end(await bench.run(cdb, dataOut))
    }
    return ended
  }

  @Test("an abort does not wait for those that wait for their blocks")
  func withdrawn() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let store = bench.unit.server.store
      let held = await store.hold(0..<8, alone: true)
      let clients = [
        Self.start(bench, BlockCDB.write(0, 1), Self.block),
        Self.start(bench, BlockCDB.read(1, 1)),
        Self.start(bench, BlockCDB.compareAndWrite(2, 1), Self.block + Self.block),
        Self.start(bench, BlockCDB.sixteen(0x8F, 0, 8192)),
        Self.start(bench, BlockCDB.sixteen(0x93, 4, 1), Self.block),
      ]
      while store.waitingCount < clients.count { await ring.sleep(nanoseconds: 0) }
      var isReleased = false
      ring.start {
        await ring.sleep(nanoseconds: 100_000_000)
        isReleased = true
        store.release(held)
      }
      await bench.unit.abortTasks { _ in true }
      #expect(!isReleased && store.operationCount == 1)
      for client in clients { #expect(await client.wait().isSilent) }
      while !isReleased { await ring.sleep(nanoseconds: 1_000_000) }
      #expect(store.operationCount == 0)
      #expect(bench.share.freeByteCount == bench.share.byteCount)
      #expect(await bench.run(BlockCDB.read(0, 8)).data == [UInt8](repeating: 0, count: 4096))
      await bench.unit.disk.close()
    }
  }

  @Test("who wants blocks alone waits for one chunk of a VERIFY or WRITE SAME, not for all")
  func chunks() async throws {
    try await withBlockBench { ring, directory in
      let disk = try await HeldDisk.thin(directory, ring: ring)
      let bench = BlockBench(disk, ring: ring)
      for (cdb, data, kind): ([UInt8], [UInt8], HeldDisk.Kind) in [
        (BlockCDB.sixteen(0x8F, 0, 8192), [], .read),
        (BlockCDB.sixteen(0x8F, 0, 8192, flags: 0x06), [UInt8](repeating: 0, count: 512), .read),
        (BlockCDB.sixteen(0x93, 0, 8192), Self.block, .write),
      ] {
        disk.holds = [kind]
        let client = Self.start(bench, cdb, data)
        await disk.waitUntilBusy(ring)
        disk.open(ring)
        let held = await bench.unit.server.store.hold(8000..<8001, alone: true)
        #expect(disk.inFlight == 1 && disk.holds == [kind])
        bench.unit.server.store.release(held)
        #expect(await client.wait().status == .good)
      }
      await disk.close()
    }
  }

  @Test("a long UNMAP is done in pieces, and an abort ends it between them")
  func longUnmap() async throws {
    try await withBlockBench { ring, directory in
      let gibibyte: UInt64 = 1 << 30
      let disk = try await HeldDisk.thin(directory, ring: ring, byteCount: 5 * gibibyte / 2)
      let bench = BlockBench(disk, ring: ring)
      let list = BlockCDB.unmapList([(0, 5 << 20)])
      #expect(await bench.run(BlockCDB.unmap(list.count), list).status == .good)
      #expect(
        disk.discards == [
          0..<gibibyte, gibibyte..<2 * gibibyte, 2 * gibibyte..<5 * gibibyte / 2,
        ])
      disk.holds = [.discard]
      let client = Self.start(bench, BlockCDB.unmap(list.count), list)
      await disk.waitUntilBusy(ring)
      disk.open(ring)
      await bench.unit.abortTasks { _ in true }
      #expect(await client.wait().isSilent)
      #expect(disk.inFlight == 0 && disk.discards.count == 4)
      await disk.close()
    }
  }

  @Test("what was taken out while READ with FUA flushed is not read")
  func readAfterFlush() async throws {
    try await withBlockBench { ring, directory in
      let disk = try await HeldDisk.thin(directory, ring: ring)
      let bench = BlockBench(disk, ring: ring)
      disk.holds = [.flush]
      let client = Self.start(bench, BlockCDB.sixteen(0x88, 0, 1, flags: 0x08))
      await disk.waitUntilBusy(ring)
      bench.unit.server.isLoaded = false
      disk.open()
      let outcome = await client.wait()
      #expect(outcome.senseCodes == Self.notPresent && outcome.data.isEmpty)
      #expect(bench.share.freeByteCount == bench.share.byteCount)
      await disk.close()
    }
  }

  @Test("what was protected while a command waited for its blocks is not written")
  func protectedMeanwhile() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let store = bench.unit.server.store
      let list = BlockCDB.unmapList([(0, 8)])
      for (cdb, data): ([UInt8], [UInt8]) in [
        (BlockCDB.sixteen(0x8E, 0, 1), Self.block), (BlockCDB.sixteen(0x8B, 0, 1), Self.block),
        (BlockCDB.sixteen(0x93, 0, 1), Self.block), (BlockCDB.unmap(list.count), list),
        (BlockCDB.compareAndWrite(0, 1), [UInt8](repeating: 0, count: 512) + Self.block),
      ] {
        let held = await store.hold(0..<8, alone: true)
        let client = Self.start(bench, cdb, data)
        while store.waitingCount == 0 { await ring.sleep(nanoseconds: 0) }
        bench.unit.control.mode.isWriteProtected = true
        store.release(held)
        #expect(await client.wait().senseCodes == Self.protected, "\(cdb)")
        bench.unit.control.mode.isWriteProtected = false
      }
      #expect(await bench.run(BlockCDB.read(0, 1)).data == [UInt8](repeating: 0, count: 512))
      await bench.unit.disk.close()
    }
  }

  @Test("what another nexus has reserved while a command compared is not written")
  func reservedMeanwhile() async throws {
    try await withBlockBench { ring, directory in
      let disk = try await HeldDisk.thin(directory, ring: ring)
      let bench = BlockBench(disk, ring: ring)
      let other = BlockBench.nexus(2)
      bench.join(other)
      disk.holds = [.read]
      let zeros = [UInt8](repeating: 0, count: 512)
      let client = Self.start(bench, BlockCDB.compareAndWrite(0, 1), zeros + Self.block)
      await disk.waitUntilBusy(ring)
      #expect(await bench.unit.control.reserve(by: other))
      disk.open()
      #expect(await client.wait().status == .reservationConflict)
      #expect(await bench.run(BlockCDB.read(0, 1), nexus: other).data == zeros)
      await disk.close()
    }
  }

  @Test("a write that was preempted while its data came is not written")
  func preemptedBeforeItsData() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let other = BlockBench.nexus(2)
      bench.join(other)
      let command = Command(nexus: bench.nexus)
      command.cdb = CommandDescriptorBlock(BlockCDB.write(0, 1))
      command.expectedDataOut = 512
      guard case .execute(512) = bench.unit.admit(command),
        var payload = ring.arena.allocate(512)
      else {
        Issue.record("a write is admitted")
        return
      }
      #expect(await bench.unit.control.reserve(by: other))
      payload.overwrite(with: Self.block)
      let client = BlockClient()
      bench.unit.execute(command, dataOut: payload, for: client)
      #expect(await client.wait().status == .reservationConflict)
      await bench.unit.disk.close()
    }
  }
}
