import Devices
import ExtendedCopy
import SAM
import SCSI
import Testing

@testable import DeviceServers

@Suite("RECEIVE COPY RESULTS tells a nexus of its own copies")
struct CopyResultTests {
  private static func hold(_ count: Int) -> [UInt8] {
    CopyList.blocks(count, from: 3, to: 0, type: 0x0D)
  }

  @Test("held data is delivered once, in whole")
  func heldData() async throws {
    try await withCopyBench { bench in
      #expect(await bench.copy(bench.list(Self.hold(4))).short == "GOOD")
      let part = try bench.receive(.receiveData, length: 100)
      #expect(part.count == 100 && part.prefix(4) == [0, 0, 8, 0])
      let data = try HeldData.decode(bench.receive(.receiveData, length: 4 + 2048)).data
      #expect(data == Array(bench.source.bytes[3 * 512..<7 * 512]))
      #expect(bench.refusal(.receiveData) != nil)
      #expect(bench.refusal(.copyStatus) == nil)
      #expect(bench.commands.records.heldByteCount == 0)
    }
  }

  @Test("an ALLOCATION LENGTH of zero gives held data up")
  func heldDataNotWanted() async throws {
    try await withCopyBench { bench in
      #expect(await bench.copy(bench.list(Self.hold(4))).short == "GOOD")
      let nothing = try bench.receive(.receiveData, length: 0)
      #expect(nothing == [])
      #expect(bench.refusal(.receiveData) != nil)
    }
  }

  @Test("the newest held data is kept, and HDD says that there was more")
  func heldDataLimit() async throws {
    try await withCopyBench { bench in
      #expect(await bench.copy(bench.list(Self.hold(200))).short == "GOOD")
      #expect(try CopyStatus.decode(bench.receive(.copyStatus)).heldDataDiscarded)
      let data = try HeldData.decode(bench.receive(.receiveData, length: .max)).data
      #expect(data.count == CopyLimits.heldBytes)
      let isRight = data.elementsEqual(
        bench.source.bytes[..<(203 * 512)].suffix(CopyLimits.heldBytes))
      #expect(isRight)
    }
  }

  @Test("a list that may be discarded is, and one without identifier has no results")
  func discarded() async throws {
    try await withCopyBench { bench in
      let copy = CopyList.blocks(1, from: 0, to: 0)
      #expect(await bench.copy(bench.list(copy, usage: 0b10)).short == "GOOD")
      #expect(bench.refusal(.copyStatus) != nil && bench.refusal(.receiveData) != nil)
      #expect(await bench.copy(bench.list(copy, identifier: 0, usage: 0b11)).short == "GOOD")
      #expect(bench.refusal(.copyStatus, 0) != nil)
      #expect(bench.commands.records.count == 0)
    }
  }

  @Test("a failed segment is told with the status and sense data of the command, as often as asked")
  func failedSegment() async throws {
    try await withCopyBench { bench in
      let good = CopyList.blocks(1, from: 0, to: 0)
      let bad = CopyList.blocks(8, from: 0, to: 1)
      bench.destination.refusals = [(.write, nil, Condition(.mediumError, .writeError))]
      bench.destination.writesUntilRefusal = 1
      let answer = await bench.copy(bench.list(good, bad))
      #expect(answer.short == "A/0D/01" && answer.sense?.copySegment == 1)
      for _ in 0..<2 {
        let details = try #require(
          try FailedSegmentDetails.decode(bench.receive(.failedSegmentDetails)))
        #expect(details.status == .checkCondition)
        #expect(details.sense == answer.sense?.fixedBytes())
        #expect(try bench.receive(.failedSegmentDetails, length: 8).count == 8)
      }
      let status = try CopyStatus.decode(bench.receive(.copyStatus))
      #expect(status.state == .completedWithErrors && status.segmentsProcessed == 2)
      #expect(status.transferCount.count == 512)
      bench.destination.refusals = []
      #expect(await bench.copy(bench.list(good)).short == "GOOD")
      #expect(try bench.receive(.failedSegmentDetails) == [0, 0, 0, 0])
    }
  }

  @Test("a list that was refused leaves nothing, and spares the results of an earlier one")
  func refusedList() async throws {
    try await withCopyBench { bench in
      #expect(await bench.copy(bench.list(CopyList.blocks(1, from: 0, to: 0))).short == "GOOD")
      #expect(await bench.copy(bench.list([0x03, 0, 0, 0])).short == "5/26/09")
      let status = try CopyStatus.decode(bench.receive(.copyStatus))
      #expect(status.state == .completed)
      #expect(bench.refusal(.failedSegmentDetails) == nil)
    }
  }

  @Test("another nexus, another unit and another identifier are told nothing")
  func foreign() async throws {
    try await withCopyBench { bench in
      #expect(await bench.copy(bench.list(Self.hold(1))).short == "GOOD")
      let cdb = ReceiveCopyResultsCommand(
        serviceAction: .receiveData, listIdentifier: 1, allocationLength: 1024)
      #expect(bench.refusal(.receiveData, from: CopyBench.nexus(2)) != nil)
      #expect(bench.refusal(.receiveData, 2) != nil)
      #expect(throws: CopyRefusal.self) {
        try bench.commands.receive(bench.command(cdb.bytes), at: bench.destination)
      }
      #expect(bench.refusal(.receiveData) == nil)
    }
  }

  @Test("the results of a nexus are bounded, the oldest go, and no other nexus loses any")
  func bounded() async throws {
    try await withCopyBench { bench in
      let other = CopyBench.nexus(2)
      let copy = CopyList.blocks(1, from: 0, to: 0)
      #expect(await bench.copy(bench.list(copy).bytes, from: other).short == "GOOD")
      for identifier in 1...UInt32(CopyRecords.perNexus + 1) {
        #expect(await bench.copy(bench.list(copy, identifier: identifier)).short == "GOOD")
      }
      #expect(bench.refusal(.copyStatus, 1) != nil)
      #expect(bench.refusal(.copyStatus, 2) == nil)
      #expect(bench.refusal(.copyStatus, 1, from: other) == nil)
      #expect(bench.commands.records.count == CopyRecords.perNexus + 1)
    }
  }

  @Test("held data of all results is bounded, and the oldest is discarded")
  func boundedHeldData() async throws {
    try await withCopyBench { bench in
      let most = CopyRecords.heldBytes / CopyLimits.heldBytes
      let others = (2...3).map { CopyBench.nexus($0) }
      for number in 0...most {
        let list = bench.list(Self.hold(128), identifier: UInt32(number % 32))
        let nexus = number < 32 ? bench.nexus : others[number / 32 - 1]
        #expect(await bench.copy(list.bytes, from: nexus).short == "GOOD")
        #expect(bench.commands.records.heldByteCount <= CopyRecords.heldBytes)
      }
      let first = try CopyStatus.decode(bench.receive(.copyStatus, 0))
      #expect(first.heldDataDiscarded)
      #expect(bench.refusal(.receiveData, 0) != nil)
    }
  }

  @Test("sense data is repeated in the format it was sent in")
  func descriptorSense() async throws {
    try await withCopyBench { bench in
      let list = bench.list(CopyList.blocks(1, from: 0, to: 0, destination: 7))
      let answer = await bench.commands.execute(
        bench.command(list: list.bytes), at: bench.source, list: list.bytes, units: bench.units,
        usesDescriptorSense: true)
      let details = try #require(
        try FailedSegmentDetails.decode(bench.receive(.failedSegmentDetails)))
      #expect(details.sense == answer.sense?.descriptorBytes())
      #expect(details.sense.first == 0x72)
    }
  }

  @Test("page 8Fh names the commands, the limits and the descriptors")
  func thirdPartyCopyPage() {
    let bytes = CopyLimits.thirdPartyCopyDescriptors
    #expect(
      bytes.prefix(20) == [
        0x00, 0x01, 0x00, 0x10, 0x0D, 0x83, 0x03, 0x00, 0x01, 0x1C, 0x84, 0x06, 0x00, 0x01, 0x03,
        0x04, 0x05, 0x06, 0x00, 0x00,
      ])
    #expect(
      bytes.dropFirst(20).prefix(32) == [
        0x00, 0x04, 0x00, 0x1C, 0, 0, 0, 0, 0, 64, 1, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0,
      ])
    #expect(
      bytes.dropFirst(52).prefix(12) == [0, 8, 0, 8, 5, 0x02, 0x07, 0x0A, 0x0D, 0xE4, 0, 0])
    #expect(bytes.dropFirst(64).prefix(12) == [0x80, 0x01, 0, 0x20, 0, 0, 0, 255, 0, 0, 0, 255])
    #expect(bytes.count == 64 + 36)
  }
}
