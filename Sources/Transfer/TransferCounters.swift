/// What a pipeline has done. Exact; the same lists on the same devices give the same numbers.
public struct TransferCounters: Equatable, Sendable {
  /// Bytes read from devices.
  public var bytesRead: UInt64 = 0
  /// Bytes that were not read because they lie in a hole.
  public var bytesSkipped: UInt64 = 0
  /// Bytes written to devices and known to be.
  public var bytesWritten: UInt64 = 0
  /// Payload bytes copied in user space: edges of blocks, pieces too fine to be gathered, held and
  /// inline data.
  public var payloadBytesCopied: UInt64 = 0
  /// Operations given to devices.
  public var reads = 0, writes = 0
  /// Times the destination waited for data after it had been started.
  public var underruns = 0

  /// Nothing done.
  public init() {}
}

/// How much memory a pipeline uses, and in what pieces.
public struct TransferLimits: Equatable, Sendable {
  /// Bytes of one read of a disk, and of one write to a disk.
  public var chunkBytes = 1 << 20
  /// Bytes of reads in flight.
  public var flightBytes = 8 << 20
  /// Bytes read and not yet written.
  public var reservoirBytes = 24 << 20
  /// Writes in flight to a disk.
  public var writeDepth = 8
  /// Bytes held for RECEIVE DATA; older ones are dropped for newer.
  public var heldBytes = 1 << 20

  /// The default, for an arena of 32 MiB.
  public init() {}

  /// For an arena of `arenaBytes`: three quarters are reservoir, at most 16 MiB are in flight.
  public init(arenaBytes: Int) {
    reservoirBytes = arenaBytes / 4 * 3
    flightBytes = max(1 << 20, min(16 << 20, arenaBytes / 4))
    chunkBytes = min(1 << 20, max(64 << 10, arenaBytes / 16))
  }
}
