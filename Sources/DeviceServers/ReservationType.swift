/// TYPE of a persistent reservation. SPC-4 6.15.3.4.
public enum ReservationType: UInt8, CaseIterable, Sendable {
  case writeExclusive = 1
  case exclusiveAccess = 3
  case writeExclusiveRegistrantsOnly = 5
  case exclusiveAccessRegistrantsOnly = 6
  case writeExclusiveAllRegistrants = 7
  case exclusiveAccessAllRegistrants = 8

  /// Whether reads of others are refused too.
  public var excludesReads: Bool {
    switch self {
    case .exclusiveAccess, .exclusiveAccessRegistrantsOnly, .exclusiveAccessAllRegistrants: true
    default: false
    }
  }

  /// Whether every registered nexus has access.
  public var admitsRegistrants: Bool {
    switch self {
    case .writeExclusive, .exclusiveAccess: false
    default: true
    }
  }

  /// Whether every registered nexus is a reservation holder.
  public var isHeldByAllRegistrants: Bool {
    self == .writeExclusiveAllRegistrants || self == .exclusiveAccessAllRegistrants
  }
}
