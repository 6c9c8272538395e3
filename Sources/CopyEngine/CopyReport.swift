/// What a copy did, whether or not it came to its end.
public struct CopyReport: Sendable, Equatable {
  /// Why it ended early; nil where everything was copied, is durable and, if asked, verified.
  public var failure: EngineError?
  /// Where to go on after a stop; nil where nothing is left to copy, or nobody can say.
  public var resumePoint: ResumePoint?
  /// What was read, written and spent.
  public var counters = CopyCounters()
  /// Seconds from the first read to the last flush, verification not included.
  public var seconds: Double = 0
  /// SHA-256 of the source bytes, 32 bytes, where asked for. After a stop nil, or that of the bytes
  /// on a full tape where they were verified.
  public var sha256: [UInt8]?
  /// CRC32C of the source bytes, where asked for; nil after a stop.
  public var crc32c: UInt32?
  /// Whether the destination was read back and is equal; nil where nobody asked.
  public var isVerified: Bool?
  /// What is on the destination tape; nil where the destination is a disk.
  public var tape: TapeExtent?
  /// What the machine gave.
  public var arena: ArenaFacts

  /// Bytes per second over `seconds`.
  public var rate: Double { seconds > 0 ? Double(counters.bytesWritten) / seconds : 0 }
}

/// A place in the sources of a copy.
public struct ResumePoint: Sendable, Equatable {
  /// Index of the source.
  public var source: Int
  /// Byte of a disk that was not copied yet, the first; 0 of a tape.
  public var offset: UInt64
  /// Object of a tape that was not copied yet, the first; nil of a disk.
  public var position: UInt64?
}

/// What a copy put on a tape.
public struct TapeExtent: Sendable, Equatable {
  /// Object number of the first record.
  public var firstObject: UInt64
  /// Object number behind the last one: where the tape stands.
  public var endObject: UInt64
  /// Records written.
  public var records: UInt64
  /// Filemarks written.
  public var filemarks: UInt64
}

/// What a copy read, wrote and spent; exact.
public struct CopyCounters: Sendable, Equatable {
  /// Bytes read from the sources.
  public var bytesRead: UInt64 = 0
  /// Bytes of holes, which were not read.
  public var bytesSkipped: UInt64 = 0
  /// Bytes of the destination that now hold what they should, holes and padding included.
  public var bytesWritten: UInt64 = 0
  /// Bytes of padding among those.
  public var bytesPadded: UInt64 = 0
  /// Payload bytes that were copied in user space.
  public var payloadBytesCopied: UInt64 = 0
  /// Operations given to devices.
  public var reads = 0, writes = 0
  /// Transfers of disks past the page cache, and through it.
  public var directTransfers = 0, bufferedTransfers = 0
  /// Transfers with registered buffers, and without.
  public var fixedTransfers = 0, plainTransfers = 0
  /// System calls of the ring.
  public var enters = 0
  /// Times a drive had to stop, go back and start again; of a tape that is no drive, times it would
  /// have had to, because it waited for data.
  public var repositionings = 0

  /// Nothing done.
  public init() {}
}

/// The pinned memory of a job's processor.
public struct ArenaFacts: Sendable, Equatable {
  /// Bytes of it.
  public var byteCount: Int
  /// How much of it lies in huge pages.
  public var hugePageBytes: Int
  /// Whether the kernel holds it as registered buffers.
  public var isRegistered: Bool
}
