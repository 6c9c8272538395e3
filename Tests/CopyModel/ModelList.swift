/// The unsigned number in `width` bytes, most significant first.
func number(_ bytes: [UInt8], at offset: Int, width: Int) -> UInt64 {
  var value: UInt64 = 0
  for byte in bytes[offset..<offset + width] { value = value << 8 | UInt64(byte) }
  return value
}

/// As `number`, for fields of at most 4 bytes.
func field(_ bytes: [UInt8], at offset: Int, width: Int) -> Int {
  Int(number(bytes, at: offset, width: width))
}

/// A fault of the list as a whole: ILLEGAL REQUEST, before anything runs.
struct ModelRefusal: Error {
  var asc: UInt8
  var ascq: UInt8
  var pointer: Int?

  static let parameterListLength = ModelRefusal(asc: 0x1A, ascq: 0x00, pointer: nil)
  static func invalidField(_ pointer: Int) -> ModelRefusal {
    ModelRefusal(asc: 0x26, ascq: 0x00, pointer: pointer)
  }
}

/// A target descriptor, as far as a copy depends on it.
struct ModelTarget {
  var offset: Int
  var peripheralDeviceType: UInt8
  var isNull: Bool
  var pad: Bool
  var fixed: Bool
  var blockLength: Int
}

/// A segment descriptor: its bytes, and where they stand in the list.
struct ModelSegment {
  var offset: Int
  var bytes: [UInt8]

  var code: UInt8 { bytes[0] }
  var cat: Bool { bytes[1] & 1 != 0 }
  var destinationCount: Bool { bytes[1] & 2 != 0 }
}

/// A parameter list, taken apart and checked as a whole.
struct ModelList {
  /// By index; nil for the second half of a 64-byte descriptor.
  var targets: [ModelTarget?] = []
  var segments: [ModelSegment] = []
  var inlineData: [UInt8] = []

  init(_ list: [UInt8], lid4: Bool) throws(ModelRefusal) {
    let header = try lid4 ? ModelHeader(lid4: list) : ModelHeader(list)
    if header.usage == 0b01 { throw .invalidField(1) }
    if header.usage == 0b11, header.listIdentifier != 0 {
      throw .invalidField(header.listIdentifierOffset)
    }
    if header.targetsLength % 32 != 0 { throw .invalidField(header.targetsLengthOffset) }
    let segmentsStart = header.length + header.targetsLength
    let inlineStart = segmentsStart + header.segmentsLength
    targets = try Self.parseTargets(list, from: header.length, to: segmentsStart)
    segments = try Self.parseSegments(list, from: segmentsStart, to: inlineStart)
    inlineData = Array(list[inlineStart..<inlineStart + header.inlineLength])
    if header.usage == 0b11 {
      for segment in segments where (0x0B...0x0F).contains(segment.code) {
        throw .invalidField(segment.offset)
      }
    }
  }

  private static func parseTargets(
    _ list: [UInt8], from start: Int, to end: Int
  ) throws(ModelRefusal) -> [ModelTarget?] {
    var targets: [ModelTarget?] = []
    var offset = start
    while offset < end {
      let bytes = Array(list[offset..<offset + 32])
      guard (0xE0...0xEA).contains(bytes[0]) else {
        throw ModelRefusal(asc: 0x26, ascq: 0x07, pointer: offset)
      }
      if bytes[0] != 0xE4, bytes[1] >> 6 != 0 { throw .invalidField(offset + 1) }
      if bytes[0] == 0xE4, bytes[7] > 20 { throw .invalidField(offset + 7) }
      let target = ModelTarget(
        offset: offset, peripheralDeviceType: bytes[1] & 0x1F, isNull: bytes[1] & 0x20 != 0,
        pad: bytes[28] & 4 != 0, fixed: bytes[28] & 1 != 0,
        blockLength: field(bytes, at: 29, width: 3))
      if target.peripheralDeviceType == 0x01, target.fixed != (target.blockLength != 0) {
        throw .invalidField(offset + 29)
      }
      targets.append(target)
      offset += 32
      if bytes[0] == 0xEA {
        if offset == end { throw .parameterListLength }
        if list[offset] != 0xFF { throw .invalidField(offset) }
        targets.append(nil)
        offset += 32
      }
    }
    return targets
  }

  private static func parseSegments(
    _ list: [UInt8], from start: Int, to end: Int
  ) throws(ModelRefusal) -> [ModelSegment] {
    var segments: [ModelSegment] = []
    var offset = start
    while offset < end {
      guard list[offset] <= 0x13 else {
        throw ModelRefusal(asc: 0x26, ascq: 0x09, pointer: offset)
      }
      if offset + 4 > end { throw .parameterListLength }
      let code = list[offset]
      let total = 4 + field(list, at: offset + 2, width: 2)
      if code == 0x05 {
        if total < 16 { throw .invalidField(offset + 2) }
        if offset + 16 > end { throw .parameterListLength }
        let count = field(list, at: offset + 12, width: 2)
        if total != 16 + (count + 3) / 4 * 4 { throw .invalidField(offset + 2) }
      } else if total != Self.totalLength(code) {
        throw .invalidField(offset + 2)
      }
      if offset + total > end { throw .parameterListLength }
      let segment = ModelSegment(offset: offset, bytes: Array(list[offset..<offset + total]))
      for lengthOffset in streamTransferLengthOffsets(code)
      where field(segment.bytes, at: lengthOffset, width: 3) == 0 {
        throw .invalidField(offset + lengthOffset)
      }
      if code == 0x04, field(segment.bytes, at: 12, width: 4) % 4 != 0 {
        throw .invalidField(offset + 12)
      }
      segments.append(segment)
      offset += total
    }
    return segments
  }

  private static func totalLength(_ code: UInt8) -> Int {
    switch code {
    case 0x00, 0x01, 0x0B, 0x0C: 24
    case 0x02, 0x0D, 0x08, 0x09: 28
    case 0x03, 0x0E, 0x04: 20
    case 0x06, 0x0F: 16
    case 0x0A: 32
    default: 12
    }
  }

  private static func streamTransferLengthOffsets(_ code: UInt8) -> [Int] {
    switch code {
    case 0x03, 0x0E: [9, 13]
    case 0x00, 0x01, 0x0B, 0x0C, 0x04, 0x05, 0x06, 0x0F, 0x08, 0x09: [9]
    default: []
    }
  }
}
