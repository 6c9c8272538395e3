import Glibc
import Testing

@testable import Uring

@Suite("After a simulated power loss")
struct PowerLossTests {
  @Test("what a flush covered is there, the rest is kept, dropped or torn", arguments: 0..<100)
  func content(seed: Int) async throws {
    let files = SimulatedFileSystem()
    files.setContent(of: "/a", pattern(8192))
    let (down, _) = try await simulate(files, SimulationPlan(seed: UInt64(seed))) { ring in
      let file = ring.openNow("/a", O_RDWR)
      _ = await ring.put(file, pattern(4096, 1), at: 0)
      _ = await ring.flush(file)
      _ = await ring.put(file, pattern(8192, 2), at: 4096)
      files.crash()
      return [await ring.put(file, [1], at: 0), await ring.flush(file)]
    }
    #expect(down.allSatisfy { $0 == -EIO || $0 == -ECANCELED })
    #expect(files.open("/a", flags: O_RDONLY, mode: 0) == -EIO)
    _ = SimulatedKernel(files: files, plan: SimulationPlan())
    let content = try #require(files.content(of: "/a"))
    #expect(Array(content.prefix(4096)) == pattern(4096, 1))
    #expect(content.count >= 8192 && content.count <= 12288)
    let old = pattern(8192) + [UInt8](repeating: 0, count: 4096)
    let new = pattern(4096, 1) + pattern(8192, 2)
    for sector in stride(from: 4096, to: content.count, by: 512) {
      let now = content[sector..<min(sector + 512, content.count)]
      #expect(now == old[sector..<sector + now.count] || now == new[sector..<sector + now.count])
    }
  }

  @Test("every fate of an unflushed write occurs")
  func fates() async throws {
    var seen: Set<[Bool]> = []
    for seed in 0..<60 {
      let files = SimulatedFileSystem()
      files.setContent(of: "/a", [UInt8](repeating: 0, count: 1536))
      _ = try await simulate(files, SimulationPlan(seed: UInt64(seed))) { ring in
        _ = await ring.put(
          ring.openNow("/a", O_RDWR), [UInt8](repeating: 7, count: 1536), at: 0)
      }
      files.crash()
      let content = try #require(files.content(of: "/a"))
      seen.insert([0, 512, 1024].map { content[$0] == 7 })
    }
    #expect(seen.count == 8)
  }

  @Test("a flush does not cover what was in flight when it was submitted")
  func inFlight() async throws {
    var lost = false
    for seed in 0..<60 {
      let files = SimulatedFileSystem()
      files.setContent(of: "/a", [7])
      _ = try await simulate(files, SimulationPlan(seed: UInt64(seed))) { ring in
        let file = ring.openNow("/a", O_RDWR)
        let collector = Collector()
        ring.write(file, at: 0, from: ring.arena.zeros(1), for: collector, tag: 0)
        ring.synchronize(file, for: collector, tag: 1)
        await collector.wait(for: 2)
      }
      files.crash()
      if files.content(of: "/a") == [7] { lost = true }
    }
    #expect(lost)
  }

  @Test("names are there when their directory was flushed; a rename is whole", arguments: 0..<60)
  func names(seed: Int) async throws {
    let files = SimulatedFileSystem()
    let (_, _) = try await simulate(files, SimulationPlan(seed: UInt64(seed))) { ring in
      let calls = ring.kernel.files
      _ = calls.makeDirectory("/d", mode: 0o700)
      let root = ring.openNow("/", O_RDONLY)
      let kept = ring.openNow("/d/kept", O_RDWR | O_CREAT)
      _ = await ring.put(kept, [1], at: 0)
      _ = await ring.flush(kept)
      _ = await ring.flush(ring.openNow("/d", O_RDONLY | O_DIRECTORY))
      _ = await ring.flush(root)
      _ = ring.openNow("/d/unsure", O_RDWR | O_CREAT)
      _ = calls.rename("/d/kept", to: "/d/renamed")
    }
    files.crash()
    let names = try #require(files.names(in: "/d"))
    #expect(names.contains("kept") != names.contains("renamed"))
    #expect(files.content(of: names.contains("kept") ? "/d/kept" : "/d/renamed") == [1])
  }

  @Test("a program ends, wherever the power fails")
  func everywhere() async throws {
    var ended = 0
    for operation in 1...12 {
      let files = SimulatedFileSystem()
      let plan = SimulationPlan.powerLoss(seed: 9, atOperation: operation)
      let (acknowledged, _) = try await simulate(files, plan) { ring in
        let file = ring.openNow("/a", O_RDWR | O_CREAT)
        let directory = ring.openNow("/", O_RDONLY)
        guard await ring.flush(directory) == 0 else { return -1 }
        for number in 0..<4 {
          let bytes = [UInt8](repeating: UInt8(number), count: 512)
          guard await ring.put(file, bytes, at: UInt64(number * 512)) == 512,
            await ring.flush(file) == 0
          else { return number }
        }
        return 4
      }
      #expect(files.isDown == (acknowledged < 4))
      files.crash()
      _ = SimulatedKernel(files: files, plan: SimulationPlan())
      if acknowledged >= 0 {
        let content = try #require(files.content(of: "/a"))
        let sure = (0..<acknowledged).flatMap { [UInt8](repeating: UInt8($0), count: 512) }
        #expect(Array(content.prefix(sure.count)) == sure)
      }
      ended += 1
    }
    #expect(ended == 12)
  }

  @Test("a flush that failed is not mended by the next one")
  func failedFlush() async throws {
    var lost = false
    for seed in 0..<40 {
      let files = SimulatedFileSystem()
      files.setContent(of: "/a", [0])
      var plan = SimulationPlan(seed: UInt64(seed))
      plan.faults = [SimulatedFault([.flush], errno: EIO, isOnce: true)]
      let (results, _) = try await simulate(files, plan) { ring in
        let file = ring.openNow("/a", O_RDWR)
        _ = await ring.put(file, [7], at: 0)
        return [await ring.flush(file), await ring.flush(file)]
      }
      #expect(results == [-EIO, 0])
      files.crash()
      if files.content(of: "/a") == [0] { lost = true }
    }
    #expect(lost)
  }
}
