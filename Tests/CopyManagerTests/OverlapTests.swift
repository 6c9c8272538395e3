import Testing
import Transfer
import Uring

@testable import CopyModel

@Suite("A segment that overlaps itself")
struct OverlapTests {
  private static let header: [UInt8] = [1, 0x10, 0, 64, 0, 0, 0, 0, 0, 0, 0]

  private static func target(_ type: UInt8, _ name: UInt8) -> [UInt8] {
    let identity: [UInt8] = [1, 3, 0, 8, 0x52, 0, 0x4B, 0x17, 0, 0, 0, name]
    return [0xE4, type, 0, 0] + identity + [UInt8](repeating: 0, count: 16)
  }

  private static func address(_ lba: UInt8) -> [UInt8] {
    [UInt8](repeating: 0, count: 7) + [lba]
  }

  private static func differences(
    _ segments: [UInt8], blockLength: Int, blocks: Int
  ) async throws -> [String] {
    var random = SplitMix64(seed: 1)
    let disk = ModelDisk(blockLength: blockLength, bytes: random.bytes(blocks * blockLength))
    let list =
      header + [UInt8(segments.count), 0, 0, 0, 0] + target(0, 1) + target(1, 2) + segments
    let scenario = Scenario(
      seed: 0, list: list, lid4: false, devices: [.disk(disk), .tape(ModelTape())],
      heldDataLimit: 0)
    var limits = TransferLimits(arenaBytes: 4 << 20)
    limits.reservoirBytes = 40_960
    limits.chunkBytes = 4096
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 4 << 20
    let processor = try Processor(configuration)
    let outcome = await ModelTests.run(scenario, on: processor, limits: limits, seed: 1)
    processor.stop()
    let expected = scenario.result()
    #expect(expected.status == 0)
    return ModelTests.differences(scenario, expected, outcome)
  }

  @Test("behind a residual longer than the segment writes nothing that it read")
  func longResidual() async throws {
    // 36 blocks that do not fill a record of 20,000 bytes, then 12,288 bytes of the disk itself.
    let first: [UInt8] = [0, 1, 0, 0x14, 0, 0, 0, 1, 0, 0, 0x4E, 0x20, 0, 0, 0, 36]
    let second: [UInt8] = [0x0A, 1, 0, 0x1C, 0, 0, 0, 0, 0, 0, 0x30, 0]
    let segments =
      first + Self.address(0) + second + Self.address(50) + Self.address(60) + [0, 0, 0, 0]
    let found = try await Self.differences(segments, blockLength: 512, blocks: 110)
    #expect(found.isEmpty, "\(found.joined(separator: "; "))")
  }

  @Test("in blocks longer than a piece moves block by block")
  func longBlocks() async throws {
    let head: [UInt8] = [2, 1, 0, 0x18, 0, 0, 0, 0, 0, 0, 0, 2]
    let found = try await Self.differences(
      head + Self.address(0) + Self.address(1), blockLength: 12_288, blocks: 4)
    #expect(found.isEmpty, "\(found.joined(separator: "; "))")
  }
}
