/// What follows the basic header of a SCSI Command. RFC 7143 11.2.2. Allocates nothing when read.
public struct AdditionalHeaderSegments: Sendable {
  /// Most bytes of a CDB: EXTENDED COPY needs 16, the longest commands of SBC 32.
  public static let maximumCDBByteCount = 32
  /// Most bytes of all segments that anything here uses: an extended CDB and a read length.
  public static let maximumByteCount = 20 + 8

  /// Bytes 16 and on of the CDB; only the first `extendedCDBByteCount` count.
  public private(set) var extendedCDB: InlineArray<16, UInt8> = InlineArray(repeating: 0)
  /// Bytes of the CDB behind the 16th, 0 to 16.
  public private(set) var extendedCDBByteCount = 0
  /// Bidirectional Expected Read-Data Length in bytes, where the segment is there.
  public var bidirectionalReadLength: UInt32?

  /// No segments.
  public init() {}

  /// Segments that carry what of `cdb`, at most 32 bytes, goes beyond 16.
  public init(cdb: [UInt8]) {
    precondition(cdb.count <= Self.maximumCDBByteCount, "a CDB has at most 32 bytes here")
    for index in cdb.indices.dropFirst(16) { extendedCDB[index - 16] = cdb[index] }
    extendedCDBByteCount = max(0, cdb.count - 16)
  }

  /// Reads the segments of a command whose basic header is `header`. Throws on a segment that ends
  /// outside, comes twice, has a type nobody assigned or carries a CDB over 32 bytes.
  public init(_ bytes: Span<UInt8>, of header: BasicHeaderSegment) throws(PDUError) {
    guard header.opcode == Opcode.scsiCommand.rawValue, bytes.count <= Self.maximumByteCount,
      bytes.count == header.additionalHeaderByteCount
    else { throw PDUError(.invalidPDUField, in: header, at: 4) }
    var at = 0
    while at < bytes.count {
      let fault = PDUError(.invalidPDUField, in: header, at: BasicHeaderSegment.byteCount + at)
      guard bytes.count - at >= 4 else { throw fault }
      let length = Int(bytes[at]) << 8 | Int(bytes[at + 1])
      guard length >= 1, length <= bytes.count - at - 3 else { throw fault }
      switch bytes[at + 2] & 0x3F {
      case 1:
        guard extendedCDBByteCount == 0, (2...17).contains(length) else { throw fault }
        extendedCDBByteCount = length - 1
        for index in 0..<extendedCDBByteCount { extendedCDB[index] = bytes[at + 4 + index] }
      case 2:
        guard bidirectionalReadLength == nil, length == 5 else { throw fault }
        bidirectionalReadLength =
          UInt32(bytes[at + 4]) << 24 | UInt32(bytes[at + 5]) << 16
          | UInt32(bytes[at + 6]) << 8 | UInt32(bytes[at + 7])
      default: throw fault
      }
      at += (3 + length + 3) / 4 * 4
    }
  }

  /// The segments for the wire: a multiple of four bytes, whose quarter is TotalAHSLength.
  public func encode() -> [UInt8] {
    var bytes: [UInt8] = []
    if extendedCDBByteCount > 0 {
      bytes += [0, UInt8(extendedCDBByteCount + 1), 1, 0]
      for index in 0..<extendedCDBByteCount { bytes.append(extendedCDB[index]) }
      while bytes.count % 4 != 0 { bytes.append(0) }
    }
    if let length = bidirectionalReadLength {
      bytes += [0, 5, 2, 0]
      for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
    }
    return bytes
  }
}

extension BasicHeaderSegment {
  /// Sets TotalAHSLength for segments of `byteCount` bytes, a multiple of four up to 1020.
  public mutating func setAdditionalHeader(byteCount: Int) {
    precondition(byteCount % 4 == 0 && (0...1020).contains(byteCount), "not a length of headers")
    bytes[4] = UInt8(byteCount / 4)
  }
}
