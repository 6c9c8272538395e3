internal import SCSI

extension SegmentDescriptor {
  /// Appends the descriptor in the form of `context`.
  func encode(
    into writer: inout ByteWriter, context: inout SegmentContext
  ) throws(ParameterListError) {
    let start = writer.count
    let code = typeCode
    guard !holdsData || 0x0B...0x0F ~= code else {
      throw .notEncodable("\(hexadecimal(code)) has no kind that holds data", at: start)
    }
    guard (source == nil) || Self.hasSource(typeCode: code),
      (destination == nil) || Self.hasDestination(typeCode: code)
    else {
      throw .notEncodable("\(hexadecimal(code)) has no such end", at: start + 4)
    }
    writer.uint8(code)
    writer.uint8((cat ? 0x01 : 0) | operation.flags)
    writer.uint16(0)
    writer.uint16(source ?? 0)
    writer.uint16(destination ?? 0)
    let end: Int
    if context.format == .proposal, 0x03...0x05 ~= code || code == 0x0E {
      end = try encodeProposal(into: &writer, context: &context)
    } else {
      try operation.encode(into: &writer)
      end = writer.count
    }
    guard let length = UInt16(exactly: end - start - 4) else {
      throw .notEncodable("DESCRIPTOR LENGTH has two bytes", at: start + 2)
    }
    writer.set(uint16: length, at: start + 2)
  }

  /// The kinds the 8-byte form lays out differently; answers where the descriptor ends, which for
  /// embedded data is not where its data ends.
  private func encodeProposal(
    into writer: inout ByteWriter, context: inout SegmentContext
  ) throws(ParameterListError) -> Int {
    switch operation {
    case .streamToStream(let sourceLength, let destinationLength, let byteCount):
      let start = writer.count - 8
      let bySource = context.bytes(sourceLength, of: source ?? 0)
      let byDestination = context.bytes(destinationLength, of: destination ?? 0)
      writer.uint8(0)
      try writer.checked24(sourceLength, "SOURCE STREAM DEVICE TRANSFER LENGTH")
      writer.uint8(0)
      try writer.checked24(destinationLength, "DESTINATION STREAM DEVICE TRANSFER LENGTH")
      if byteCount == 0 {
        writer.uint32(0)
      } else if bySource > 0, Int(byteCount) % bySource == 0 {
        writer.uint32(UInt32(Int(byteCount) / bySource))
      } else if byDestination > 0, Int(byteCount) % byDestination == 0 {
        writer.set((cat ? 0x01 : 0) | 0x02, at: start + 1)
        writer.uint32(UInt32(Int(byteCount) / byDestination))
      } else {
        throw .notEncodable("this form counts whole transfers, not bytes", at: writer.count)
      }
      return writer.count
    case .inlineToStream(let length, let offset, let byteCount):
      guard Int(offset) == context.inlineTaken else {
        throw .notEncodable("this form takes inline data in order", at: writer.count)
      }
      context.inlineTaken += Int(byteCount)
      writer.uint8(0)
      try writer.checked24(length, "STREAM DEVICE TRANSFER LENGTH")
      writer.uint32(byteCount)
      return writer.count
    default:
      let start = writer.count - 8
      try operation.encode(into: &writer)
      return start + 16
    }
  }
}

extension SegmentDescriptor.Operation {
  fileprivate var flags: UInt8 {
    guard case .blockToBlock(let counts, let fast, _, _, _) = self else { return 0 }
    return (counts ? 0x02 : 0) | (fast ? 0x04 : 0)
  }

  /// Appends what follows the eight bytes that all kinds have.
  fileprivate func encode(into writer: inout ByteWriter) throws(ParameterListError) {
    switch self {
    case .blockToStream(let length, let blocks, let lba),
      .streamToBlock(let length, let blocks, let lba):
      try writer.transferLength(length)
      writer.uint16(0)
      writer.uint16(blocks)
      writer.uint64(lba)
    case .blockToBlock(_, _, let blocks, let sourceLBA, let destinationLBA):
      writer.uint16(0)
      writer.uint16(blocks)
      writer.uint64(sourceLBA)
      writer.uint64(destinationLBA)
    case .streamToStream(let sourceLength, let destinationLength, let byteCount):
      try writer.transferLength(sourceLength)
      try writer.transferLength(destinationLength)
      writer.uint32(byteCount)
    case .inlineToStream(let length, let offset, let byteCount):
      guard offset % 4 == 0 else {
        throw .notEncodable("INLINE DATA OFFSET is a multiple of four", at: writer.count + 4)
      }
      try writer.transferLength(length)
      writer.uint32(offset)
      writer.uint32(byteCount)
    case .embeddedToStream(let length, let data):
      guard let count = UInt16(exactly: data.count) else {
        throw .notEncodable("NUMBER OF BYTES has two bytes", at: writer.count + 4)
      }
      try writer.transferLength(length)
      writer.uint16(count)
      writer.uint16(0)
      writer.append(data)
      writer.zeros((4 - data.count % 4) % 4)
    case .streamToDiscard(let length, let byteCount):
      try writer.transferLength(length)
      writer.uint32(byteCount)
    case .blockOffsetToStream(let length, let byteCount, let lba, let byteOffset),
      .streamToBlockOffset(let length, let byteCount, let lba, let byteOffset):
      try writer.transferLength(length)
      writer.uint32(byteCount)
      writer.uint64(lba)
      writer.uint16(0)
      writer.uint16(byteOffset)
    case .blockOffsetToBlockOffset(
      let byteCount, let sourceLBA, let destinationLBA, let sourceOffset, let destinationOffset):
      writer.uint32(byteCount)
      writer.uint64(sourceLBA)
      writer.uint64(destinationLBA)
      writer.uint16(sourceOffset)
      writer.uint16(destinationOffset)
    default:
      try encodeControl(into: &writer)
    }
  }

  private func encodeControl(into writer: inout ByteWriter) throws(ParameterListError) {
    switch self {
    case .verifyDevice(let testUnitReady):
      writer.append([testUnitReady ? 0x01 : 0, 0, 0, 0])
    case .writeFilemarks(let immediate, let setmarks, let count):
      writer.uint8((immediate ? 0x01 : 0) | (setmarks ? 0x02 : 0))
      try writer.checked24(count, "FILEMARK COUNT")
    case .space(let code, let count):
      guard code <= 7, -0x80_0000...0x7F_FFFF ~= count else {
        throw .notEncodable("CODE has three bits, COUNT 24 with sign", at: writer.count)
      }
      writer.uint8(code)
      writer.uint24(UInt32(bitPattern: count) & 0xFF_FFFF)
    case .locate(let address): writer.uint32(address)
    case .tapeImageCopy(let count): writer.uint32(count)
    case .registerKey(let reservationKey, let serviceActionKey):
      writer.uint64(reservationKey)
      writer.uint64(serviceActionKey)
      writer.uint32(0)
    case .thirdPartyReservation(
      let reservationKey, let serviceActionKey, let unregister, let persist, let port,
      let transportID):
      writer.uint64(reservationKey)
      writer.uint64(serviceActionKey)
      writer.append([0, (unregister ? 0x02 : 0) | (persist ? 0x01 : 0)])
      writer.uint16(port)
      writer.uint32(UInt32(clamping: transportID.count))
      writer.append(transportID)
    default:
      preconditionFailure("the kinds that move data are written elsewhere")
    }
  }
}

extension ByteWriter {
  /// Appends a reserved byte and a transfer length of three bytes.
  fileprivate mutating func transferLength(_ length: UInt32) throws(ParameterListError) {
    uint8(0)
    try checked24(length, "STREAM DEVICE TRANSFER LENGTH")
  }
}
