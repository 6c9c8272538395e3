internal import SCSI

/// What the segments of one list are read with.
///
/// In the 8-byte form inline data is taken in order and 03h counts transfers, so reading a segment needs
/// what went before it and how long the transfers of its devices are.
struct SegmentContext {
  let format: ListFormat
  /// Bytes of one unit of STREAM TRANSFER LENGTH, by descriptor number: 1, or a fixed block length.
  let unitLengths: [Int]
  /// In the 8-byte form: how much inline data earlier segments took.
  var inlineTaken = 0

  init(format: ListFormat, targets: [TargetDescriptor]) {
    self.format = format
    var lengths: [Int] = []
    if format == .proposal {
      for target in targets {
        var unit = 1
        if case .stream(_, true, let length) = target.device { unit = Int(length) }
        for _ in 0..<target.slots { lengths.append(unit) }
      }
    }
    unitLengths = lengths
  }

  func bytes(_ transferLength: UInt32, of target: UInt16) -> Int {
    Int(transferLength) * (Int(target) < unitLengths.count ? unitLengths[Int(target)] : 1)
  }
}

extension SegmentDescriptor {
  /// Where a descriptor must end: the least and the greatest total length its kind may have.
  static func lengths(
    _ code: UInt8, _ reader: borrowing ByteReader, format: ListFormat
  ) throws(ByteReaderError) -> ClosedRange<Int>? {
    switch code {
    case 0x00, 0x01, 0x0B, 0x0C: return 24...24
    case 0x02, 0x08, 0x09, 0x0D, 0x14: return 28...28
    case 0x03, 0x0E: return 20...20
    case 0x04: return format == .proposal ? 16...16 : 20...20
    case 0x05:
      if format == .proposal { return 16...16 }
      let end = 16 + Int(try reader.uint16(at: 12))
      return end...((end + 3) & ~3)
    case 0x06, 0x0F: return 16...16
    case 0x07, 0x10...0x13: return 12...12
    case 0x0A: return 32...32
    case 0x15:
      let end = 32 + Int(try reader.uint32(at: 28))
      return end...end
    default: return nil
    }
  }

  /// Reads the segment at `offset` of `segments`, the segment descriptor list, which begins at `base` of
  /// the parameter list; answers it and the offset behind it.
  static func decode(
    _ segments: borrowing ByteReader, at offset: Int, base: Int, number: Int,
    accepting typeCodes: [UInt8], context: inout SegmentContext
  ) throws(ParameterListError) -> (segment: SegmentDescriptor, next: Int) {
    let place = base + offset
    do {
      let code = try segments.uint8(at: offset)
      let field = try segments.uint16(at: offset + 2)
      let rest = try segments.slice(at: offset, count: segments.count - offset)
      guard typeCodes.contains(code),
        let lengths = try lengths(code, rest, format: context.format)
      else {
        throw ParameterListError(
          .unsupportedSegment(typeCode: code), at: place, segment: number, segmentOffset: place)
      }
      let total = 4 + Int(field)
      guard lengths.contains(total) else {
        throw ParameterListError(
          .invalidField("DESCRIPTOR LENGTH", value: UInt64(field)), at: place + 2, segment: number,
          segmentOffset: place)
      }
      let reader = try rest.slice(at: 0, count: total)
      let flags = try reader.uint8(at: 1)
      let source = hasSource(typeCode: code) ? try reader.uint16(at: 4) : nil
      let destination = hasDestination(typeCode: code) ? try reader.uint16(at: 6) : nil
      var next = offset + total
      let operation: Operation
      switch context.format {
      case .proposal where code == 0x03 || code == 0x0E:
        operation = try transfers(flags, source ?? 0, destination ?? 0, reader, context)
      case .proposal where code == 0x04:
        operation = try inOrder(reader, &context)
      case .proposal where code == 0x05:
        let count = Int(try reader.uint16(at: 12))
        operation = .embeddedToStream(
          streamTransferLength: try reader.uint24(at: 9),
          data: try rest.array(at: total, count: count))
        next += (count + 3) & ~3
        guard next <= segments.count else {
          throw ByteReaderError(offset: next, length: 0, count: 0)
        }
      default:
        operation = try Self.operation(code, flags, reader)
      }
      return (
        SegmentDescriptor(
          cat: flags & 0x01 != 0, source: source, destination: destination,
          holdsData: 0x0B...0x0F ~= code, operation: operation, offset: place), next
      )
    } catch let error as ParameterListError {
      throw error.inSegment(number, at: place)
    } catch {
      throw ParameterListError(
        .truncated(needed: place + 12, count: base + segments.count), at: place, segment: number,
        segmentOffset: place)
    }
  }

  private static func operation(
    _ code: UInt8, _ flags: UInt8, _ reader: borrowing ByteReader
  ) throws -> Operation {
    switch code {
    case 0x00, 0x0B:
      return .blockToStream(
        streamTransferLength: try reader.uint24(at: 9), blocks: try reader.uint16(at: 14),
        lba: try reader.uint64(at: 16))
    case 0x01, 0x0C:
      return .streamToBlock(
        streamTransferLength: try reader.uint24(at: 9), blocks: try reader.uint16(at: 14),
        lba: try reader.uint64(at: 16))
    case 0x02, 0x0D:
      return .blockToBlock(
        countsDestinationBlocks: flags & 0x02 != 0, fastCopyOnly: flags & 0x04 != 0,
        blocks: try reader.uint16(at: 10), sourceLBA: try reader.uint64(at: 12),
        destinationLBA: try reader.uint64(at: 20))
    case 0x03, 0x0E:
      return .streamToStream(
        sourceTransferLength: try reader.uint24(at: 9),
        destinationTransferLength: try reader.uint24(at: 13),
        byteCount: try reader.uint32(at: 16))
    case 0x04:
      let offset = try reader.uint32(at: 12)
      guard offset % 4 == 0 else {
        throw ParameterListError(
          .invalidField("INLINE DATA OFFSET", value: UInt64(offset)), at: 12)
      }
      return .inlineToStream(
        streamTransferLength: try reader.uint24(at: 9), inlineOffset: offset,
        byteCount: try reader.uint32(at: 16))
    case 0x05:
      return .embeddedToStream(
        streamTransferLength: try reader.uint24(at: 9),
        data: try reader.array(at: 16, count: Int(try reader.uint16(at: 12))))
    case 0x06, 0x0F:
      return .streamToDiscard(
        streamTransferLength: try reader.uint24(at: 9), byteCount: try reader.uint32(at: 12))
    case 0x07:
      return .verifyDevice(testUnitReady: try reader.uint8(at: 8) & 0x01 != 0)
    case 0x08:
      return .blockOffsetToStream(
        streamTransferLength: try reader.uint24(at: 9), byteCount: try reader.uint32(at: 12),
        lba: try reader.uint64(at: 16), byteOffset: try reader.uint16(at: 26))
    case 0x09:
      return .streamToBlockOffset(
        streamTransferLength: try reader.uint24(at: 9), byteCount: try reader.uint32(at: 12),
        lba: try reader.uint64(at: 16), byteOffset: try reader.uint16(at: 26))
    case 0x0A:
      return .blockOffsetToBlockOffset(
        byteCount: try reader.uint32(at: 8), sourceLBA: try reader.uint64(at: 12),
        destinationLBA: try reader.uint64(at: 20), sourceByteOffset: try reader.uint16(at: 28),
        destinationByteOffset: try reader.uint16(at: 30))
    default:
      return try control(code, reader)
    }
  }

  /// The kinds that move no data.
  private static func control(
    _ code: UInt8, _ reader: borrowing ByteReader
  ) throws(ByteReaderError) -> Operation {
    switch code {
    case 0x10:
      let bits = try reader.uint8(at: 8)
      return .writeFilemarks(
        immediate: bits & 0x01 != 0, setmarks: bits & 0x02 != 0, count: try reader.uint24(at: 9))
    case 0x11:
      let count = Int32(bitPattern: try reader.uint24(at: 9) << 8) >> 8
      return .space(code: try reader.uint8(at: 8) & 0x07, count: count)
    case 0x12: return .locate(blockAddress: try reader.uint32(at: 8))
    case 0x13: return .tapeImageCopy(count: try reader.uint32(at: 8))
    case 0x14:
      return .registerKey(
        reservationKey: try reader.uint64(at: 8), serviceActionKey: try reader.uint64(at: 16))
    case 0x15:
      let bits = try reader.uint8(at: 25)
      return .thirdPartyReservation(
        reservationKey: try reader.uint64(at: 8), serviceActionKey: try reader.uint64(at: 16),
        unregister: bits & 0x02 != 0, activatePersistThroughPowerLoss: bits & 0x01 != 0,
        relativeTargetPort: try reader.uint16(at: 26),
        transportID: try reader.array(at: 32, count: reader.count - 32))
    default:
      preconditionFailure("type code \(code) has a length, so it has an operation")
    }
  }

  /// 03h and 0Eh of the 8-byte form: a number of transfers, of the source, or of the destination where DC
  /// is one; the number of bytes they move takes its place.
  private static func transfers(
    _ flags: UInt8, _ source: UInt16, _ destination: UInt16, _ reader: borrowing ByteReader,
    _ context: SegmentContext
  ) throws -> Operation {
    let sourceLength = try reader.uint24(at: 9)
    let destinationLength = try reader.uint24(at: 13)
    let count = try reader.uint32(at: 16)
    let each =
      flags & 0x02 != 0
      ? context.bytes(destinationLength, of: destination) : context.bytes(sourceLength, of: source)
    let (bytes, overflow) = Int(count).multipliedReportingOverflow(by: each)
    guard !overflow, let byteCount = UInt32(exactly: bytes) else {
      throw ParameterListError(.invalidField("TRANSFER COUNT", value: UInt64(count)), at: 16)
    }
    return .streamToStream(
      sourceTransferLength: sourceLength, destinationTransferLength: destinationLength,
      byteCount: byteCount)
  }

  /// 04h of the 8-byte form: the next bytes of the inline data.
  private static func inOrder(
    _ reader: borrowing ByteReader, _ context: inout SegmentContext
  ) throws -> Operation {
    let count = try reader.uint32(at: 12)
    guard let offset = UInt32(exactly: context.inlineTaken) else {
      throw ParameterListError(.invalidField("NUMBER OF BYTES", value: UInt64(count)), at: 12)
    }
    context.inlineTaken += Int(count)
    return .inlineToStream(
      streamTransferLength: try reader.uint24(at: 9), inlineOffset: offset, byteCount: count)
  }
}

extension ParameterListError {
  /// The error of a field that was named by its offset in the segment descriptor at `place`.
  fileprivate func inSegment(_ number: Int, at place: Int) -> ParameterListError {
    segment != nil
      ? self
      : ParameterListError(
        reason, at: place + offset, segment: number, segmentOffset: place, bit: bit)
  }
}
