public import SAM

/// Which logical units a nexus sees, and under which numbers; whatever is not here does not exist for
/// it.
open class LogicalUnitMap {
  /// For subclasses.
  public init() {}

  /// The units of a nexus with their LUNs as `LogicalUnitNumber.encode` makes them; asked once, when
  /// the nexus begins.
  open func units(for nexus: Nexus) -> [(lun: UInt64, unit: LogicalUnit)] { [] }
}

/// The eight bytes of a LUN. SAM-5 4.7.
public enum LogicalUnitNumber {
  /// The REPORT LUNS well known logical unit, C101h.
  public static let reportLUNs: UInt64 = 0xC101_0000_0000_0000

  /// The first-level form of a number from 0 to 16383: peripheral device addressing up to 255, flat
  /// space addressing beyond (SAM-5 4.7.7).
  public static func encode(_ number: Int) -> UInt64 {
    precondition(number >= 0 && number < 16_384, "a LUN has 14 bits")
    return number < 256 ? UInt64(number) << 48 : UInt64(0x4000 | number) << 48
  }

  /// The number that a LUN means, whichever form it has: peripheral device, flat space or extended flat
  /// space addressing; nil for all others.
  public static func decode(_ lun: UInt64) -> Int? {
    // Extended flat space addressing of 24 bits: LENGTH 01b, EXTENDED ADDRESS METHOD 2h.
    if lun >> 56 == 0xD2, lun & 0xFFFF_FFFF == 0 { return Int(lun >> 32 & 0xFF_FFFF) }
    guard lun & 0x0000_FFFF_FFFF_FFFF == 0 else { return nil }
    let word = Int(lun >> 48)
    switch word >> 14 {
    case 0: return word < 256 ? word : nil
    case 1: return word & 0x3FFF
    default: return nil
    }
  }
}
