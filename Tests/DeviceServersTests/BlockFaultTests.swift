import Devices
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("A disk logical unit on a disk that goes wrong")
struct BlockFaultTests {
  private static func bench(
    _ directory: String, _ ring: Ring, _ faults: [Fault]
  ) async throws -> BlockBench {
    var options = FileDisk.Options.readWrite
    options.creates = true
    options.byteCount = 1 << 20
    let file = try await FileDisk.open(directory + "/disk", options: options, ring: ring)
    var misbehaviour = Misbehaviour()
    misbehaviour.faults = faults
    return BlockBench(FaultyDisk(file, misbehaviour, ring: ring), ring: ring)
  }

  @Test(
    "says what went wrong and at which block",
    arguments: [
      (Fault.Kind.readError, UInt8(0x11)), (.shortRead, 0x11), (.writeError, 0x0C),
      (.shortWrite, 0x0C), (.tornWrite, 0x0C),
    ])
  func mediumErrors(_ kind: Fault.Kind, _ code: UInt8) async throws {
    try await withBlockBench { ring, directory in
      let bench = try await Self.bench(directory, ring, [Fault(kind, at: 21)])
      let isRead = code == 0x11
      let data = [UInt8](repeating: 1, count: 8 * 512)
      let outcome =
        isRead
        ? await bench.run(BlockCDB.read(16, 8)) : await bench.run(BlockCDB.write(16, 8), data)
      #expect(outcome.senseCodes == BlockOutcome.sense(.mediumError, code, 0))
      #expect(outcome.sense?.information == 21 && outcome.data.isEmpty)
      let fine = isRead ? BlockCDB.read(0, 8) : BlockCDB.write(0, 8)
      #expect(await bench.run(fine, isRead ? [] : data).status == .good)
      #expect(bench.share.freeByteCount == bench.share.byteCount)
      await bench.unit.disk.close()
    }
  }

  @Test("every command that reads or writes says so")
  func everyCommand() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await Self.bench(
        directory, ring, [Fault(.readError, at: 21), Fault(.writeError, at: 121)])
      let block = [UInt8](repeating: 1, count: 512)
      let read = BlockOutcome.sense(.mediumError, 0x11, 0)
      let write = BlockOutcome.sense(.mediumError, 0x0C, 0)
      #expect(await bench.run(BlockCDB.sixteen(0x8F, 0, 100)).senseCodes == read)
      #expect(await bench.run(BlockCDB.sixteen(0x90, 0, 100)).senseCodes == read)
      #expect(await bench.run(BlockCDB.sixteen(0x8B, 21, 1), block).senseCodes == read)
      #expect(await bench.run(BlockCDB.compareAndWrite(21, 1), block + block).senseCodes == read)
      #expect(await bench.run(BlockCDB.sixteen(0x8E, 21, 1), block).senseCodes == read)
      #expect(await bench.run(BlockCDB.sixteen(0x8B, 121, 1), block).senseCodes == write)
      let zeros = [UInt8](repeating: 0, count: 512)
      #expect(
        await bench.run(BlockCDB.compareAndWrite(121, 1), zeros + block).senseCodes == write)
      #expect(await bench.run(BlockCDB.sixteen(0x8E, 121, 1), block).senseCodes == write)
      #expect(await bench.run(BlockCDB.sixteen(0x93, 100, 50), block).senseCodes == write)
      #expect(await bench.run(BlockCDB.sixteen(0x93, 100, 50, flags: 0x09)).senseCodes == write)
      let list = BlockCDB.unmapList([(0, 1), (121, 1)])
      #expect(await bench.run(BlockCDB.unmap(list.count), list).senseCodes == write)
      #expect(await bench.run(BlockCDB.write(121, 1, fua: true), block).senseCodes == write)
      #expect(bench.share.freeByteCount == bench.share.byteCount)
      #expect(bench.unit.server.store.operationCount == 0)
      await bench.unit.disk.close()
    }
  }

  /// A processor on simulated files, whose disk is `/disk`.
  private static func simulate<Success: Sendable>(
    _ files: SimulatedFileSystem, _ plan: SimulationPlan, flushes: Bool = true,
    _ body: @escaping @Sendable (BlockBench, SimulatedFileSystem) async throws -> Success
  ) async throws -> Success {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 16 << 20
    configuration.kernel = { SimulatedKernel(files: files, plan: plan) }
    let processor = try Processor(configuration)
    let result: Result<Success, any Error> = await processor.run { ring in
      do {
        var options = FileDisk.Options.readWrite
        options.creates = true
        options.byteCount = 4 << 20
        let disk = try await FileDisk.open("/disk", options: options, ring: ring)
        _ = await ring.blocking { files in
          let root = files.open("/", flags: 0, mode: 0)
          _ = files.synchronize(root)
          files.close(root)
        }
        if flushes { _ = await disk.flush() }
        let bench = BlockBench(disk, ring: ring, shareBytes: 4 << 20)
        let result = try await body(bench, files)
        await disk.close()
        return .success(result)
      } catch { return .failure(error) }
    }
    processor.stop()
    return try result.get()
  }

  /// A unit whose disk begins to fail once it is open.
  static func simulateFaults(
    _ faults: [SimulatedFault], _ body: @escaping @Sendable (BlockBench) async throws -> Void
  ) async throws {
    let files = SimulatedFileSystem()
    try await simulate(files, SimulationPlan(seed: 5)) { _, _ in }
    var plan = SimulationPlan(seed: 5)
    plan.faults = faults
    try await simulate(files, plan, flushes: false) { bench, _ in try await body(bench) }
  }

  @Test("what FUA or SYNCHRONIZE CACHE acknowledged is there after a power loss", arguments: 1...12)
  func powerLoss(_ seed: Int) async throws {
    let files = SimulatedFileSystem()
    let plan = SimulationPlan(seed: UInt64(seed))
    let expected = try await Self.simulate(files, plan) { bench, files in
      var random = BlockRandom(seed: UInt64(seed))
      var sure: [UInt64: [UInt8]] = [:]
      var unsure: [UInt64: [UInt8]] = [:]
      // Every block is written once, so that what is not sure cannot cover what is.
      for lba in 0..<60 as Range<UInt64> {
        let block = random.bytes(512)
        let fua = random.below(3) == 0
        let outcome = await bench.run(BlockCDB.write(lba * 8, 1, fua: fua), block)
        #expect(outcome.status == .good)
        if fua { sure[lba * 8] = block } else { unsure[lba * 8] = block }
        if random.below(20) == 0 {
          #expect(await bench.run(BlockCDB.synchronizeCache).status == .good)
          sure.merge(unsure) { _, new in new }
          unsure = [:]
        }
      }
      files.crash()
      return sure
    }
    let after = try await Self.simulate(files, SimulationPlan(seed: 99)) { bench, _ in
      var found: [UInt64: [UInt8]] = [:]
      for lba in expected.keys { found[lba] = await bench.run(BlockCDB.read(lba, 1)).data }
      return found
    }
    #expect(after == expected && !expected.isEmpty)
  }

  @Test("without room, a thin disk says that space allocation failed")
  func noSpace() async throws {
    let files = SimulatedFileSystem()
    var plan = SimulationPlan(seed: 3)
    plan.bytesUntilNoSpace = 64 << 10
    try await Self.simulate(files, plan) { bench, _ in
      let bytes = [UInt8](repeating: 1, count: 64 << 10)
      #expect(await bench.run(BlockCDB.write(0, 128), bytes).status == .good)
      let outcome = await bench.run(BlockCDB.write(128, 128), bytes)
      #expect(outcome.senseCodes == BlockOutcome.sense(.dataProtect, 0x27, 0x07))
      #expect(outcome.sense?.information == 128)
    }
  }

  @Test("a flush that failed stays reported")
  func failedFlush() async throws {
    let files = SimulatedFileSystem()
    let plan = SimulationPlan(seed: 3)
    let outcomes = try await Self.simulate(files, plan) { bench, files in
      #expect(
        await bench.run(BlockCDB.write(0, 1), [UInt8](repeating: 1, count: 512)).status == .good)
      files.crash()
      return [
        await bench.run(BlockCDB.synchronizeCache).status,
        await bench.run(BlockCDB.synchronizeCache).status,
      ]
    }
    #expect(outcomes == [.checkCondition, .checkCondition])
  }
}
