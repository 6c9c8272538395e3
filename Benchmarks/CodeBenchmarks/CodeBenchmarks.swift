import Benchmark
import ExtendedCopy
import SCSI

// The goal is a list of 1,000 segments parsed and planned in under 1 ms.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput, .peakMemoryResident],
    maxDuration: .seconds(2))

  for segments in [1_000, 10_000] {
    let list = sampleList(segments: segments)
    guard let bytes = try? list.encode() else {
      preconditionFailure("the sample list of \(segments) segments cannot be encoded")
    }
    Benchmark("decode a list of \(segments) segments") { benchmark in
      for _ in benchmark.scaledIterations {
        blackHole(try ParameterList.decode(bytes))
      }
    }
    Benchmark("encode a list of \(segments) segments") { benchmark in
      for _ in benchmark.scaledIterations {
        blackHole(try list.encode())
      }
    }
  }
}

/// A disk image in extents: 128 blocks of 512 bytes each, to a tape in records of 1 MiB.
func sampleList(segments: Int) -> ParameterList {
  let disk = TargetDescriptor(
    identification: .designator(.naa([UInt8](repeating: 0x60, count: 16))),
    peripheralDeviceType: 0, device: .block(pad: false, blockLength: 512))
  let tape = TargetDescriptor(
    identification: .designator(.naa([UInt8](repeating: 0x50, count: 8))),
    peripheralDeviceType: 1, device: .stream(pad: true, fixed: false, blockLength: 0))
  let extents = (0..<segments).map { number in
    SegmentDescriptor(
      cat: number + 1 < segments, source: 0, destination: 1,
      operation: .blockToStream(
        streamTransferLength: 1 << 20, blocks: 128, lba: UInt64(number) * 256))
  }
  return ParameterList(targets: [disk, tape], segments: extents)
}
