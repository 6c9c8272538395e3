import Glibc
import Testing
import Transfer
import Uring

@testable import CopyModel

@Suite("A segment that is moved towards the end of its own disk, in pieces")
struct BackwardsTests {
  /// 02h of 100 blocks from 0 to 10, with memory for much less.
  private static func run(seed: Int, blockLength: Int, reservoirBytes: Int) -> SimulatedRun {
    let header: [UInt8] = [1, 0x10, 0, 32, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 0]
    let target: [UInt8] = [0xE4, 0, 0, 0, 1, 3, 0, 8, 0x52, 0, 0x4B, 0x17, 0, 0, 0, 1]
    let segment: [UInt8] = [2, 3, 0, 0x18, 0, 0, 0, 0, 0, 0, 0, 100]
    let zeros = [UInt8](repeating: 0, count: 16)
    let list = header + target + zeros + segment + zeros.dropLast() + [10]
    var random = SplitMix64(seed: UInt64(seed))
    let disk = ModelDisk(blockLength: blockLength, bytes: random.bytes(110 * blockLength))
    let scenario = Scenario(
      seed: UInt64(seed), list: list, lid4: false, devices: [.disk(disk)], heldDataLimit: 0)
    var limits = TransferLimits(arenaBytes: SimulatedShelf.arenaBytes)
    limits.reservoirBytes = reservoirBytes
    limits.chunkBytes = 4096
    return SimulatedRun(
      scenario: scenario, plan: SimulationPlan(seed: UInt64(seed)), limits: limits)
  }

  @Test(
    "gives no residual when it fails: what is written does not begin where it begins",
    arguments: 0..<40)
  func failing(seed: Int) async throws {
    var run = Self.run(seed: seed, blockLength: 512, reservoirBytes: 40_960)
    var random = SplitMix64(seed: UInt64(seed))
    let bad = UInt64(random.number(0...109)) * 512
    let operation: SimulatedFault.Operation = random.pick([.read, .write])
    run.plan.faults = [
      SimulatedFault([operation], path: "/disk0", bytes: bad..<bad + 1, errno: EIO)
    ]
    let files = try await SimulatedShelf.make(run.scenario.devices, directAlignment: 512)
    let found = try await run.check(on: files, loss: .reported)
    #expect(found.violations.isEmpty, "\(found.violations.joined(separator: "; "))")
  }

  @Test("comes to its end where a block is as large as half of the memory")
  func largeBlocks() async throws {
    let run = Self.run(seed: 1, blockLength: 4096, reservoirBytes: 8192)
    let files = try await SimulatedShelf.make(run.scenario.devices, directAlignment: 512)
    let found = try await run.check(on: files, loss: nil)
    #expect(found.violations.isEmpty, "\(found.violations.joined(separator: "; "))")
  }
}
