/// A read outside the bytes that are there.
public struct ByteReaderError: Error, Equatable, Sendable {
  /// First byte that was asked for.
  public let offset: Int
  /// How many bytes were asked for.
  public let length: Int
  /// How many bytes there are.
  public let count: Int

  /// A read of `length` bytes at `offset`, of `count` bytes.
  @inlinable
  public init(offset: Int, length: Int, count: Int) {
    self.offset = offset
    self.length = length
    self.count = count
  }
}

/// Reads big-endian fields of bytes that came from outside.
///
/// Offsets are those of the standards' tables, so access is by position, not sequential. Every read is
/// checked against the bounds and throws; none traps, whatever the offset.
@frozen
public struct ByteReader: ~Escapable {
  @usableFromInline let bytes: Span<UInt8>

  /// Reads `bytes`.
  @inlinable
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
  }

  /// How many bytes there are.
  @inlinable public var count: Int { bytes.count }

  @inlinable
  func check(_ offset: Int, _ length: Int) throws(ByteReaderError) {
    guard offset >= 0, length >= 0, length <= bytes.count, offset <= bytes.count - length else {
      throw ByteReaderError(offset: offset, length: length, count: bytes.count)
    }
  }

  /// The byte at `offset`.
  @inlinable
  public func uint8(at offset: Int) throws(ByteReaderError) -> UInt8 {
    try check(offset, 1)
    return bytes[offset]
  }

  /// The two bytes at `offset`.
  @inlinable
  public func uint16(at offset: Int) throws(ByteReaderError) -> UInt16 {
    try check(offset, 2)
    return UInt16(bytes[offset]) &<< 8 | UInt16(bytes[offset &+ 1])
  }

  /// The three bytes at `offset`.
  @inlinable
  public func uint24(at offset: Int) throws(ByteReaderError) -> UInt32 {
    try check(offset, 3)
    return UInt32(bytes[offset]) &<< 16 | UInt32(bytes[offset &+ 1]) &<< 8
      | UInt32(bytes[offset &+ 2])
  }

  /// The four bytes at `offset`.
  @inlinable
  public func uint32(at offset: Int) throws(ByteReaderError) -> UInt32 {
    try check(offset, 4)
    return UInt32(bytes[offset]) &<< 24 | UInt32(bytes[offset &+ 1]) &<< 16
      | UInt32(bytes[offset &+ 2]) &<< 8 | UInt32(bytes[offset &+ 3])
  }

  /// The eight bytes at `offset`.
  @inlinable
  public func uint64(at offset: Int) throws(ByteReaderError) -> UInt64 {
    try check(offset, 8)
    let high = try uint32(at: offset)
    let low = try uint32(at: offset &+ 4)
    return UInt64(high) &<< 32 | UInt64(low)
  }

  /// A copy of the `count` bytes at `offset`; the bounds are checked before anything is allocated.
  @inlinable
  public func array(at offset: Int, count: Int) throws(ByteReaderError) -> [UInt8] {
    try check(offset, count)
    var copy: [UInt8] = []
    copy.reserveCapacity(count)
    for index in offset..<(offset &+ count) { copy.append(bytes[index]) }
    return copy
  }

  /// A reader of the `count` bytes at `offset`, whose offsets begin at 0 again.
  @inlinable
  @_lifetime(copy self)
  public func slice(at offset: Int, count: Int) throws(ByteReaderError) -> ByteReader {
    try check(offset, count)
    return ByteReader(bytes.extracting(offset..<(offset &+ count)))
  }
}
