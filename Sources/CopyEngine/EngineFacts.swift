import Uring

/// What the machine gave to a processor of the engine.
public struct EngineFacts: Sendable, Equatable, CustomStringConvertible {
  /// Set-up flags of the ring that the kernel accepted, in its own words.
  public var ringFlags: [String]
  /// Whether files are registered with the kernel.
  public var registersFiles: Bool
  /// Bytes of pinned memory.
  public var arenaBytes: Int
  /// How much of it lies in huge pages.
  public var hugePageBytes: Int
  /// Whether the kernel holds it as registered buffers; without, each transfer costs more.
  public var isArenaRegistered: Bool

  init(_ facts: Processor.Facts) {
    ringFlags = facts.ring.setupFlags
    registersFiles = facts.ring.registeredFileCapacity > 0
    arenaBytes = facts.arena.byteCount
    hugePageBytes = facts.arena.hugePageBytes
    isArenaRegistered = facts.arena.isRegistered
  }

  /// One line for a log.
  public var description: String {
    "io_uring: \(ringFlags.joined(separator: " ")), "
      + "files \(registersFiles ? "registered" : "not registered"); "
      + "arena \(arenaBytes >> 20) MiB, \(hugePageBytes >> 20) MiB of it in huge pages, "
      + (isArenaRegistered ? "registered" : "not registered")
  }

  /// What is not as it should be; nil where all is well.
  var warning: String? {
    guard !isArenaRegistered else { return nil }
    return "the arena of \(arenaBytes >> 20) MiB is not registered with the kernel, so every "
      + "transfer costs more; locked memory: \(LockedMemoryLimit.current().description); raise it "
      + "with ulimit -l or LimitMEMLOCK=, or ask for a smaller arena"
  }
}
