import ExtendedCopy
import SCSI
import Testing

@Suite("Long lists")
struct LongListTests {
  static func list(segments: Int) -> ParameterList {
    var list = Golden.list(.lid1)
    list.segments = (0..<segments).map {
      SegmentDescriptor(
        cat: true, source: 0, destination: 1,
        operation: .blockToStream(
          streamTransferLength: 65_536, blocks: 8, lba: UInt64($0) * 16))
    }
    return list
  }

  @Test("of 10,000 segments come back")
  func roundTrip() throws {
    let list = Self.list(segments: 10_000)
    #expect(try ParameterList.decode(try list.encode()) == list)
  }

  @Test("of one segment more than the limit are refused, pointing at it")
  func tooMany() throws {
    let bytes = try Self.list(segments: ListLimits.standardSegments + 1).encode()
    let sense = refusal(bytes)?.sense
    #expect(sense?.additional == .tooManySegmentDescriptors)
    #expect(sense?.copySegment == UInt16(ListLimits.standardSegments))
  }

  @Test("a length that claims four gigabytes is refused before anything is stored")
  func claimedLength() {
    var bytes = Golden.bytes(.lid1)
    for offset in 8..<12 { bytes[offset] = 0xDF }
    #expect(refusal(bytes)?.sense.additional == .parameterListLengthError)
    var embedded = refusalList()
    embedded[16 + 12] = 0xFF
    #expect(refusal(embedded)?.sense.key == .illegalRequest)
  }

  private func refusalList() -> [UInt8] {
    ExtendedCopyTests.list(
      segments: SegmentVector.all.first { $0.segment.typeCode == 0x05 }?.bytes ?? [])
  }
}
