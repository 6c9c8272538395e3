public import Uring

/// The timing of a tape drive in front of a tape: it takes data into a buffer of its own and streams
/// it to the medium between two speeds. When the host lets the buffer run dry it has to stop, go
/// back, and wait until enough is there to start again: a repositioning, which costs seconds of
/// time, and tape life.
public final class StreamingDrive: StreamDecorator {
  /// What kind of drive.
  public struct Model: Sendable, Equatable {
    /// Bytes a second at full speed, and at the slowest speed at which it keeps streaming.
    public var nativeBytesPerSecond, slowestBytesPerSecond: UInt64
    /// The drive's own buffer.
    public var bufferByteCount: Int
    /// How long it takes to stop, go back and start.
    public var repositioningNanoseconds: UInt64

    /// All of it said.
    public init(
      nativeBytesPerSecond: UInt64, slowestBytesPerSecond: UInt64,
      bufferByteCount: Int = 1 << 30, repositioningNanoseconds: UInt64 = 4_000_000_000
    ) {
      self.nativeBytesPerSecond = nativeBytesPerSecond
      self.slowestBytesPerSecond = slowestBytesPerSecond
      self.bufferByteCount = bufferByteCount
      self.repositioningNanoseconds = repositioningNanoseconds
    }

    /// An LTO-9 drive: 400 MB/s, not slower than 177 MB/s, 1 GiB of buffer.
    public static let lto9 = Model(
      nativeBytesPerSecond: 400_000_000, slowestBytesPerSecond: 177_000_000)
  }

  private var motion: Motion

  /// In front of `tape`.
  public init(_ tape: StreamDevice, model: Model, ring: Ring) {
    motion = Motion(model, now: ring.now)
    super.init(tape, ring: ring)
  }

  /// How often the buffer ran dry between two writes. A drive that was never started, because its
  /// buffer did not get half full, has nothing to stop.
  public var repositioningCount: Int { motion.repositioningCount }

  override func plan(reading: Bool, byteCount: Int, recordCount: Int) -> Plan {
    let due = reading ? motion.read(byteCount, ring.now) : motion.write(byteCount, ring.now)
    return Plan(passedRecordCount: recordCount, due: due)
  }

  /// Writes filemarks; unless immediate, the buffer is on the medium first.
  public override func writeFilemarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    if count == 0 || !immediate {
      let now = ring.now
      let end = motion.empty(now)
      if end > now { await ring.sleep(nanoseconds: end - now) }
    }
    return await tape.writeFilemarks(count, immediate: immediate)
  }

  /// The tape under the head, and the buffer before it: arithmetic only.
  struct Motion {
    private enum State: Equatable {
      /// Waits for data, at rest since a flush or the beginning.
      case resting
      case streaming
      /// Stopped by an empty buffer, ready to start again at `ready`.
      case stopped(ready: UInt64)
    }

    private let model: Model
    private var state = State.resting
    private var time: UInt64
    private var level = 0.0
    private(set) var repositioningCount = 0
    /// The speed is adapted to the level in steps of this length.
    private static let step: UInt64 = 5_000_000

    init(_ model: Model, now: UInt64) {
      self.model = model
      time = now
    }

    /// A stopped drive starts again when half its buffer is full.
    private var startLevel: Double { Double(model.bufferByteCount) / 2 }

    /// Takes a write; the time when its last byte is in the buffer.
    mutating func write(_ byteCount: Int, _ now: UInt64) -> UInt64 {
      advance(to: now)
      if case .stopped = state, level == 0 { repositioningCount += 1 }
      level += Double(byteCount)
      start(now)
      let excess = level - Double(model.bufferByteCount)
      var due = now
      if excess > 0 { due += UInt64(excess * 1e9 / Double(model.nativeBytesPerSecond)) }
      if excess > 0, case .stopped(let ready) = state, ready > now { due += ready - now }
      return due
    }

    /// A read goes at full speed from the medium.
    mutating func read(_ byteCount: Int, _ now: UInt64) -> UInt64 {
      time =
        max(time, now)
        + UInt64(Double(byteCount) * 1e9 / Double(model.nativeBytesPerSecond))
      return time
    }

    /// The time when everything is on the medium; the drive rests then.
    mutating func empty(_ now: UInt64) -> UInt64 {
      advance(to: now)
      var end = now
      if case .stopped(let ready) = state, level > 0 { end = max(end, ready) }
      end += UInt64(level * 1e9 / Double(model.nativeBytesPerSecond))
      level = 0
      state = .resting
      time = end
      return end
    }

    private mutating func start(_ now: UInt64) {
      switch state {
      case .streaming: return
      case .resting: if level >= startLevel { state = .streaming }
      case .stopped(let ready):
        if level >= startLevel, now >= ready { state = .streaming }
      }
    }

    private mutating func advance(to now: UInt64) {
      while time < now {
        start(time)
        guard state == .streaming else {
          // At rest until the host goes on, or until the head is back in place.
          if case .stopped(let ready) = state, level >= startLevel, ready > time, ready < now {
            time = ready
            continue
          }
          time = now
          return
        }
        let span = min(Self.step, now - time)
        let slowest = Double(model.slowestBytesPerSecond)
        let full = min(1, level / Double(model.bufferByteCount))
        let speed = slowest + (Double(model.nativeBytesPerSecond) - slowest) * full
        let moved = speed * Double(span) / 1e9
        time += span
        if moved < level {
          level -= moved
        } else {
          level = 0
          state = .stopped(ready: time + model.repositioningNanoseconds)
        }
      }
    }
  }
}
