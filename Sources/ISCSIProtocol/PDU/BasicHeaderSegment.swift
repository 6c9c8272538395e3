/// The 48 bytes that begin every PDU. RFC 7143 11.2.1.
///
/// Plain data without allocation: the connection reads it from the wire and writes it there; typed
/// PDUs are views of it.
public struct BasicHeaderSegment: Equatable, Sendable {
  /// Bytes of a basic header segment.
  public static let byteCount = 48

  /// The bytes as they are on the wire.
  public var bytes: InlineArray<48, UInt8>

  /// All zero.
  public init() {
    bytes = InlineArray(repeating: 0)
  }

  /// Of bytes from the wire.
  public init(_ bytes: InlineArray<48, UInt8>) {
    self.bytes = bytes
  }

  /// The opcode, six bits.
  public var opcode: UInt8 {
    get { bytes[0] & 0x3F }
    set { bytes[0] = bytes[0] & 0xC0 | newValue & 0x3F }
  }

  /// I: the command is for immediate delivery.
  public var isImmediate: Bool {
    get { bytes[0] & 0x40 != 0 }
    set { bytes[0] = newValue ? bytes[0] | 0x40 : bytes[0] & ~0x40 }
  }

  /// F: the last PDU of a sequence.
  public var isFinal: Bool {
    get { bytes[1] & 0x80 != 0 }
    set { bytes[1] = newValue ? bytes[1] | 0x80 : bytes[1] & ~0x80 }
  }

  /// Bytes of all additional header segments; TotalAHSLength counts words of four.
  public var additionalHeaderByteCount: Int { Int(bytes[4]) * 4 }

  /// DataSegmentLength: bytes of the data segment without padding.
  public var dataSegmentLength: Int {
    get { Int(bytes[5]) << 16 | Int(bytes[6]) << 8 | Int(bytes[7]) }
    set {
      precondition(newValue >= 0 && newValue < 1 << 24, "a data segment is shorter than 16 MiB")
      bytes[5] = UInt8(truncatingIfNeeded: newValue >> 16)
      bytes[6] = UInt8(truncatingIfNeeded: newValue >> 8)
      bytes[7] = UInt8(truncatingIfNeeded: newValue)
    }
  }

  /// Zero bytes behind the data segment, up to a border of four.
  public var paddingByteCount: Int { (4 - dataSegmentLength % 4) % 4 }

  /// LUN, or the opcode-specific eight bytes in its place.
  public var logicalUnit: UInt64 {
    get { uint64(at: 8) }
    set { set(uint64: newValue, at: 8) }
  }

  /// Initiator Task Tag.
  public var initiatorTaskTag: UInt32 {
    get { uint32(at: 16) }
    set { set(uint32: newValue, at: 16) }
  }

  /// The four bytes at `offset`, which lies inside.
  public func uint32(at offset: Int) -> UInt32 {
    UInt32(bytes[offset]) << 24 | UInt32(bytes[offset + 1]) << 16
      | UInt32(bytes[offset + 2]) << 8 | UInt32(bytes[offset + 3])
  }

  /// The two bytes at `offset`, which lies inside.
  public func uint16(at offset: Int) -> UInt16 {
    UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }

  /// The eight bytes at `offset`, which lies inside.
  public func uint64(at offset: Int) -> UInt64 {
    UInt64(uint32(at: offset)) << 32 | UInt64(uint32(at: offset + 4))
  }

  /// Replaces the two bytes at `offset`.
  public mutating func set(uint16 value: UInt16, at offset: Int) {
    bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
  }

  /// Replaces the four bytes at `offset`.
  public mutating func set(uint32 value: UInt32, at offset: Int) {
    set(uint16: UInt16(truncatingIfNeeded: value >> 16), at: offset)
    set(uint16: UInt16(truncatingIfNeeded: value), at: offset + 2)
  }

  /// Replaces the eight bytes at `offset`.
  public mutating func set(uint64 value: UInt64, at offset: Int) {
    set(uint32: UInt32(truncatingIfNeeded: value >> 32), at: offset)
    set(uint32: UInt32(truncatingIfNeeded: value), at: offset + 4)
  }

  /// Equal bytes.
  public static func == (one: BasicHeaderSegment, other: BasicHeaderSegment) -> Bool {
    for index in 0..<byteCount where one.bytes[index] != other.bytes[index] { return false }
    return true
  }
}
