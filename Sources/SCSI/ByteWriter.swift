/// Writes big-endian fields, one after the other.
public struct ByteWriter: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// A writer that expects to write about `capacity` bytes.
  public init(capacity: Int = 0) {
    bytes.reserveCapacity(capacity)
  }

  /// How many bytes were written so far.
  public var count: Int { bytes.count }

  /// Appends one byte.
  public mutating func uint8(_ value: UInt8) {
    bytes.append(value)
  }

  /// Appends two bytes.
  public mutating func uint16(_ value: UInt16) {
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  /// Appends the low three bytes of `value`; the caller has checked that the rest is zero.
  public mutating func uint24(_ value: UInt32) {
    precondition(value <= 0xFF_FFFF, "a three-byte field cannot hold \(value)")
    bytes.append(UInt8(truncatingIfNeeded: value >> 16))
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  /// Appends four bytes.
  public mutating func uint32(_ value: UInt32) {
    uint16(UInt16(truncatingIfNeeded: value >> 16))
    uint16(UInt16(truncatingIfNeeded: value))
  }

  /// Appends eight bytes.
  public mutating func uint64(_ value: UInt64) {
    uint32(UInt32(truncatingIfNeeded: value >> 32))
    uint32(UInt32(truncatingIfNeeded: value))
  }

  /// Appends `bytes`.
  public mutating func append(_ more: some Sequence<UInt8>) {
    bytes.append(contentsOf: more)
  }

  /// Appends `count` zero bytes.
  public mutating func zeros(_ count: Int) {
    bytes.append(contentsOf: repeatElement(0, count: count))
  }

  /// Appends zero bytes until `count` bytes are there.
  public mutating func pad(to count: Int) {
    if bytes.count < count { zeros(count - bytes.count) }
  }

  /// Replaces the byte at `offset`, which must have been written.
  public mutating func set(_ value: UInt8, at offset: Int) {
    bytes[offset] = value
  }

  /// Replaces the two bytes at `offset`, which must have been written.
  public mutating func set(uint16 value: UInt16, at offset: Int) {
    bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
  }
}
