/// What happens to a simulated kernel: a value, so that a failing run is a seed and this.
///
/// The plain one is fast and fair: operations take 20 to 200 simulated microseconds, finish in any
/// order and succeed. Probabilities run from 0 (never) to 1 (always).
public struct SimulationPlan: Sendable, Equatable {
  /// Equal seeds and equal programs give equal runs.
  public var seed: UInt64
  /// How long an operation takes.
  public var latencyNanoseconds: ClosedRange<UInt64> = 20_000...200_000
  /// That an operation may overtake those submitted before it.
  public var reordering = 1.0
  /// That a read or write of more than one unit ends short. The unit is the alignment of direct I/O
  /// for descriptors opened so, a byte for others.
  public var shortTransfers = 0.0
  /// That a read or write ends with EAGAIN, without effect.
  public var again = 0.0
  /// That a read or write ends with EINTR, without effect.
  public var interruption = 0.0
  /// That `enter` itself ends with EINTR, EAGAIN or EBUSY before it has taken anything.
  public var refusedEnters = 0.0
  /// That a flush fails with EIO; what it covered is then as after a power loss, and a later flush
  /// that succeeds does not mend it.
  public var failedFlushes = 0.0
  /// What a cancel request meets, in parts of 1: the operation ends cancelled, or
  public var cancelWins = 0.5
  /// it had just completed; in all other cases the request fails and the operation goes on.
  public var cancelTooLate = 0.25
  /// Failures of transfers, flushes and allocations at known places.
  public var faults: [SimulatedFault] = []
  /// Failures of the calls of `FileSystem`.
  public var callFaults: [SimulatedCallFault] = []
  /// Writes that reach further than this many bytes in all since the mount end with ENOSPC.
  public var bytesUntilNoSpace: UInt64?
  /// The power fails in place of the operation or call with this number, counted from 1.
  public var powerLossAtOperation: Int?
  /// The largest arena that can be registered; 0: none, and the ring works in its degraded mode.
  public var registrableArenaBytes = Int.max
  /// Places for registered files; 0: files cannot be registered.
  public var registeredFiles: UInt32 = LinuxKernel.registeredFiles

  /// The plain one.
  public init(seed: UInt64 = 1) { self.seed = seed }

  /// Everything that a sound program survives, often: short transfers, EAGAIN, EINTR, refused
  /// enters and a wide spread of latencies.
  public static func rough(seed: UInt64) -> SimulationPlan {
    var plan = SimulationPlan(seed: seed)
    plan.latencyNanoseconds = 1_000...5_000_000
    plan.shortTransfers = 0.1
    plan.again = 0.03
    plan.interruption = 0.03
    plan.refusedEnters = 0.05
    return plan
  }

  /// The plain one with a power failure in place of operation number `operation`.
  public static func powerLoss(seed: UInt64, atOperation operation: Int) -> SimulationPlan {
    var plan = SimulationPlan(seed: seed)
    plan.powerLossAtOperation = operation
    return plan
  }
}

/// A failure of operations of a ring on one file.
///
/// A transfer that begins before the range may also end short in front of it, as on a real disk.
public struct SimulatedFault: Sendable, Equatable {
  /// What can fail.
  public enum Operation: Sendable, CaseIterable { case read, write, flush, allocate }

  /// The operations that fail.
  public var operations: Set<Operation>
  /// The path that the file was opened by; nil: every file.
  public var path: String?
  /// The bytes that are bad; it does not matter for flushes.
  public var bytes: Range<UInt64>
  /// The answer, a positive errno.
  public var errno: Int32
  /// Whether it heals after the first failure.
  public var isOnce: Bool

  /// All of it said.
  public init(
    _ operations: Set<Operation>, path: String? = nil, bytes: Range<UInt64> = 0..<UInt64.max,
    errno: Int32, isOnce: Bool = false
  ) {
    self.operations = operations
    self.path = path
    self.bytes = bytes
    self.errno = errno
    self.isOnce = isOnce
  }
}

/// A failure of calls of `FileSystem`.
public struct SimulatedCallFault: Sendable, Equatable {
  /// The calls that can fail.
  public enum Call: Sendable, CaseIterable {
    case open, status, truncate, read, write, synchronize, makeDirectory, rename, remove, lock
  }

  /// The call; nil: any.
  public var call: Call?
  /// The path it was made with, or that its file was opened by; nil: every path.
  public var path: String?
  /// How many such calls succeed before.
  public var skipping: Int
  /// The answer, a positive errno.
  public var errno: Int32
  /// Whether later calls succeed again.
  public var isOnce: Bool

  /// All of it said.
  public init(
    _ call: Call?, path: String? = nil, skipping: Int = 0, errno: Int32, isOnce: Bool = true
  ) {
    self.call = call
    self.path = path
    self.skipping = skipping
    self.errno = errno
    self.isOnce = isOnce
  }
}
