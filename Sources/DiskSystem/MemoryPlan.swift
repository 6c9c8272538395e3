/// How the pinned memory of a processor is divided: each kind of work has its own, so that none can
/// starve another, and a copy between two units cannot wait for itself.
struct MemoryPlan: Equatable {
  /// Data that initiators send.
  var target: Int
  /// Data that is read for initiators, and what units compare and verify with.
  var units: Int
  /// Copies.
  var copies: Int
  /// Connections and the text of logins.
  let control = controlByteCount

  /// 256 connections of some 7 KiB and 64 logins of 16 KiB.
  private static let controlByteCount = 3 << 20
  /// Short answers, which are not counted.
  private static let restByteCount = 2 << 20
  /// A copy has two records of 1 MiB in flight and as many waiting.
  private static let copiesByteCount = 4 << 20

  /// Of an arena of `byteCount` bytes, 16 MiB or more.
  init(arena byteCount: Int) {
    let rest = max(byteCount, 16 << 20) - Self.controlByteCount - Self.restByteCount
    copies = max(Self.copiesByteCount, rest / 8)
    target = (rest - copies) / 2 & ~0xFFF
    units = target
  }
}
