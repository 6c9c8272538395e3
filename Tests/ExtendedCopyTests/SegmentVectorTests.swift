import ExtendedCopy
import SCSI
import Testing

/// A segment descriptor written by hand, and what it says.
struct SegmentVector: CustomTestStringConvertible, Sendable {
  let name: String
  let bytes: [UInt8]
  let segment: SegmentDescriptor

  var testDescription: String { name }

  init(_ name: String, _ text: String, _ segment: SegmentDescriptor) {
    self.name = name
    bytes = hex(text)
    self.segment = segment
  }

  static let key: UInt64 = 0x0011_2233_4455_6677
  static let otherKey: UInt64 = 0x8899_AABB_CCDD_EEFF

  /// Made anew each time: the leak sanitizer does not see the pointers inside enums of a global.
  static var all: [SegmentVector] {
    [
      SegmentVector(
        "00h block to stream, CAT",
        "00 01 0014 0002 0001 00 010000 0000 0400 000000010001E240",
        SegmentDescriptor(
          cat: true, source: 2, destination: 1,
          operation: .blockToStream(
            streamTransferLength: 65_536, blocks: 1024, lba: 0x1_0001_E240))),
      SegmentVector(
        "01h stream to block",
        "01 00 0014 0001 0002 00 000020 0000 FFFF 8000000000000001",
        SegmentDescriptor(
          source: 1, destination: 2,
          operation: .streamToBlock(
            streamTransferLength: 32, blocks: 65_535, lba: 0x8000_0000_0000_0001))),
      SegmentVector(
        "02h block to block, DC and FCO",
        "02 06 0018 0000 0003 0000 0800 0000000000000010 0000000000000020",
        SegmentDescriptor(
          source: 0, destination: 3,
          operation: .blockToBlock(
            countsDestinationBlocks: true, fastCopyOnly: true, blocks: 2048, sourceLBA: 16,
            destinationLBA: 32))),
      SegmentVector(
        "03h stream to stream",
        "03 00 0010 0001 0002 00 008000 00 010000 00100000",
        SegmentDescriptor(
          source: 1, destination: 2,
          operation: .streamToStream(
            sourceTransferLength: 32_768, destinationTransferLength: 65_536,
            byteCount: 1_048_576))),
      SegmentVector(
        "04h inline to stream",
        "04 00 0010 0000 0001 00 000200 00000004 00000200",
        SegmentDescriptor(
          destination: 1,
          operation: .inlineToStream(streamTransferLength: 512, inlineOffset: 4, byteCount: 512))),
      SegmentVector(
        "05h embedded to stream, five bytes padded to eight",
        "05 00 0014 0000 0001 00 000005 0005 0000 68656C6C6F 000000",
        SegmentDescriptor(
          destination: 1,
          operation: .embeddedToStream(streamTransferLength: 5, data: Array("hello".utf8)))),
      // 06h and 0Fh: DESCRIPTOR LENGTH from memory.
      SegmentVector(
        "06h stream to discard",
        "06 00 000C 0001 0000 00 010000 00200000",
        SegmentDescriptor(
          source: 1,
          operation: .streamToDiscard(streamTransferLength: 65_536, byteCount: 2_097_152))),
      SegmentVector(
        "07h verify device",
        "07 00 0008 0001 0000 01 000000",
        SegmentDescriptor(source: 1, operation: .verifyDevice(testUnitReady: true))),
      // 08h and 09h: the layout agrees with SPC-3.
      SegmentVector(
        "08h block with offset to stream",
        "08 01 0018 0000 0001 00 010000 00012345 0000000000000064 0000 00FF",
        SegmentDescriptor(
          cat: true, source: 0, destination: 1,
          operation: .blockOffsetToStream(
            streamTransferLength: 65_536, byteCount: 0x12345, lba: 100, byteOffset: 255))),
      SegmentVector(
        "09h stream to block with offset",
        "09 00 0018 0001 0000 00 010000 00012345 0000000000000064 0000 00FF",
        SegmentDescriptor(
          source: 1, destination: 0,
          operation: .streamToBlockOffset(
            streamTransferLength: 65_536, byteCount: 0x12345, lba: 100, byteOffset: 255))),
      SegmentVector(
        "0Ah block with offset to block with offset",
        "0A 00 001C 0000 0001 00001000 0000000000000001 0000000000000002 0003 0004",
        SegmentDescriptor(
          source: 0, destination: 1,
          operation: .blockOffsetToBlockOffset(
            byteCount: 4096, sourceLBA: 1, destinationLBA: 2, sourceByteOffset: 3,
            destinationByteOffset: 4))),
      SegmentVector(
        "0Bh block to stream and hold",
        "0B 00 0014 0000 0001 00 010000 0000 0001 0000000000000000",
        SegmentDescriptor(
          source: 0, destination: 1, holdsData: true,
          operation: .blockToStream(streamTransferLength: 65_536, blocks: 1, lba: 0))),
      SegmentVector(
        "0Ch stream to block and hold",
        "0C 00 0014 0001 0000 00 010000 0000 0001 0000000000000000",
        SegmentDescriptor(
          source: 1, destination: 0, holdsData: true,
          operation: .streamToBlock(streamTransferLength: 65_536, blocks: 1, lba: 0))),
      SegmentVector(
        "0Dh block to block and hold",
        "0D 02 0018 0000 0001 0000 0001 0000000000000005 0000000000000006",
        SegmentDescriptor(
          source: 0, destination: 1, holdsData: true,
          operation: .blockToBlock(
            countsDestinationBlocks: true, fastCopyOnly: false, blocks: 1, sourceLBA: 5,
            destinationLBA: 6))),
      SegmentVector(
        "0Eh stream to stream and hold",
        "0E 00 0010 0001 0002 00 000001 00 000002 00000003",
        SegmentDescriptor(
          source: 1, destination: 2, holdsData: true,
          operation: .streamToStream(
            sourceTransferLength: 1, destinationTransferLength: 2, byteCount: 3))),
      SegmentVector(
        "0Fh stream to discard and hold",
        "0F 00 000C 0001 0000 00 000400 00000400",
        SegmentDescriptor(
          source: 1, holdsData: true,
          operation: .streamToDiscard(streamTransferLength: 1024, byteCount: 1024))),
      // 10h: IMMED from memory, the rest from a tape library's manual.
      SegmentVector(
        "10h write filemarks",
        "10 00 0008 0000 0001 03 000002",
        SegmentDescriptor(
          destination: 1, operation: .writeFilemarks(immediate: true, setmarks: true, count: 2))),
      SegmentVector(
        "11h space backwards",
        "11 00 0008 0000 0001 01 FFFFFE",
        SegmentDescriptor(destination: 1, operation: .space(code: 1, count: -2))),
      // 12h and 13h: the layouts agree with SPC-3.
      SegmentVector(
        "12h locate",
        "12 00 0008 0000 0001 00012345",
        SegmentDescriptor(destination: 1, operation: .locate(blockAddress: 0x12345))),
      SegmentVector(
        "13h tape image copy",
        "13 00 0008 0001 0002 00000002",
        SegmentDescriptor(source: 1, destination: 2, operation: .tapeImageCopy(count: 2))),
      SegmentVector(
        "14h register key",
        "14 00 0018 0000 0001 0011223344556677 8899AABBCCDDEEFF 00000000",
        SegmentDescriptor(
          destination: 1, operation: .registerKey(reservationKey: key, serviceActionKey: otherKey))),
      // 15h: the layout is from memory of SPC-4, unsure.
      SegmentVector(
        "15h third party persistent reservation",
        "15 00 0024 0000 0001 0011223344556677 8899AABBCCDDEEFF 00 03 0009 00000008"
          + "0500000000000000",
        SegmentDescriptor(
          destination: 1,
          operation: .thirdPartyReservation(
            reservationKey: key, serviceActionKey: otherKey, unregister: true,
            activatePersistThroughPowerLoss: true, relativeTargetPort: 9,
            transportID: [5, 0, 0, 0, 0, 0, 0, 0]))),
    ]
  }
}

@Suite("Segment descriptors")
struct SegmentVectorTests {
  @Test("there is a vector for each type code")
  func complete() {
    #expect(Set(SegmentVector.all.map(\.segment.typeCode)) == Set(SegmentDescriptor.typeCodes))
  }

  @Test("are read as written by hand", arguments: SegmentVector.all)
  func decode(vector: SegmentVector) throws {
    let decoded = try ParameterList.decode(list(segments: vector.bytes + vector.bytes))
    #expect(decoded.segments == [vector.segment, vector.segment])
    #expect(decoded.segments.last?.offset == 16 + vector.bytes.count)
    #expect(decoded.segments.first?.typeCode == vector.bytes[0])
  }

  @Test("are written as by hand", arguments: SegmentVector.all)
  func encode(vector: SegmentVector) throws {
    let bytes = try ParameterList(segments: [vector.segment]).encode()
    #expect(Array(bytes.dropFirst(16)) == vector.bytes)
  }

  @Test("of another length than their kind has are refused", arguments: SegmentVector.all)
  func wrongLength(vector: SegmentVector) {
    var bytes = list(segments: vector.bytes + [0, 0, 0, 0])
    bytes[19] += 4
    let sense = refusal(bytes)?.sense
    #expect(sense?.additional == .invalidFieldInParameterList)
    #expect(sense?.fieldPointer == .init(offset: 2, inSegment: true))
    #expect(sense?.copySegment == 0)
  }

  @Test("that reach over the end of their list are refused", arguments: SegmentVector.all)
  func cutShort(vector: SegmentVector) {
    let sense = refusal(list(segments: Array(vector.bytes.dropLast())))?.sense
    #expect(sense?.additional == .parameterListLengthError)
    #expect(sense?.key == .illegalRequest)
  }

  @Test("that nobody knows are refused", arguments: [0x16, 0x18, 0xBE, 0xC0, 0xE0, 0xFF])
  func unsupported(code: Int) {
    let first = SegmentVector.all[0].bytes
    var bytes = list(segments: first + first)
    bytes[16 + first.count] = UInt8(code)
    let sense = refusal(bytes)?.sense
    #expect(sense?.additional == .unsupportedSegmentDescriptorTypeCode)
    #expect(sense?.fieldPointer == .init(offset: 0, inSegment: true))
    #expect(sense?.copySegment == 1)
  }

  @Test("take inline data from a multiple of four")
  func inlineOffset() {
    var bytes = list(segments: SegmentVector.all[4].bytes)
    bytes[16 + 15] = 6
    #expect(refusal(bytes)?.sense.fieldPointer == .init(offset: 12, inSegment: true))
  }

  @Test("that cannot be written are refused")
  func notEncodable() {
    func encode(_ segment: SegmentDescriptor) throws {
      _ = try ParameterList(segments: [segment]).encode()
    }
    #expect(throws: ParameterListError.self) {
      try encode(SegmentDescriptor(operation: .space(code: 0, count: 0x80_0000)))
    }
    #expect(throws: ParameterListError.self) {
      try encode(SegmentDescriptor(holdsData: true, operation: .locate(blockAddress: 0)))
    }
    #expect(throws: ParameterListError.self) {
      try encode(SegmentDescriptor(source: 1, operation: .locate(blockAddress: 0)))
    }
    #expect(throws: ParameterListError.self) {
      let data = [UInt8](repeating: 0, count: 65_536)
      try encode(
        SegmentDescriptor(operation: .embeddedToStream(streamTransferLength: 1, data: data)))
    }
    #expect(throws: ParameterListError.self) {
      try encode(
        SegmentDescriptor(
          operation: .streamToDiscard(streamTransferLength: 0x100_0000, byteCount: 0)))
    }
  }
}

@Suite("Segment descriptors of the 8-byte form")
struct ProposalSegmentTests {
  // The layouts come from a tape library's manual; that embedded data is padded to four bytes is unsure.
  static let tapes =
    hex("E0 01 0000 0000000000000000 0000000000000001 0000000000000000 01 000200")
    + hex("E0 01 0000 0000000000000000 0000000000000002 0000000000000000 00 000000")

  @Test("03h counts transfers: of the source, or with DC of the destination")
  func transfers() throws {
    let bySource = hex("03 00 0010 0000 0001 00 000004 00 000800 00000003")
    let byDestination = hex("03 02 0010 0000 0001 00 000003 00 000100 00000005")
    let bytes = proposal(targets: Self.tapes, segments: bySource + byDestination)
    let decoded = try ParameterList.decode(bytes)
    let operations: [SegmentDescriptor.Operation] = [
      .streamToStream(sourceTransferLength: 4, destinationTransferLength: 2048, byteCount: 6144),
      .streamToStream(sourceTransferLength: 3, destinationTransferLength: 256, byteCount: 1280),
    ]
    #expect(decoded.segments.map(\.operation) == operations)
    #expect(try decoded.encode() == bytes)
  }

  @Test("04h takes inline data in order, 05h has its data behind the descriptor")
  func inlineAndEmbedded() throws {
    let segments =
      hex("04 00 000C 0000 0001 00 000005 00000005")
      + hex("05 00 000C 0000 0001 00 000003 0003 0000 414243 00")
      + hex("04 00 000C 0000 0001 00 000002 00000002")
    let inline = Array("inline!".utf8)
    let bytes = proposal(targets: Self.tapes, segments: segments, inline: inline)
    let decoded = try ParameterList.decode(bytes)
    let operations: [SegmentDescriptor.Operation] = [
      .inlineToStream(streamTransferLength: 5, inlineOffset: 0, byteCount: 5),
      .embeddedToStream(streamTransferLength: 3, data: Array("ABC".utf8)),
      .inlineToStream(streamTransferLength: 2, inlineOffset: 5, byteCount: 2),
    ]
    #expect(decoded.segments.map(\.operation) == operations)
    #expect(decoded.inlineData == inline)
    #expect(try decoded.encode() == bytes)
  }

  @Test("more bytes than a count can say are refused")
  func tooManyTransfers() {
    let segment = hex("03 00 0010 0000 0001 00 FFFFFF 00 000001 FFFFFFFF")
    let sense = refusal(proposal(targets: Self.tapes, segments: segment))?.sense
    #expect(sense?.fieldPointer == .init(offset: 16, inSegment: true))
  }
}
