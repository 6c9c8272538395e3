/// How a tape drive is fed so that it streams: a drive that is fed below its slowest speed stops,
/// backs up and starts again, which costs seconds and wears the tape.
public struct StreamingPolicy: Equatable, Sendable {
  /// Bytes buffered before the drive is started, and again after the buffer ran dry.
  public var startThreshold: Int
  /// The drive's slowest and fastest streaming rate in bytes per second; nil: written as fast as
  /// the drive accepts.
  public var rates: ClosedRange<Double>?

  /// A threshold, and the drive's rates where they are known.
  public init(startThreshold: Int, rates: ClosedRange<Double>? = nil) {
    self.startThreshold = startThreshold
    self.rates = rates
  }
}

/// Decides when the next write to a tape may go.
///
/// Below three quarters of the reservoir the drive gets its slowest streaming rate, so that what is
/// buffered outlasts a stall of the source; above, up to its fastest, so that a steady source is not
/// held back.
struct StreamGate {
  private let policy: StreamingPolicy?
  private let reservoirBytes: Int
  private var isOpen: Bool
  private var nextWrite: UInt64 = 0
  /// Times the buffer ran dry after the drive was started: the drive would have had to reposition.
  private(set) var underruns = 0
  private var hasStarted = false

  init(_ policy: StreamingPolicy?, reservoirBytes: Int) {
    self.policy = policy
    self.reservoirBytes = reservoirBytes
    isOpen = policy == nil
  }

  /// Whether there is a policy to keep.
  var isActive: Bool { policy != nil }

  /// Opens the gate when enough is buffered, or when nothing more will come.
  mutating func update(bufferedBytes: Int, isComplete: Bool) {
    guard let policy, !isOpen else { return }
    if isComplete || bufferedBytes >= min(policy.startThreshold, reservoirBytes * 7 / 8) {
      isOpen = true
      hasStarted = true
    }
  }

  /// Opens a closed gate for which no more can be buffered; false where it was open.
  mutating func giveUpWaiting() -> Bool {
    guard !isOpen else { return false }
    isOpen = true
    hasStarted = true
    return true
  }

  /// The buffer ran dry while more is to come.
  mutating func ranDry() {
    guard isOpen, hasStarted || policy == nil else { return }
    underruns += 1
    if policy != nil { isOpen = false }
  }

  /// Nanoseconds to wait before the next write; nil while the gate is closed.
  func delay(now: UInt64) -> UInt64? {
    guard isOpen else { return nil }
    return nextWrite > now ? nextWrite - now : 0
  }

  /// A write of `byteCount` goes now.
  mutating func wrote(_ byteCount: Int, bufferedBytes: Int, now: UInt64) {
    hasStarted = true
    guard let rates = policy?.rates else { return }
    let fill = min(1, Double(bufferedBytes) / Double(max(1, reservoirBytes)))
    let share = max(0, (fill - 0.75) / 0.25)
    // Exactly the slowest rate would let the drive's own buffer run dry at the first late timer.
    let slowest = min(rates.lowerBound * 1.15, rates.upperBound)
    let rate = slowest + (rates.upperBound - slowest) * share
    let interval = UInt64(Double(byteCount) / rate * 1e9)
    // A little credit, so that a late timer does not lower the rate.
    let credit: UInt64 = 20_000_000
    nextWrite = max(nextWrite, now > credit ? now - credit : 0) + interval
  }
}
