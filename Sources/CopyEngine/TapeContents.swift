/// What is on a cartridge.
public struct TapeContents: Sendable, Equatable {
  /// Equal objects that follow each other.
  public struct Run: Sendable, Equatable {
    /// Number of the first object.
    public var firstObject: UInt64
    /// Number of objects.
    public var count: UInt64
    /// Bytes of each record; nil where the objects are filemarks.
    public var recordLength: Int?
  }

  /// Most bytes of records; `UInt64.max` where only the file system limits it.
  public var capacity: UInt64
  /// A write that leaves less room than this reports early warning.
  public var earlyWarning: UInt64
  /// Whether writes are refused.
  public var isWriteProtected: Bool
  /// From the beginning of the tape.
  public var runs: [Run]

  /// Records and filemarks.
  public var objectCount: UInt64 { runs.reduce(0) { $0 + $1.count } }
  /// Filemarks.
  public var filemarkCount: UInt64 {
    runs.reduce(0) { $0 + ($1.recordLength == nil ? $1.count : 0) }
  }
  /// Records.
  public var recordCount: UInt64 { objectCount - filemarkCount }
  /// Bytes of records.
  public var byteCount: UInt64 {
    runs.reduce(0) { $0 + $1.count * UInt64($1.recordLength ?? 0) }
  }
}

/// What was moved between a tape and something else, or read of it.
public struct TapeTransfer: Sendable, Equatable {
  /// Records, their bytes, and filemarks.
  public var recordCount: UInt64 = 0, byteCount: UInt64 = 0, filemarkCount: UInt64 = 0
  /// Why it ended early; nil where it did not.
  public var failure: EngineError?
}

/// How a tape is kept in one file.
public enum TapeImageFormat: Sendable, Equatable {
  /// SIMH: records between their lengths, and filemarks.
  case simh
  /// Only the bytes of the records; imported as records of this length.
  case raw(recordLength: Int)
}
