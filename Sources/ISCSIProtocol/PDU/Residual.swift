/// How the data that moved differs from what was expected. RFC 7143 11.4.5.
public enum Residual: Equatable, Sendable {
  /// As expected.
  case none
  /// So many expected bytes did not move.
  case underflow(UInt32)
  /// So many bytes did not find room.
  case overflow(UInt32)

  /// From the two flags and the count. Both flags together are a protocol error.
  init?(isOverflow: Bool, isUnderflow: Bool, count: UInt32) {
    switch (isOverflow, isUnderflow) {
    case (false, false): self = .none
    case (false, true): self = .underflow(count)
    case (true, false): self = .overflow(count)
    case (true, true): return nil
    }
  }

  var count: UInt32 {
    switch self {
    case .none: 0
    case .underflow(let count), .overflow(let count): count
    }
  }

  var isOverflow: Bool { if case .overflow = self { true } else { false } }
  var isUnderflow: Bool { if case .underflow = self { true } else { false } }
}
