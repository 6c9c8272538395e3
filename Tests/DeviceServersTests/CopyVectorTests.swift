import ExtendedCopy
import SCSI
import Testing

@testable import DeviceServers

/// What `iscsi-test-cu` asks of a copy manager, and what other copy managers answer.
@Suite("EXTENDED COPY answers as other people's tests demand")
struct CopyVectorTests {
  /// COPY ABORTED with one of the codes that are accepted for what cannot be reached.
  private static let unreachable = ["A/00/00", "A/08/04", "A/0D/02"]

  @Test("blocks from the start of a unit to its end, named twice by one descriptor")
  func simple() async throws {
    try await withCopyBench { bench in
      let count = 2048
      let end = bench.source.blockCount - UInt64(count)
      let list = CopyList(
        usage: 0b10, targets: [bench.source.cscd],
        segments: [CopyList.blocks(count, from: 0, to: end, destination: 0)])
      let before = bench.source.bytes
      #expect(await bench.copy(list).short == "GOOD")
      let kept = before.prefix(Int(end) * 512)
      let isRight = bench.source.bytes.elementsEqual(kept + before.prefix(count * 512))
      #expect(isRight)
      #expect(bench.source.flushes == 1)
    }
  }

  @Test("lists that end in a header or in a descriptor, and none at all")
  func parameterListLength() async throws {
    try await withCopyBench { bench in
      let bytes = CopyList(
        targets: [bench.source.cscd],
        segments: [CopyList.blocks(8, from: 0, to: 100, destination: 0)]
      ).bytes
      #expect(await bench.copy([]).short == "GOOD")
      for count in [1, 15, 16 + 32 - 1, 16 + 32 + 28 - 1] {
        #expect(await bench.copy(Array(bytes.prefix(count))).short == "5/1A/00")
      }
      #expect(bench.source.writes == 0)
    }
  }

  @Test("too many descriptors, by count and by length")
  func descriptorLimits() async throws {
    try await withCopyBench { bench in
      let limits = try OperatingParameters.decode(bench.receive(.operatingParameters, 0))
      let target = bench.source.cscd
      let segment = CopyList.blocks(1, from: 0, to: 100, destination: 0)
      let targets = Array(repeating: target, count: Int(limits.maximumTargets) + 1)
      #expect(await bench.copy(CopyList(targets: targets, segments: [segment])).short == "5/26/06")
      var list = CopyList(targets: [target])
      list.segments = Array(repeating: segment, count: Int(limits.maximumSegments) + 1)
      #expect(await bench.copy(list).short == "5/26/08")
      let room = Int(limits.maximumDescriptorListBytes) - targets.joined().count
      list.targets = targets
      list.segments = Array(repeating: segment, count: room / segment.count + 1)
      #expect(await bench.copy(list).short == "5/1A/00")
      list.targets = [target]
      list.segments = Array(repeating: segment, count: Int(limits.maximumSegments))
      #expect(await bench.copy(list).short == "GOOD")
    }
  }

  @Test("a port name, and a copy from tape to tape, are not supported")
  func descriptorTypes() async throws {
    try await withCopyBench { bench in
      let segment = CopyList.blocks(8, from: 0, to: 100, destination: 0)
      let port = [0xE0] + [UInt8](repeating: 0, count: 31)
      #expect(await bench.copy(CopyList(targets: [port], segments: [segment])).short == "5/26/07")
      let list = CopyList(targets: [bench.source.cscd], segments: [[3, 0, 0, 0, 0, 0, 0, 0]])
      #expect(await bench.copy(list).short == "5/26/09")
    }
  }

  @Test("LU ID TYPE does not matter where a designator names the unit")
  func unitIdentifierType() async throws {
    try await withCopyBench { bench in
      let designator = bench.source.designators[0]
      let list = CopyList(
        targets: [CopyList.cscd(designator, blockLength: 512, flags: 0b10 << 6)],
        segments: [CopyList.blocks(8, from: 0, to: 100, destination: 0)])
      #expect(await bench.copy(list).short == "GOOD")
      let null = CopyList(
        targets: [CopyList.cscd(designator, blockLength: 512, flags: 0x20)],
        segments: [CopyList.blocks(8, from: 0, to: 100, destination: 0)])
      #expect(Self.unreachable.contains(await bench.copy(null).short))
    }
  }

  @Test("an index without descriptor, and a range behind the end")
  func segmentFields() async throws {
    try await withCopyBench { bench in
      let targets = [bench.source.cscd]
      let index = CopyList(
        targets: targets, segments: [CopyList.blocks(2048, from: 0, to: 0, destination: 1)])
      #expect(Self.unreachable.contains(await bench.copy(index).short))
      let last = bench.source.blockCount - 1
      for segment in [
        CopyList.blocks(2048, from: 0, to: last, destination: 0),
        CopyList.blocks(2048, from: last, to: 0, destination: 0),
        CopyList.blocks(1, from: .max, to: 0, destination: 0),
      ] {
        let answer = await bench.copy(CopyList(targets: targets, segments: [segment]))
        #expect(Self.unreachable.contains(answer.short))
        #expect(answer.sense?.copySegment == 0)
      }
      #expect(bench.source.writes == 0)
    }
  }

  @Test("a large segment that counts bytes")
  func large() async throws {
    try await withCopyBench { bench in
      let list = bench.list(CopyList.bytes(1 << 20, from: 16, to: 2), usage: 0b10)
      #expect(await bench.copy(list).short == "GOOD")
      #expect(bench.isCopied(2048, from: 16, to: 2))
    }
  }

  @Test("COPY STATUS of a list that never was, and of one that was")
  func copyStatus() async throws {
    try await withCopyBench { bench in
      let unknown = try #require(bench.refusal(.copyStatus))
      #expect(unknown.key == .illegalRequest && unknown.additional == .invalidFieldInCDB)
      let list = bench.list(CopyList.blocks(2048, from: 0, to: 0))
      #expect(await bench.copy(list).short == "GOOD")
      let status = try CopyStatus.decode(bench.receive(.copyStatus))
      #expect(status.state == .completed)
      #expect(status.segmentsProcessed == 1)
      #expect(status.transferCount == TransferCount(units: 0, count: 1 << 20))
    }
  }

  @Test("OPERATING PARAMETERS in 1024 bytes")
  func operatingParameters() async throws {
    try await withCopyBench { bench in
      let bytes = try bench.receive(.operatingParameters, 0)
      #expect(bytes.count >= 44)
      let parameters = try OperatingParameters.decode(bytes)
      #expect(parameters.maximumInlineBytes == 0)
      #expect(parameters.maximumTargets >= 2 && parameters.maximumTargets <= 64)
      #expect(parameters.typeCodes == [0x02, 0x07, 0x0A, 0x0D, 0xE4])
      #expect(try bench.receive(.operatingParameters, 0, length: 12) == Array(bytes.prefix(12)))
    }
  }

  @Test("what LIO takes is taken, what it refuses is refused")
  func answersOfLIO() async throws {
    try await withCopyBench { bench in
      let copy = CopyList.blocks(8, from: 0, to: 8)
      var list = bench.list(copy)
      list.usage = 0b11
      list.identifier = 0
      #expect(await bench.copy(list).short == "GOOD")
      #expect(await bench.copy(bench.list(copy, identifier: 9, usage: 0b10)).short == "GOOD")
      #expect(await bench.copy(bench.list(CopyList.blocks(0, from: 0, to: 0))).short == "GOOD")
      var striped = bench.list(copy).bytes
      striped[1] |= 0x20
      #expect(await bench.copy(striped).short == "GOOD")
      let destinationCounts = CopyList.blocks(8, from: 0, to: 8, flags: 0x02)
      #expect(await bench.copy(bench.list(destinationCounts)).short == "GOOD")
      #expect(await bench.copy([UInt8](repeating: 0, count: 16)).short == "GOOD")
      var inline = bench.list(copy).bytes + [1, 2, 3, 4]
      inline[15] = 4
      #expect(await bench.copy(inline).short == "5/26/0B")
      var unknown = bench.list(copy)
      unknown.targets[1] = CopyList.cscd(MemoryUnit.designator(9), blockLength: 512)
      #expect(Self.unreachable.contains(await bench.copy(unknown).short))
      #expect(await bench.copy(CopyList(segments: [copy])).short == "A/08/04")
      var reserved = bench.list(copy)
      reserved.usage = 0b01
      #expect(await bench.copy(reserved).short == "5/26/00")
    }
  }
}
