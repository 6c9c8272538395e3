import Glibc
import Testing
import Uring

@testable import Devices

@Suite("A cartridge that is closed")
struct CartridgeClosingTests {
  @Test("waits for everything it has begun, also when it cannot be made durable", arguments: 0..<40)
  func closing(seed: Int) async throws {
    let files = SimulatedFileSystem()
    var plan = SimulationPlan(seed: UInt64(seed))
    plan.latencyNanoseconds = 1...1_000_000
    if seed % 2 == 0 { plan.faults = [SimulatedFault([.write], path: "/tape/index", errno: EIO)] }
    let asked = plan
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 4 << 20
    configuration.kernel = { SimulatedKernel(files: files, plan: asked) }
    let processor = try Processor(configuration)
    let result: Result<Int, any Error> = await processor.run { ring in
      do {
        try await Cartridge.create(at: "/tape", ring: ring)
        let tape = try await Cartridge.open("/tape", ring: ring)
        let before = ring.inFlight
        _ = await tape.write(try ring.payload([UInt8](repeating: 1, count: 4096)))
        _ = await tape.close()
        return .success(ring.inFlight - before)
      } catch {
        return .failure(error)
      }
    }
    processor.stop()
    #expect(try result.get() == 0)
    #expect(files.openDescriptorCount == 0)
  }
}
