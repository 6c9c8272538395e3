/// ISID: which session of an initiator port. Six bytes. RFC 7143 11.12.5.
public struct InitiatorSessionID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// How the naming authority is told, from the first two bits.
  public enum Format: UInt8, Sendable {
    /// An IEEE organisation, 22 bits.
    case oui = 0
    /// An IANA enterprise number, 24 bits.
    case enterpriseNumber = 1
    /// A random number, 24 bits.
    case random = 2
    /// Reserved.
    case reserved = 3
  }

  /// The six bytes as a number below 2⁴⁸.
  public let rawValue: UInt64

  /// Of a number; only its lower 48 bits count.
  public init(rawValue: UInt64) { self.rawValue = rawValue & 0xFFFF_FFFF_FFFF }

  /// Of the random format, from random bits and a qualifier that tells sessions apart.
  public init(random: UInt32, qualifier: UInt16) {
    self.init(
      rawValue: UInt64(0x80) << 40 | UInt64(random & 0xFF_FFFF) << 16 | UInt64(qualifier))
  }

  /// The format.
  public var format: Format { Format(rawValue: UInt8(rawValue >> 46)) ?? .reserved }

  /// Twelve hexadecimal digits behind `0x`, as in the name of a SCSI port.
  public var description: String {
    let digits = String(rawValue, radix: 16)
    return "0x" + String(repeating: "0", count: 12 - digits.count) + digits
  }
}
