import CRegion

/// The word that a processor sleeps on: it changes whenever something may concern it.
public struct WakeWord: Sendable {
  let region: SharedRegion
  let offset: Int

  /// Read before looking; `wait` returns where it has changed since.
  public var value: UInt32 { region.memory.load32(offset) }
}

extension SharedRegion {
  /// The word of `member`.
  public func wakeWord(of member: ProcessorID) -> WakeWord {
    precondition((0..<geometry.processorCount).contains(member.index), "members have an entry")
    return WakeWord(region: self, offset: wakeOffset(member.index))
  }
}

/// How a processor sleeps while nothing concerns it.
public protocol RegionWait {
  /// Returns when the word is no longer `seen`, after `limit`, or earlier.
  func wait(for word: WakeWord, toDifferFrom seen: UInt32, atMostNanoseconds limit: UInt64) async
}

/// Blocks the thread in the kernel: for threads without a ring.
public struct FutexWait: RegionWait {
  /// The only one.
  public init() {}

  /// The same without `async`.
  public func block(for word: WakeWord, toDifferFrom seen: UInt32, atMostNanoseconds limit: UInt64)
  {
    unsafe cr_futex_wait(word.region.memory.pointer(word.offset, 4), seen, limit)
  }

  /// Keeps the calling thread.
  public func wait(
    for word: WakeWord, toDifferFrom seen: UInt32, atMostNanoseconds limit: UInt64
  ) async {
    block(for: word, toDifferFrom: seen, atMostNanoseconds: limit)
  }
}

/// Looks at the word again and again: the fallback for a ring without a futex operation.
public struct PollingWait: RegionWait {
  /// The first pause; each is twice the one before.
  public static let firstNanoseconds: UInt64 = 200_000
  /// The longest pause.
  public static let lastNanoseconds: UInt64 = 20_000_000

  private let sleep: (UInt64) async -> Void

  /// Sleeps with `sleep`, as the timer of a ring does.
  public init(sleep: @escaping (UInt64) async -> Void) { self.sleep = sleep }

  /// Pauses until the word differs.
  public func wait(
    for word: WakeWord, toDifferFrom seen: UInt32, atMostNanoseconds limit: UInt64
  ) async {
    var slept: UInt64 = 0
    var pause = Self.firstNanoseconds
    while word.value == seen, slept < limit {
      pause = min(pause, limit - slept)
      await sleep(pause)
      slept += pause
      pause = min(pause * 2, Self.lastNanoseconds)
    }
  }
}
