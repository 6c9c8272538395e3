import Devices
import Glibc
import SCSI
import Testing
import Uring

@testable import Transfer

@Suite("A pipeline that is stopped")
struct PipelineFailureTests {
  private static let content = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 >> 9 &+ $0) }

  private static func files() -> SimulatedFileSystem {
    let files = SimulatedFileSystem()
    files.setContent(of: "/source", content)
    files.setContent(of: "/target", [UInt8](repeating: 0, count: 1 << 20))
    return files
  }

  private static func limits() -> TransferLimits {
    var limits = TransferLimits(arenaBytes: 4 << 20)
    limits.chunkBytes = 64 << 10
    return limits
  }

  private static func stage(
    _ segment: Int, _ source: BlockDevice, _ range: Range<UInt64>, _ destination: Stage.Destination,
    unit: Int
  ) -> Stage {
    let byteCount = range.upperBound - range.lowerBound
    var stage = Stage(
      segment: segment,
      source: .blocks(source, offset: range.lowerBound, byteCount: byteCount),
      destination: destination)
    stage.processed = byteCount
    stage.unit = unit
    stage.units = byteCount / UInt64(unit)
    return stage
  }

  @Test("reports the first of several writes that fail together", arguments: 0..<40)
  func firstFailure(seed: Int) async throws {
    var plan = SimulationPlan(seed: UInt64(seed))
    for bad in [128 << 10, 256 << 10, 384 << 10] as [UInt64] {
      plan.faults.append(
        SimulatedFault([.write], path: "/target", bytes: bad..<bad + 1, errno: EIO))
    }
    let (stop, _) = try await simulate(Self.files(), plan) { ring in
      let (source, target) = (
        try await openDisk("/source", ring), try await openDisk("/target", ring)
      )
      let pipeline = Pipeline(ring: ring, limits: Self.limits())
      _ = await pipeline.enqueue(
        Self.stage(3, source, 0..<1 << 20, .blocks(target, offset: 0), unit: 512))
      let stop = await pipeline.drain()
      await source.close()
      await target.close()
      return stop
    }
    guard case .failure(let failure) = stop else {
      Issue.record("\(String(describing: stop))")
      return
    }
    #expect(failure.segment == 3)
    #expect(failure.origin == .destination)
    #expect(failure.writtenBytes == 128 << 10)
    #expect(failure.condition.information == 256)
  }

  @Test("takes no short transfer for a whole one", arguments: ["read", "write"])
  func shortTransfer(kind: String) async throws {
    let (stop, _) = try await simulate(Self.files(), SimulationPlan()) { ring in
      let fault = ",fault=short-\(kind)@256"
      let source = try await DeviceOptions(kind == "read" ? "/source" + fault : "/source")
        .openDisk(.readWrite, ring: ring)
      let target = try await DeviceOptions(kind == "read" ? "/target" : "/target" + fault)
        .openDisk(.readWrite, ring: ring)
      let pipeline = Pipeline(ring: ring, limits: Self.limits())
      _ = await pipeline.enqueue(
        Self.stage(3, source, 0..<1 << 20, .blocks(target, offset: 0), unit: 512))
      let stop = await pipeline.drain()
      await source.close()
      await target.close()
      return stop
    }
    guard case .failure(let failure) = stop else {
      Issue.record("\(String(describing: stop))")
      return
    }
    #expect(failure.origin == (kind == "read" ? .source : .destination))
    #expect(failure.writtenBytes == 128 << 10)
    #expect(failure.condition.additional == .copyTargetDeviceDataUnderrun)
  }

  @Test("leaves no timer behind, and says where it was", arguments: 0..<20)
  func cancelledInPause(seed: Int) async throws {
    let (segment, left) = try await simulate(Self.files(), SimulationPlan(seed: UInt64(seed))) {
      ring in
      let source = try await openDisk("/source", ring)
      let tape = try await openTape("/tape", ring)
      let policy = StreamingPolicy(startThreshold: 1, rates: 1...2)
      let pipeline = Pipeline(ring: ring, limits: Self.limits(), streaming: policy)
      for segment in 0..<2 {
        let start = UInt64(segment) << 18
        _ = await pipeline.enqueue(
          Self.stage(
            segment, source, start..<start + 1 << 18,
            .records(tape, recordLength: 65_536, recordsPerWrite: 1), unit: 65_536))
      }
      await ring.sleep(nanoseconds: 10_000_000)
      pipeline.cancel()
      #expect(await pipeline.drain() == .cancelled)
      await source.close()
      _ = await tape.close()
      return pipeline.stoppedSegment
    }
    #expect(segment == 0)
    #expect(left == 0)
  }

  @Test("leaves no timer behind when it comes to its end")
  func endsAfterPause() async throws {
    let (stop, left) = try await simulate(Self.files(), SimulationPlan()) { ring in
      let source = try await openDisk("/source", ring)
      let tape = try await openTape("/tape", ring)
      let policy = StreamingPolicy(startThreshold: 1, rates: 1e6...2e6)
      let pipeline = Pipeline(ring: ring, limits: Self.limits(), streaming: policy)
      _ = await pipeline.enqueue(
        Self.stage(
          0, source, 0..<1 << 20, .records(tape, recordLength: 65_536, recordsPerWrite: 1),
          unit: 65_536))
      let stop = await pipeline.drain()
      await source.close()
      #expect(tape.objectCount == 16)
      _ = await tape.close()
      return stop
    }
    #expect(stop == nil)
    #expect(left == 0)
  }

  @Test("says that the source failed, though the tape has not been started")
  func sourceFailsBeforeStart() async throws {
    var plan = SimulationPlan()
    plan.faults = [
      SimulatedFault([.read], path: "/source", bytes: 200_000..<200_001, errno: EIO)
    ]
    let (stop, _) = try await simulate(Self.files(), plan) { ring in
      let source = try await openDisk("/source", ring)
      let tape = try await openTape("/tape", ring)
      let pipeline = Pipeline(
        ring: ring, limits: Self.limits(), streaming: StreamingPolicy(startThreshold: 1 << 20))
      _ = await pipeline.enqueue(
        Self.stage(
          0, source, 0..<1 << 20, .records(tape, recordLength: 4096, recordsPerWrite: 1),
          unit: 4096))
      let stop = await pipeline.drain()
      await source.close()
      _ = await tape.close()
      return stop
    }
    guard case .failure(let failure) = stop else {
      Issue.record("\(String(describing: stop))")
      return
    }
    #expect(failure.origin == .source)
    #expect(failure.condition.key == .mediumError)
    #expect(failure.writtenBytes > 0)
  }

  @Test("reads in smaller pieces where a whole one does not fit beside what is kept")
  func smallReservoir() async throws {
    let (stop, _) = try await simulate(Self.files(), SimulationPlan()) { ring in
      let source = try await openDisk("/source", ring)
      let tape = try await openTape("/tape", ring)
      var limits = Self.limits()
      limits.reservoirBytes = 100_000
      let pipeline = Pipeline(ring: ring, limits: limits)
      _ = await pipeline.enqueue(
        Self.stage(
          0, source, 0..<1 << 20, .records(tape, recordLength: 50_000, recordsPerWrite: 1),
          unit: 50_000))
      let stop = await pipeline.drain()
      await source.close()
      #expect(tape.objectCount == 20)
      _ = await tape.close()
      return stop
    }
    #expect(stop == nil)
  }
}
