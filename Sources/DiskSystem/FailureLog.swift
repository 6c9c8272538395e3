import Devices
import Uring

/// Tells what goes wrong at the file or device of a unit: a line each, and never more lines than a
/// person can read. What was left out is counted, and told with the next line.
///
/// Used on the ring's thread.
final class FailureLog {
  /// Lines that may follow each other at once.
  static let burst = 8
  /// How long after the first of them the next ones may come.
  static let pauseNanoseconds: UInt64 = 10_000_000_000

  private let unit: String
  private let tell: (String) -> Void
  private var begin: UInt64?
  private var count = 0
  private var leftOut = 0

  /// Of the unit `unit`; lines go to `tell`.
  init(unit: String, tell: @escaping (String) -> Void) {
    self.unit = unit
    self.tell = tell
  }

  /// Tells a failure, or counts it.
  ///
  /// - Parameter now: nanoseconds of a clock that never goes back.
  func report(_ failure: DiskFailure, now: UInt64) {
    if begin.map({ now >= $0 + Self.pauseNanoseconds }) ?? true {
      begin = now
      count = 0
    }
    guard count < Self.burst else {
      leftOut += 1
      return
    }
    count += 1
    tell("unit \(unit): \(Self.words(failure))\(rest())")
  }

  /// Tells how many were left out since the last line, if any were.
  func end() {
    guard leftOut > 0 else { return }
    let rest = leftOut == 1 ? "1 more failure was" : "\(leftOut) more failures were"
    leftOut = 0
    tell("unit \(unit): \(rest) not told")
  }

  private func rest() -> String {
    defer { leftOut = 0 }
    return leftOut > 0 ? " (and \(leftOut) more since the last line)" : ""
  }

  private static func words(_ failure: DiskFailure) -> String {
    let place = failure.block.map { " of block \($0)" } ?? ""
    let reason =
      failure.errno == 0
      ? "the file ends before it; something else has cut it"
      : SystemError(errno: failure.errno).description
    return "\(failure.operation.rawValue)\(place) failed: \(reason)"
  }
}
