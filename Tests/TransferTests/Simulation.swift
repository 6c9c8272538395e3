import Devices
import Uring

/// Runs `body` on a processor over a simulated kernel, and says how many operations it left behind.
func simulate<Success: Sendable>(
  _ files: SimulatedFileSystem, _ plan: SimulationPlan,
  _ body: @escaping @Sendable (Ring) async throws -> Success
) async throws -> (result: Success, left: Int) {
  let kernel = SimulatedKernel(files: files, plan: plan)
  var configuration = Processor.Configuration()
  configuration.arenaBytes = 4 << 20
  configuration.kernel = { kernel }
  let processor = try Processor(configuration)
  let result: Result<(result: Success, left: Int), any Error> = await processor.run { ring in
    do {
      let before = ring.inFlight
      let result = try await body(ring)
      return .success((result, ring.inFlight - before))
    } catch {
      return .failure(error)
    }
  }
  processor.stop()
  return try result.get()
}

/// A disk of a simulated file.
func openDisk(_ path: String, _ ring: Ring) async throws -> FileDisk {
  try await FileDisk.open(path, options: .readWrite, ring: ring)
}

/// An empty cartridge.
func openTape(_ path: String, _ ring: Ring) async throws -> Cartridge {
  try await Cartridge.create(at: path, ring: ring)
  return try await Cartridge.open(path, ring: ring)
}
