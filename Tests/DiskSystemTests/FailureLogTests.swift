import Devices
import Glibc
import Testing
import Uring

@testable import DiskSystem

@Suite("Failures of units are told")
struct FailureLogTests {
  private final class Lines: @unchecked Sendable {
    var texts: [String] = []
  }

  @Test("with unit, operation, block and the system's words, and not too many of them")
  func words() {
    let lines = Lines()
    let log = FailureLog(unit: "disk") { lines.texts.append($0) }
    log.report(DiskFailure(.read, block: 21, errno: EIO), now: 5)
    log.report(DiskFailure(.flush, block: nil, errno: ENOSPC), now: 6)
    log.report(DiskFailure(.read, block: 7, errno: 0), now: 7)
    #expect(
      lines.texts == [
        "unit disk: read of block 21 failed: Input/output error",
        "unit disk: flush failed: No space left on device",
        "unit disk: read of block 7 failed: the file ends before it; something else has cut it",
      ])
    for _ in 0..<100 { log.report(DiskFailure(.write, block: 1, errno: EIO), now: 8) }
    #expect(lines.texts.count == FailureLog.burst)
    log.report(
      DiskFailure(.zero, block: 3, errno: EIO), now: 5 + FailureLog.pauseNanoseconds)
    #expect(
      lines.texts.last
        == "unit disk: zeroing of block 3 failed: Input/output error (and 95 more since the last line)"
    )
    log.end()
    #expect(lines.texts.count == FailureLog.burst + 1)
    for _ in 0..<9 {
      log.report(DiskFailure(.write, block: 1, errno: EIO), now: 6 + FailureLog.pauseNanoseconds)
    }
    log.end()
    #expect(lines.texts.last == "unit disk: 2 more failures were not told")
  }

  @Test("by the disk itself, each once")
  func byTheDisk() async throws {
    let files = SimulatedFileSystem()
    files.makeSparseFile("/disk", byteCount: 1 << 16)
    var plan = SimulationPlan()
    plan.faults = [
      SimulatedFault([.read, .write, .allocate], bytes: 4096..<4608, errno: EIO),
      SimulatedFault([.flush], errno: ENOSPC),
    ]
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 4 << 20
    let kernelPlan = plan
    configuration.kernel = { SimulatedKernel(files: files, plan: kernelPlan) }
    let processor = try Processor(configuration)
    defer { processor.stop() }
    let lines = Lines()
    try await processor.run { ring async throws(DeviceError) in
      let disk = try await FileDisk.open("/disk", options: .readWrite, ring: ring)
      let log = FailureLog(unit: "disk") { lines.texts.append($0) }
      disk.failed = { log.report($0, now: ring.now) }
      for offset in [0, 4096] as [UInt64] {
        if let payload = ring.arena.allocate(512) {
          _ = await disk.read(at: offset, into: payload)
        }
        _ = await disk.write(at: offset, from: ring.arena.zeros(512))
      }
      _ = await disk.writeZeros(at: 4096, byteCount: 512)
      for _ in 0..<3 { _ = await disk.flush() }
      await disk.close()
    }
    #expect(
      lines.texts == [
        "unit disk: read of block 8 failed: Input/output error",
        "unit disk: write of block 8 failed: Input/output error",
        "unit disk: zeroing of block 8 failed: Input/output error",
        "unit disk: flush failed: No space left on device",
      ])
  }
}
