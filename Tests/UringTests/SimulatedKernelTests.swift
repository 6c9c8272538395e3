import CUring
import Glibc
import Testing

@testable import Uring

@Suite("A simulated kernel")
struct SimulatedKernelTests {
  /// Eight writers at once, over all faults that a sound program survives.
  static func run(seed: UInt64) async throws -> ([UInt8]?, SimulatedKernel) {
    let files = SimulatedFileSystem()
    let (_, kernel) = try await simulate(files, .rough(seed: seed)) { ring in
      let file = ring.openNow("/a", O_RDWR | O_CREAT)
      let ended = Collector()
      let writers = (0..<8).map { number in
        Writer(ring, file, pattern(3000, number), at: UInt64(number * 3000)) {
          ring.timeout(nanoseconds: 0, for: ended, tag: UInt64(-Int64($0)))
        }
      }
      for writer in writers { writer.start() }
      await ended.wait(for: 8)
      withExtendedLifetime(writers) {}
      return await ring.flush(file)
    }
    return (files.durableContent(of: "/a"), kernel)
  }

  @Test("gives every writer its bytes under 200 seeds", arguments: 0..<200)
  func writers(seed: Int) async throws {
    let (content, _) = try await Self.run(seed: UInt64(seed))
    #expect(content == (0..<8).flatMap { pattern(3000, $0) })
  }

  @Test("replays: the same seed, the same completions at the same times", arguments: 0..<20)
  func replay(seed: UInt64) async throws {
    let (_, first) = try await Self.run(seed: seed)
    let (_, second) = try await Self.run(seed: seed)
    let (_, other) = try await Self.run(seed: seed + 1)
    #expect(first.fingerprint == second.fingerprint)
    #expect(first.history == second.history)
    #expect(first.fingerprint != other.fingerprint)
  }

  @Test("lets an hour pass in no time")
  func time() async throws {
    let (slept, _) = try await simulate(SimulatedFileSystem(), SimulationPlan()) { ring in
      let start = ring.now
      await ring.sleep(nanoseconds: 3_600_000_000_000)
      return ring.now - start
    }
    #expect(slept >= 3_600_000_000_000)
    #expect(slept < 3_601_000_000_000)
  }

  @Test("reorders unless told not to")
  func order() async throws {
    func completions(_ plan: SimulationPlan) async throws -> [UInt64] {
      let (_, kernel) = try await simulate(SimulatedFileSystem(), plan) { ring in
        let file = ring.openNow("/a", O_RDWR | O_CREAT)
        let collector = Collector()
        for number in 0..<20 {
          ring.write(
            file, at: UInt64(number), from: ring.arena.zeros(1), for: collector, tag: 0)
        }
        await collector.wait(for: 20)
      }
      return kernel.history.map(\.offset)
    }
    var plan = SimulationPlan(seed: 3)
    #expect(try await completions(plan) != Array(0..<20))
    plan.reordering = 0
    #expect(try await completions(plan) == Array(0..<20))
  }

  @Test("cuts direct transfers at sectors only")
  func direct() async throws {
    var plan = SimulationPlan(seed: 5)
    plan.shortTransfers = 1
    let (results, _) = try await simulate(SimulatedFileSystem(), plan) { ring in
      let file = ring.openNow("/a", O_RDWR | O_CREAT | cu_o_direct)
      var results: [Int32] = []
      for _ in 0..<50 { results.append(await ring.put(file, pattern(4096), at: 0)) }
      results.append(await ring.put(file, pattern(4096), at: 1))
      results.append(await ring.put(file, pattern(100), at: 0))
      return results
    }
    #expect(results.prefix(50).allSatisfy { $0 > 0 && $0 < 4096 && $0 % 512 == 0 })
    #expect(Set(results.prefix(50)).count > 3)
    #expect(results.suffix(2) == [-EINVAL, -EINVAL])
  }

  @Test("fails where the plan says, once or always, and in front of it a transfer may end short")
  func fault() async throws {
    var plan = SimulationPlan(seed: 1)
    plan.faults = [
      SimulatedFault([.read], path: "/a", bytes: 8192..<8193, errno: EIO),
      SimulatedFault([.write], path: "/a", bytes: 0..<1, errno: ENXIO, isOnce: true),
    ]
    let files = SimulatedFileSystem()
    files.setContent(of: "/a", pattern(16384))
    let (results, _) = try await simulate(files, plan) { ring in
      let file = ring.openNow("/a", O_RDWR)
      var results: Set<Int32> = []
      for _ in 0..<40 { results.insert(await ring.get(file, 16384, at: 0).0) }
      let beside = await ring.get(file, 4096, at: 8193).0
      let writes = [await ring.put(file, [1], at: 0), await ring.put(file, [1], at: 0)]
      return (results, beside, writes)
    }
    #expect(results.0 == [-EIO, 8192])
    #expect(results.1 == 4096)
    #expect(results.2 == [-ENXIO, 1])
  }

  @Test("runs out of room: by what was written, and by what fits on the disk")
  func room() async throws {
    var plan = SimulationPlan()
    plan.bytesUntilNoSpace = 10_000
    let written = try await simulate(SimulatedFileSystem(), plan) { ring in
      let file = ring.openNow("/a", O_RDWR | O_CREAT)
      return [
        await ring.put(file, pattern(8_000), at: 0), await ring.put(file, pattern(8_000), at: 0),
        await ring.put(file, [1], at: 0),
      ]
    }.0
    #expect(written == [8_000, 2_000, -ENOSPC])
    let small = SimulatedFileSystem(capacityBytes: 8 * 4096)
    let fitting = try await simulate(small, SimulationPlan()) { ring in
      let file = ring.openNow("/a", O_RDWR | O_CREAT)
      var results = [
        await ring.perform { ring.allocate(file, from: 0, byteCount: 6 * 4096, for: $0, tag: 0) },
        await ring.perform { ring.allocate(file, from: 0, byteCount: 9 * 4096, for: $0, tag: 0) },
        await ring.put(file, pattern(6 * 4096), at: 0),
        await ring.put(file, pattern(6 * 4096), at: 6 * 4096),
        await ring.put(file, [1], at: 100 * 4096),
      ]
      results.append(
        await ring.perform {
          ring.allocate(
            file, from: 0, byteCount: 4096, punchingHole: true, for: $0, tag: 0)
        })
      results.append(await ring.put(file, [1], at: 100 * 4096))
      return results
    }.0
    let expected: [Int32] = [0, -ENOSPC, 24576, 8192, -ENOSPC, 0, 1]
    #expect(fitting == expected)
    #expect(small.usedBytes == 8 * 4096)
    let start = [UInt8](repeating: 0, count: 4096) + pattern(4097).suffix(1)
    #expect(small.content(of: "/a").map { Array($0.prefix(4097)) } == start)
  }

  @Test(
    "cancels: the operation ends once, cancelled without effect or complete", arguments: 0..<100)
  func cancel(seed: Int) async throws {
    let files = SimulatedFileSystem()
    let (answers, kernel) = try await simulate(files, SimulationPlan(seed: UInt64(seed))) { ring in
      let file = ring.openNow("/a", O_RDWR | O_CREAT)
      var payload = ring.arena.allocate(4096)
      payload?.overwrite(with: pattern(4096))
      return await ring.perform {
        guard let taken = payload.take() else { return }
        ring.cancel(ring.write(file, at: 0, from: taken, for: $0, tag: 0))
      }
    }
    #expect(kernel.history.count == 1)
    #expect(answers == 4096 || answers == -ECANCELED)
    #expect(files.content(of: "/a") == (answers == 4096 ? pattern(4096) : []))
  }
}
