import CopyManager
import Devices
import Glibc
import SCSI
import Testing
import Transfer
import Uring

@testable import CopyModel

@Suite("What a device accepted and then lost")
struct LostDataTests {
  /// 00h of 8 blocks to a tape, and then a segment whose LBA is out of range.
  private static let scenario: Scenario = {
    func target(_ type: UInt8, _ name: UInt8) -> [UInt8] {
      let identity: [UInt8] = [1, 3, 0, 8, 0x52, 0, 0x4B, 0x17, 0, 0, 0, name]
      return [0xE4, type, 0, 0] + identity + [UInt8](repeating: 0, count: 16)
    }
    func copy(lba: UInt8) -> [UInt8] {
      let head: [UInt8] = [0, 1, 0, 0x14, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 8]
      return head + [lba, 0, 0, 0, 0, 0, 0, 0]
    }
    let header: [UInt8] = [1, 0x10, 0, 64, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0, 0]
    let disk = ModelDisk(blockLength: 512, bytes: [UInt8](repeating: 7, count: 8192))
    return Scenario(
      seed: 0, list: header + target(0, 1) + target(1, 2) + copy(lba: 0) + copy(lba: 1),
      lid4: false,
      devices: [.disk(disk), .tape(ModelTape())], heldDataLimit: 0)
  }()

  @Test("is told by a deferred error, whatever else ended the command")
  func flushFails() async throws {
    var run = SimulatedRun(
      scenario: Self.scenario, plan: SimulationPlan(),
      limits: TransferLimits(arenaBytes: SimulatedShelf.arenaBytes))
    run.plan.faults = [SimulatedFault([.flush], path: "/tape1/data", errno: EIO)]
    let files = try await SimulatedShelf.make(run.scenario.devices, directAlignment: 512)
    let report = try #require(try await run.execute(on: files))
    let sense = try #require(report.result?.sense)
    #expect(sense.key == .copyAborted)
    #expect(sense.copySegment == 1)
    #expect(sense.information == nil)
    let forwarded = try #require(sense.forwarded.first { $0.origin == .destination })
    let lost = try SenseData.decode(forwarded.sense)
    #expect(lost.deferred)
    #expect(lost.key == .mediumError)
    let tape = try await SimulatedShelf.readBack(run.scenario.devices, files)[1].tape
    #expect(tape?.objects == [])
  }

  @Test("is told to one who cancelled, too")
  func flushFailsBehindCancel() async throws {
    var run = SimulatedRun(
      scenario: Self.scenario, plan: SimulationPlan(),
      limits: TransferLimits(arenaBytes: SimulatedShelf.arenaBytes))
    run.plan.latencyNanoseconds = 1_000_000...1_000_000
    // Behind the first read and in the midst of the first writes.
    run.cancelsAfter = 1_500_000
    run.plan.faults = [SimulatedFault([.flush], path: "/tape1/data", errno: EIO)]
    let files = try await SimulatedShelf.make(run.scenario.devices, directAlignment: 512)
    let report = try #require(try await run.execute(on: files))
    #expect(report.result?.status == .checkCondition)
    let forwarded = try #require(report.result?.sense?.forwarded.first)
    #expect(try SenseData.decode(forwarded.sense).deferred)
  }
}
