extension SenseData {
  /// Where forwarded data begins at the earliest: behind the sense key specific bytes.
  private static let forwardedOffset = 18

  /// The fixed format (70h, 71h), at most `maximumLength` bytes. SPC-4 4.5.3.
  ///
  /// INFORMATION that four bytes cannot hold is left out (VALID zero). For a copy, byte 8 and byte 9 are the
  /// offsets of what source and destination answered (a status byte, then sense data) and bytes 10 and 11
  /// the segment number. Of two forwarded answers that do not both fit, each keeps at least half.
  public func fixedBytes() -> [UInt8] {
    var writer = ByteWriter(capacity: Self.maximumLength)
    let short = information.flatMap(Self.fourBytes)
    writer.uint8((deferred ? 0x71 : 0x70) | (short == nil ? 0 : 0x80))
    writer.uint8(0)
    writer.uint8(
      key.rawValue | (filemark ? 0x80 : 0) | (endOfMedium ? 0x40 : 0) | (incorrectLength ? 0x20 : 0)
    )
    writer.uint32(short ?? 0)
    writer.uint8(0)
    writer.uint16(0)
    writer.uint16(copySegment ?? 0)
    writer.uint8(additional.code)
    writer.uint8(additional.qualifier)
    writer.uint8(0)
    writer.append(keySpecificBytes)

    let source = forwarded.first { $0.origin == .source }
    let destination = forwarded.first { $0.origin == .destination }
    let room = Self.maximumLength - Self.forwardedOffset
    if let source {
      let wanted = destination.map { min($0.sense.count + 1, room / 2) } ?? 0
      writer.set(UInt8(Self.forwardedOffset), at: 8)
      writer.uint8(source.status.rawValue)
      writer.append(source.sense.prefix(room - wanted - 1))
    }
    if let destination {
      writer.set(UInt8(truncatingIfNeeded: writer.count), at: 9)
      writer.uint8(destination.status.rawValue)
      writer.append(destination.sense.prefix(Self.maximumLength - writer.count))
    }
    writer.set(UInt8(truncatingIfNeeded: writer.count - 8), at: 7)
    return writer.bytes
  }

  static func decodeFixed(_ all: borrowing ByteReader) throws(ByteReaderError) -> SenseData {
    let length = 8 + Int(try all.uint8(at: 7))
    let reader = try all.slice(at: 0, count: min(length, all.count))
    let response = try reader.uint8(at: 0)
    let flags = try reader.uint8(at: 2)
    let key = SenseKey(lowBitsOf: flags)
    var sense = SenseData(
      key: key, additional: .noAdditionalSense, filemark: flags & 0x80 != 0,
      endOfMedium: flags & 0x40 != 0, incorrectLength: flags & 0x20 != 0,
      deferred: response & 0x7F == 0x71)
    if response & 0x80 != 0 { sense.information = UInt64(try reader.uint32(at: 3)) }
    if reader.count >= 14 {
      sense.additional = AdditionalSense(
        code: try reader.uint8(at: 12), qualifier: try reader.uint8(at: 13))
    }
    if reader.count >= forwardedOffset {
      let specific = try reader.array(at: 15, count: 3)
      sense.fieldPointer = fieldPointer(key: key, specific)
      sense.progress = progress(key: key, specific)
    }
    guard reader.count >= 12 else { return sense }
    if key == .copyAborted || sense.fieldPointer?.inSegment == true {
      sense.copySegment = try reader.uint16(at: 10)
    }
    if key == .copyAborted {
      let source = Int(try reader.uint8(at: 8))
      let destination = Int(try reader.uint8(at: 9))
      try sense.forward(.source, at: source, before: destination, reader)
      try sense.forward(.destination, at: destination, before: source, reader)
    }
    return sense
  }

  /// Takes the status and sense data at `offset`, which reach to `other` if that lies behind, else to the end.
  private mutating func forward(
    _ origin: ForwardedSense.Origin, at offset: Int, before other: Int,
    _ reader: borrowing ByteReader
  ) throws(ByteReaderError) {
    guard offset >= Self.forwardedOffset, offset < reader.count else { return }
    let end = other > offset ? min(other, reader.count) : reader.count
    forwarded.append(
      ForwardedSense(
        origin: origin, status: Status(rawValue: try reader.uint8(at: offset)),
        sense: try reader.array(at: offset + 1, count: end - offset - 1)))
  }

  /// `value` where four bytes can hold it, as an unsigned number or as a negative one.
  private static func fourBytes(_ value: UInt64) -> UInt32? {
    if let exact = UInt32(exactly: value) { return exact }
    return Int32(exactly: Int64(bitPattern: value)).map { UInt32(bitPattern: $0) }
  }

  /// The three sense key specific bytes: a field pointer, progress, or none.
  var keySpecificBytes: [UInt8] {
    guard fieldPointer == nil, let progress else { return Self.keySpecific(fieldPointer) }
    return [0x80, UInt8(truncatingIfNeeded: progress >> 8), UInt8(truncatingIfNeeded: progress)]
  }

  /// The progress indication in them, where the key is one that has it.
  static func progress(key: SenseKey, _ bytes: [UInt8]) -> UInt16? {
    guard bytes.count == 3, bytes[0] & 0x80 != 0, key == .noSense || key == .notReady else {
      return nil
    }
    return UInt16(bytes[1]) << 8 | UInt16(bytes[2])
  }

  static func keySpecific(_ pointer: FieldPointer?) -> [UInt8] {
    guard let pointer else { return [0, 0, 0] }
    let flags: UInt8 =
      0x80 | (pointer.inCommand ? 0x40 : 0) | (pointer.inSegment ? 0x20 : 0)
      | (pointer.bitPointer.map { 0x08 | $0 } ?? 0)
    return [
      flags, UInt8(truncatingIfNeeded: pointer.offset >> 8),
      UInt8(truncatingIfNeeded: pointer.offset),
    ]
  }

  /// The field pointer in three sense key specific bytes, where the key is one that has field pointers.
  static func fieldPointer(key: SenseKey, _ bytes: [UInt8]) -> FieldPointer? {
    guard bytes.count == 3, bytes[0] & 0x80 != 0, key == .illegalRequest || key == .copyAborted
    else { return nil }
    return FieldPointer(
      offset: UInt16(bytes[1]) << 8 | UInt16(bytes[2]), inSegment: bytes[0] & 0x20 != 0,
      inCommand: bytes[0] & 0x40 != 0, bitPointer: bytes[0] & 0x08 != 0 ? bytes[0] & 0x07 : nil)
  }
}
