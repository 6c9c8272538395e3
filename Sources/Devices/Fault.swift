import SCSI

/// Something that goes wrong on purpose, at one place of a device.
public struct Fault: Sendable, Equatable {
  /// What goes wrong.
  public enum Kind: String, Sendable, CaseIterable {
    /// An unrecovered read error; what lies before is read.
    case readError = "read-error"
    /// A write error; what lies before is written.
    case writeError = "write-error"
    /// A read that answers only what lies before, without a condition.
    case shortRead = "short-read"
    /// A write that takes only what lies before, without a condition.
    case shortWrite = "short-write"
    /// A write of which the first half is written before it fails.
    case tornWrite = "torn-write"
    /// A write that is acknowledged and not done.
    case droppedWrite = "dropped-write"
    /// A write that is acknowledged and fails later: the next operation reports it.
    case deferredError = "deferred-error"

    var isOfReads: Bool { self == .readError || self == .shortRead }
  }

  /// What goes wrong.
  public var kind: Kind
  /// Where: a block of a disk, an object of a tape.
  public var place: UInt64
  /// Whether it happens the first time only.
  public var once: Bool

  /// All of it said.
  public init(_ kind: Kind, at place: UInt64, once: Bool = false) {
    self.kind = kind
    self.place = place
    self.once = once
  }
}

/// What a device does wrong, and how slowly it does everything.
public struct Misbehaviour: Sendable, Equatable {
  /// Things that go wrong at one place.
  public var faults: [Fault] = []
  /// Whether flushes are acknowledged and not done.
  public var liesAboutFlush = false
  /// Nanoseconds added to each operation; those of operations in flight together overlap.
  public var delayNanoseconds: UInt64 = 0
  /// Bytes a second that the device moves at most; nil: as fast as it can.
  public var bytesPerSecond: UInt64?
  /// Operations wait at the end of each period of this length...
  public var stallPeriodNanoseconds: UInt64 = 0
  /// ...for this long.
  public var stallNanoseconds: UInt64 = 0

  /// A device that does everything right.
  public init() {}

  /// The fault that an operation on `places` meets first.
  mutating func strike(_ places: Range<UInt64>, reading: Bool) -> Fault? {
    var found: Int?
    for index in faults.indices {
      let fault = faults[index]
      guard fault.kind.isOfReads == reading, places.contains(fault.place) else { continue }
      if let other = found, faults[other].place <= fault.place { continue }
      found = index
    }
    guard let found else { return nil }
    return faults[found].once ? faults.remove(at: found) : faults[found]
  }
}

/// When an operation of a slow device may end.
struct Pace {
  private let misbehaviour: Misbehaviour
  private let start: UInt64
  private var busyUntil: UInt64 = 0

  /// Periods of stalling count from `start`.
  init(_ misbehaviour: Misbehaviour, start: UInt64) {
    self.misbehaviour = misbehaviour
    self.start = start
  }

  /// The time before which an operation of `byteCount` bytes that is submitted `now` does not end.
  mutating func due(_ byteCount: Int, now: UInt64) -> UInt64 {
    var due = now
    if let rate = misbehaviour.bytesPerSecond {
      let duration = UInt64(Double(byteCount) * 1e9 / Double(max(1, rate)))
      busyUntil = release(max(now, busyUntil)) + duration
      due = busyUntil
    }
    return release(due + misbehaviour.delayNanoseconds)
  }

  /// `time`, or the end of the stall it falls into.
  private func release(_ time: UInt64) -> UInt64 {
    let period = misbehaviour.stallPeriodNanoseconds
    guard period > 0, time >= start else { return time }
    let phase = (time - start) % period
    let moving = period - min(period, misbehaviour.stallNanoseconds)
    return phase < moving ? time : time + (period - phase)
  }
}
