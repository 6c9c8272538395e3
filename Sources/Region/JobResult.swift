/// How far a transfer has come.
public struct TransferProgress: Equatable, Sendable {
  /// The segment being processed.
  public var segment: UInt32
  /// Bytes written so far.
  public var bytes: UInt64
  /// The record border up to which everything is durable at the destination, where one is known.
  public var border: UInt64?

  /// All of it said.
  public init(segment: UInt32 = 0, bytes: UInt64 = 0, border: UInt64? = nil) {
    self.segment = segment
    self.bytes = bytes
    self.border = border
  }
}

/// What the copy job reports at its end (1044).
public struct CopyReport: Equatable, Sendable {
  /// Whether it ran to its end, or stopped because it was told to.
  public var isAborted = false
  /// The SCSI status.
  public var status: UInt8
  /// At most 252 bytes.
  public var sense: [UInt8] = []
  /// How far it came.
  public var progress = TransferProgress()
  /// Blocks or records written.
  public var blocks: UInt64 = 0
  /// Where the tape stands, where there is one.
  public var tapePosition: UInt64?
  /// At most 32 bytes: of the data, in flight.
  public var digest: [UInt8] = []

  /// Held data and the like.
  public var data: [UInt8] = []

  /// The most bytes of `data`: they are copied under the mutex, so that a processor that was given up
  /// and wakes again cannot write into chunks that are somebody else's by then.
  public static let dataBytesMaximum = 256 << 10

  /// A report with this status and nothing else in it.
  public init(status: UInt8) { self.status = status }
}

/// What the target job finds in the mailbox (942).
public struct JobResult: Equatable, Sendable {
  /// How it ended.
  public var outcome: JobOutcome
  /// Why it was told to end, if it was.
  public var abortReason: AbortReason
  /// What the copy job reported; status and sense count only where the outcome is `completed`.
  public var report: CopyReport
  /// Why processors and ports did not do it.
  public var notes: [SearchNote]
  /// Notes there was no room for.
  public var lostNoteCount: Int
  /// How often the result was taken before; then the server may have its answer already.
  public var takenBefore: Int

  /// The server is told GOOD for this and nothing else.
  public var isGood: Bool { outcome == .completed && report.status == 0 }
}

/// The chunks that hold a list or data, in order.
public struct ChunkList: Equatable, Sendable {
  let chunks: [UInt32]
  /// How many bytes are in them.
  public let byteCount: Int

  static let empty = ChunkList(chunks: [], byteCount: 0)
}

/// A job as everybody sees it (1010–1044).
public struct JobState: Equatable, Sendable {
  /// Which one.
  public var job: JobID
  /// Where it stands.
  public var phase: JobPhase
  /// Its place in the queue; 0 until it is posted.
  public var sequence: UInt64
  /// The processor that received its command; nil once that is gone.
  public var receiver: Int?
  /// The processor with exclusive control.
  public var holder: Int?
  /// The bitmap table: processors that may do it.
  public var candidates: UInt64
  /// The bitmap table: processors that could not.
  public var unavailable: UInt64
  /// Candidates that could not start for now.
  public var declined: UInt64
  /// The port that is being searched.
  public var port: UInt32?
  /// How far the transfer has come.
  public var progress: TransferProgress
  /// How it ended.
  public var outcome: JobOutcome
  /// Why it was told to end.
  public var abortReason: AbortReason
  /// Why processors and ports did not do it, so far.
  public var notes: [SearchNote]
}
