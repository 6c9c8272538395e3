/// One simulated file: what a reader sees, what a power loss is sure to leave, and the changes in
/// between, in order.
struct SimulatedFile: Sendable {
  /// A change of a file that may be lost.
  enum Change: Sendable {
    case write(offset: UInt64, bytes: [UInt8])
    case resize(UInt64)
    case reserve(Range<UInt64>, byteCount: UInt64)
    case punch(Range<UInt64>)
  }

  /// What a disk writes whole or not at all.
  static let sectorLength = 512

  var kind: FileStatus.Kind
  /// Of a block device; 0 for files.
  var logicalBlockLength: UInt32 = 0
  private(set) var content = SimulatedBytes()
  private(set) var durable = SimulatedBytes()
  private var changes: [Change] = []
  /// Changes that have left `changes`.
  private var settledCount = 0
  /// The descriptor that holds the lock.
  var lockedBy: Int32?
  var isLinked = true

  init(kind: FileStatus.Kind) { self.kind = kind }

  init(blockDevice byteCount: UInt64, logicalBlockLength: UInt32) {
    kind = .blockDevice
    self.logicalBlockLength = logicalBlockLength
    content.resize(to: byteCount)
    durable = content
  }

  /// Names the changes made so far, for a flush that is submitted now.
  var changeCount: Int { settledCount + changes.count }

  mutating func make(_ change: Change) {
    Self.apply(change, to: &content)
    changes.append(change)
  }

  /// Sets content that no power loss takes away.
  mutating func settle(_ bytes: SimulatedBytes) {
    content = bytes
    durable = bytes
    settledCount += changes.count
    changes = []
  }

  /// Changes what is stored, durable or not: a bad disk.
  mutating func corrupt(_ bytes: [UInt8], at offset: UInt64) {
    Self.apply(.write(offset: offset, bytes: bytes), to: &content)
    Self.apply(.write(offset: offset, bytes: bytes), to: &durable)
  }

  /// A flush that was submitted after `count` changes has succeeded.
  mutating func flush(upTo count: Int) {
    let covered = max(0, count - settledCount)
    for change in changes.prefix(covered) { Self.apply(change, to: &durable) }
    settle(first: covered)
  }

  /// A flush has failed: the kernel forgets that what it covered was never written.
  mutating func failFlush(upTo count: Int, random: inout SimulatedRandom) {
    let covered = max(0, count - settledCount)
    for change in changes.prefix(covered) {
      Self.apply(change, to: &durable, random: &random)
    }
    settle(first: covered)
  }

  private mutating func settle(first count: Int) {
    changes.removeFirst(count)
    settledCount += count
  }

  /// The power fails: every change that no flush covered is kept, dropped or torn.
  mutating func losePower(random: inout SimulatedRandom) {
    for change in changes { Self.apply(change, to: &durable, random: &random) }
    settle(first: changes.count)
    content = durable
    lockedBy = nil
  }

  private static func apply(_ change: Change, to bytes: inout SimulatedBytes) {
    switch change {
    case .write(let offset, let written):
      unsafe written.withUnsafeBytes { unsafe bytes.write($0, at: offset) }
    case .resize(let byteCount): bytes.resize(to: byteCount)
    case .reserve(let range, let byteCount):
      bytes.reserve(range)
      bytes.grow(to: byteCount)
    case .punch(let range): bytes.punch(range)
    }
  }

  /// Applies all of a change, none of it, or of a write some of its sectors.
  private static func apply(
    _ change: Change, to bytes: inout SimulatedBytes, random: inout SimulatedRandom
  ) {
    switch random.next() % 3 {
    case 0: return
    case 1: apply(change, to: &bytes)
    default:
      guard case .write(let offset, let written) = change else { return }
      tear(written, at: offset, into: &bytes, random: &random)
    }
  }

  /// Writes some of the sectors; the length may or may not have grown.
  static func tear(
    _ written: [UInt8], at offset: UInt64, into bytes: inout SimulatedBytes,
    random: inout SimulatedRandom
  ) {
    if random.happens(0.5) { bytes.grow(to: offset + UInt64(written.count)) }
    var done = 0
    while done < written.count {
      let inside = Int((offset + UInt64(done)) % UInt64(sectorLength))
      let count = min(written.count - done, sectorLength - inside)
      if random.happens(0.5) {
        unsafe written.withUnsafeBytes { source in
          unsafe bytes.write(
            UnsafeRawBufferPointer(rebasing: source[done..<done + count]), at: offset + UInt64(done)
          )
        }
      }
      done += count
    }
  }
}
