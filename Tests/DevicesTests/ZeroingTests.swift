import Glibc
import SCSI
import Testing
import Uring

@testable import Devices

@Suite("A disk that gives blocks back")
struct ZeroingTests {
  private static func disk(_ path: String, _ ring: Ring, blocks: Int = 2048) async throws
    -> FileDisk
  {
    store(pattern(blocks * 512), at: path)
    return try await FileDisk.open(path, options: .readWrite, ring: ring)
  }

  private static func allocated(_ path: String) -> Int {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return -1 }
    return Int(status.st_blocks) * 512
  }

  @Test("discards ranges that are no whole pages, reads zeros there and keeps the rest")
  func discards() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/disk"
      let disk = try await Self.disk(path, ring)
      #expect(await disk.flush() == .good())
      let before = Self.allocated(path)
      #expect(await disk.discard(at: 512, byteCount: 512 << 10) == .good())
      #expect(await disk.discard(at: 0, byteCount: 0) == .good())
      #expect(await disk.flush() == .good())
      #expect(before - Self.allocated(path) >= 500 << 10)
      var expected = pattern(2048 * 512)
      for index in 512..<512 + (512 << 10) { expected[index] = 0 }
      #expect(contents(path) == expected)
      #expect(await disk.extent(at: 8192).isHole)
      await disk.close()
    }
  }

  @Test("writes zeros in each of the three ways", arguments: 0..<3)
  func zeros(_ way: Int) async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/disk"
      let disk = try await Self.disk(path, ring, blocks: 5000)
      disk.zeroing.canPunch = way < 1
      disk.zeroing.canMark = way < 2
      let (from, count) = (1536, 4500 * 512)
      let status =
        way == 0
        ? await disk.writeZeros(at: UInt64(from), byteCount: UInt64(count))
        : await disk.discard(at: UInt64(from), byteCount: UInt64(count))
      #expect(status.isSuccess)
      var expected = pattern(5000 * 512)
      for index in from..<from + count { expected[index] = 0 }
      #expect(contents(path) == expected)
      await disk.close()
    }
  }

  /// Like the simulation of cartridges, for bodies that may throw.
  private static func simulate<Success: Sendable>(
    _ files: SimulatedFileSystem, _ plan: SimulationPlan,
    _ body: @escaping @Sendable (Ring) async throws -> Success
  ) async throws -> Success {
    let result: Result<Success, any Error> = try await CartridgePowerLossTests.simulate(
      files, plan
    ) { ring in
      do { return .success(try await body(ring)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  @Test("a write through the cache is there after a power loss, others may not be")
  func writeThrough() async throws {
    var lost = 0
    for seed in 1...20 as ClosedRange<UInt64> {
      let files = SimulatedFileSystem()
      let plan = SimulationPlan(seed: seed)
      let written = pattern(512, seed: seed)
      try await Self.simulate(files, plan) { ring in
        var options = FileDisk.Options.readWrite
        options.creates = true
        options.byteCount = 1 << 20
        let disk = try await FileDisk.open("/disk", options: options, ring: ring)
        await ring.blocking { files in
          let root = files.open("/", flags: O_RDONLY, mode: 0)
          _ = files.synchronize(root)
          files.close(root)
        }
        _ = await disk.flush()
        let through = await disk.writeThrough(at: 0, from: try ring.payload(written)).status
        let cached = await disk.write(at: 8192, from: try ring.payload(written)).status
        #expect(through == .good(512) && cached == .good(512))
        files.crash()
        await disk.close()
      }
      let after = try await Self.simulate(files, SimulationPlan(seed: 1)) {
        ring in
        let disk = try await FileDisk.open("/disk", options: .readWrite, ring: ring)
        let through = await disk.read(at: 0, into: try ring.room(512)).payload.bytes()
        let cached = await disk.read(at: 8192, into: try ring.room(512)).payload.bytes()
        await disk.close()
        return [through, cached]
      }
      #expect(after[0] == written)
      if after[1] != written { lost += 1 }
    }
    #expect(lost > 0)
  }

  @Test("a faulty disk fails where it is told to, whichever way it is written")
  func faults() async throws {
    try await withProcessor { ring, directory in
      let file = try await Self.disk(directory + "/disk", ring)
      var misbehaviour = Misbehaviour()
      misbehaviour.faults = [Fault(.writeError, at: 10)]
      let disk = FaultyDisk(file, misbehaviour, ring: ring)
      let bad = Condition(.mediumError, .writeError, information: 10)
      #expect(await disk.discard(at: 4096, byteCount: 4096).condition == bad)
      #expect(await disk.writeZeros(at: 4096, byteCount: 4096).condition == bad)
      let through = await disk.writeThrough(at: 4096, from: try ring.room(4096)).status
      #expect(through.condition == bad && through.byteCount == 1024)
      #expect(await disk.discard(at: 0, byteCount: 4096) == .good())
      await disk.close()
    }
  }
}
