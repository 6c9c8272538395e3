public import Devices

/// One step of a copy: read something, process some of it, write what makes whole units.
///
/// Two residuals pass from stage to stage: bytes read but not yet processed, and bytes processed but
/// not yet written. A stage says exactly how much it reads, processes and writes; the arithmetic is
/// done before any byte moves, so that reads may run ahead of writes.
public struct Stage {
  /// Where bytes come from.
  public enum Source {
    /// Nothing is read.
    case none
    /// `byteCount` bytes from byte `offset`.
    case blocks(BlockDevice, offset: UInt64, byteCount: UInt64)
    /// Bytes known to be zero, such as a hole.
    case zeros(byteCount: UInt64)
    /// Bytes given, which go straight to the destination data: old source residual stays.
    case bytes(ArraySlice<UInt8>)
    /// `count` reads of `recordsPerRead` records of `recordLength` bytes.
    case records(StreamDevice, recordLength: Int, recordsPerRead: Int, count: UInt64)
    /// Records of any length up to `mostLength`, until a filemark or end of data; the pipeline's
    /// `takeSourceEnd` tells which it was.
    case recordsUntilCondition(StreamDevice, mostLength: Int)
  }

  /// Where bytes go.
  public enum Destination {
    /// Processed bytes are dropped.
    case none
    /// Whole units from byte `offset` on.
    case blocks(BlockDevice, offset: UInt64)
    /// Writes of `recordsPerWrite` records of `recordLength` bytes; a unit is one write.
    case records(StreamDevice, recordLength: Int, recordsPerWrite: Int)
    /// Each record that was read, written as a record of its length.
    case sameRecords(StreamDevice)
  }

  /// What this stage belongs to; reported with a failure.
  public var segment: Int
  /// Where bytes come from.
  public var source: Source
  /// Bytes at the start of what is read that do not count as read.
  public var skipped = 0
  /// Bytes at the end of what is read that do not count as read.
  public var ignored = 0
  /// Bytes moved from source data to destination data, source residual first. Counts nothing for
  /// `bytes` and for sources without end, which process all they give.
  public var processed: UInt64 = 0
  /// Whether bytes read and not processed stay for the next stage.
  public var keepsSourceResidual = true
  /// Where bytes go.
  public var destination: Destination
  /// Bytes of one write, or of one block.
  public var unit = 1
  /// Units this stage writes; of a source without end, as many as there are.
  public var units: UInt64 = 0
  /// Bytes put in front of the destination data.
  public var prefix: [UInt8] = []
  /// Bytes put behind it, and then zeros.
  public var suffix: [UInt8] = []
  /// Zeros put behind the destination data.
  public var padding = 0
  /// Whether bytes processed and not written stay for the next stage.
  public var keepsDestinationResidual = true
  /// Whether a copy of what is processed is held for the application client.
  public var holds = false
  /// Whether everything is read before anything is written: source and destination overlap.
  public var readsFirst = false
  /// Bytes that stages before this one have written for the same segment.
  public var writtenBefore: UInt64 = 0
  /// Whether the units need not be written, because the destination reads as zeros there.
  public var leavesHole = false

  /// From a source to a destination; everything else has the value that does nothing.
  public init(segment: Int, source: Source, destination: Destination) {
    self.segment = segment
    self.source = source
    self.destination = destination
  }
}

/// Why a pipeline ended before its stages did.
public struct StageFailure: Equatable, Sendable {
  /// Which end of a copy.
  public enum Origin: Sendable { case source, destination }
  /// Of the stage that failed.
  public var segment: Int
  /// Which of its devices.
  public var origin: Origin
  /// What the device said.
  public var condition: Condition
  /// Bytes written for this segment from its start without a gap.
  public var writtenBytes: UInt64
}

/// Why a pipeline stopped.
public enum PipelineStop: Equatable, Sendable {
  /// A device failed.
  case failure(StageFailure)
  /// The destination tape is in its early-warning room, and the caller wants to know.
  case earlyWarning
  /// The caller cancelled.
  case cancelled
  /// The arena has no room for one unit: it is smaller than two of the records asked for.
  case arenaTooSmall(unit: Int)
}
