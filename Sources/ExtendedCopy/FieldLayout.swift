/// One field of a header or descriptor: its name in the standard, and where it is.
public struct FieldLayout: Hashable, Sendable {
  /// What the bytes are.
  public enum Kind: Hashable, Sendable {
    /// An unsigned number.
    case number
    /// A number in two's complement.
    case signed
    /// Part of one byte: the lowest bit, and how many bits.
    case bits(low: Int, width: Int)
    /// Bytes that are not a number, or one that is written in hexadecimal.
    case bytes
    /// As many bytes as the field of `width` bytes at `lengthOffset` says; `length` is 0.
    case counted(lengthOffset: Int, width: Int)
    /// A number that follows from the rest: a length, or the code of the kind.
    case derived
  }

  /// Name in the standard, in capitals.
  public let name: String
  /// First byte, from the start of the header or descriptor.
  public let offset: Int
  /// How many bytes.
  public let length: Int
  /// What the bytes are.
  public let kind: Kind

  init(_ offset: Int, _ length: Int, _ name: String, _ kind: Kind = .number) {
    self.name = name
    self.offset = offset
    self.length = length
    self.kind = kind
  }

  static func bit(_ offset: Int, _ bit: Int, _ name: String) -> FieldLayout {
    FieldLayout(offset, 1, name, .bits(low: bit, width: 1))
  }

  static func bits(_ offset: Int, _ low: Int, _ width: Int, _ name: String) -> FieldLayout {
    FieldLayout(offset, 1, name, .bits(low: low, width: width))
  }
}
