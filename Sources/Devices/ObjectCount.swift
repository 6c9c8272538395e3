import Glibc

/// How many objects lie before the position of a drive that cannot tell: counted since the beginning of
/// the tape, and unknown after whatever does not say how far it went.
struct ObjectCount: Equatable, Sendable {
  /// Records and filemarks before the position; nil where it is not known.
  private(set) var value: UInt64?

  init(_ value: UInt64?) {
    self.value = value
  }

  /// `count` objects were written, or passed forwards.
  mutating func pass(_ count: UInt64) {
    value = value.map { $0 + count }
  }

  /// The tape moved, and nobody knows how far.
  mutating func lose() {
    value = nil
  }

  /// A read() gave `result`.
  mutating func read(_ result: Int32, _ driver: LocalTape.DriverStatus) {
    if result > 0 || result == -ENOMEM { return pass(1) }
    // 0 is a filemark, which was passed, or end of data, where the tape stays.
    if result == 0 || driver.endOfData {
      if !driver.endOfData { pass(1) }
      return
    }
    lose()
  }

  /// A command spaced over `count` objects of a kind, or ended before with what the driver says.
  mutating func move(
    _ kind: SpaceKind, _ count: Int, _ result: Int32, _ driver: LocalTape.DriverStatus
  ) {
    guard kind == .records, let now = value else { return lose() }
    let distance = UInt64(count.magnitude)
    let isForward = count > 0
    if result == 0 {
      value = isForward ? now + distance : now >= distance ? now - distance : nil
      return
    }
    if driver.beginning {
      value = 0
      return
    }
    // The driver does not say how far a command went that ended early (its residual is the partition).
    guard distance == 1, driver.filemark || driver.endOfData else { return lose() }
    // A filemark that ends the command was passed, end of data was not.
    let passed: UInt64 = driver.endOfData ? 0 : 1
    value = isForward ? now + passed : now >= passed ? now - passed : nil
  }
}
