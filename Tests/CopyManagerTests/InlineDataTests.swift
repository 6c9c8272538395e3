import Testing
import Transfer
import Uring

@testable import CopyModel

@Suite("Inline data")
struct InlineDataTests {
  @Test("may be longer than the arena")
  func longerThanTheArena() async throws {
    var random = SplitMix64(seed: 1)
    let target: [UInt8] =
      [0xE4, 1, 0, 0, 1, 3, 0, 8, 0x52, 0, 0x4B, 0x17, 0, 0, 0, 1]
      + [UInt8](repeating: 0, count: 16)
    let segment: [UInt8] = [4, 1, 0, 0x10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x50, 0, 0]
    let header: [UInt8] = [1, 0x10, 0, 32, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0x50, 0, 0]
    let scenario = Scenario(
      seed: 0, list: header + target + segment + random.bytes(5 << 20), lid4: false,
      devices: [.tape(ModelTape())], heldDataLimit: 0)
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 4 << 20
    let processor = try Processor(configuration)
    let outcome = await ModelTests.run(
      scenario, on: processor, limits: TransferLimits(arenaBytes: 4 << 20), seed: 1)
    processor.stop()
    let expected = scenario.result()
    #expect(expected.status == 0)
    let found = ModelTests.differences(scenario, expected, outcome)
    #expect(found.isEmpty, "\(found.joined(separator: "; "))")
  }
}
