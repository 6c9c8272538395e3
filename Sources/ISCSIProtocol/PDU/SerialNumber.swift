/// A 32-bit number that wraps around: CmdSN, StatSN and their kin. RFC 1982, RFC 7143 4.2.2.1.
///
/// Not `Comparable`: the order of serial numbers is not transitive.
public struct SerialNumber: RawRepresentable, Hashable, Sendable {
  /// The number on the wire.
  public var rawValue: UInt32

  /// Of a number on the wire.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Of a number on the wire.
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  /// The number `count` later, around the end.
  public func advanced(by count: Int) -> SerialNumber {
    SerialNumber(rawValue &+ UInt32(truncatingIfNeeded: count))
  }

  /// How far `other` is ahead, negative if it is behind; −2³¹ where RFC 1982 leaves it open.
  public func distance(to other: SerialNumber) -> Int {
    Int(Int32(bitPattern: other.rawValue &- rawValue))
  }

  /// `one` comes before `other`; of two numbers 2³¹ apart neither does.
  public static func < (one: SerialNumber, other: SerialNumber) -> Bool {
    let distance = one.distance(to: other)
    return distance > 0
  }

  /// `one` comes before `other` or is equal to it.
  public static func <= (one: SerialNumber, other: SerialNumber) -> Bool {
    one == other || one < other
  }

  /// `one` comes after `other`.
  public static func > (one: SerialNumber, other: SerialNumber) -> Bool { other < one }

  /// `one` comes after `other` or is equal to it.
  public static func >= (one: SerialNumber, other: SerialNumber) -> Bool { other <= one }
}
