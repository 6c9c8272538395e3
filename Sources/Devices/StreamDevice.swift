public import Uring

/// A device that is read and written in sequence: a tape.
///
/// Reads and writes are executed in the order of submission, at the position where the one before
/// left the tape. When one ends with a condition other than early warning, those submitted behind it
/// and not yet complete end with an aborted condition and have no effect: the position is the one
/// that the failed operation leaves. The `async` operations are called with nothing in flight.
open class StreamDevice {
  /// What to call it in messages.
  public let name: String
  /// Longest record in bytes.
  public let recordLengthMaximum: Int
  /// Reads or writes that may usefully be in flight together.
  public let depth: Int
  /// Memory for direct I/O starts and ends on multiples of this; 1 where it does not matter.
  public let memoryAlignment: Int

  /// For subclasses.
  public init(name: String, recordLengthMaximum: Int, depth: Int, memoryAlignment: Int) {
    self.name = name
    self.recordLengthMaximum = recordLengthMaximum
    self.depth = depth
    self.memoryAlignment = memoryAlignment
  }

  /// Whether the medium refuses writes.
  open var isWriteProtected: Bool { false }

  /// Writes `recordCount` records of equal length, `payload.byteCount / recordCount` bytes each.
  ///
  /// What lies behind the position is lost. With early warning everything was written; VOLUME
  /// OVERFLOW: `byteCount` says what was, in whole records, INFORMATION how many records were not
  /// (bytes, where `recordCount` is 1: SSC-4 6.1 variable mode).
  open func write(
    _ payload: consuming Payload, recordCount: Int, for client: DeviceClient, tag: UInt64
  ) {
    preconditionFailure("a stream device writes")
  }

  /// Reads `recordCount` records of `payload.byteCount / recordCount` bytes each.
  ///
  /// With `acceptsShorter` one record of any length up to the payload's is read without a condition
  /// (SILI, SSC-4 7.4). Otherwise a record of another length, a filemark or end of data ends the
  /// operation with the condition that SSC-4 asks for.
  open func read(
    into payload: consuming Payload, recordCount: Int, acceptsShorter: Bool,
    for client: DeviceClient, tag: UInt64
  ) {
    preconditionFailure("a stream device reads")
  }

  /// The length of the record that the next read would meet, where the device knows without asking
  /// the medium and a record is next.
  open var nextRecordLength: Int? { nil }

  /// Writes filemarks; 0 of them, or not `immediate`: everything before is durable afterwards, and
  /// deferred errors are reported (SSC-4 5.7).
  open func writeFilemarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    preconditionFailure("a stream device writes filemarks")
  }

  /// SPACE: `count` objects of a kind, backwards where negative (SSC-4 6.9).
  open func space(_ kind: SpaceKind, count: Int) async -> DeviceStatus {
    preconditionFailure("a stream device spaces")
  }

  /// LOCATE: to object number `object`, counting records and filemarks from 0 (SSC-4 6.3).
  open func locate(_ object: UInt64) async -> DeviceStatus {
    preconditionFailure("a stream device locates")
  }

  /// READ POSITION, or the condition that kept the drive from knowing (SSC-4 7.7).
  open func position() async throws(Condition) -> StreamPosition {
    preconditionFailure("a stream device has a position")
  }

  /// Ends the use of the device; nothing is in flight. What was written is durable, and the
  /// position of a cartridge is where it is.
  open func close() async -> DeviceStatus { .good() }
}

/// What SPACE counts (SSC-4 table 54).
public enum SpaceKind: UInt8, Sendable {
  /// Logical blocks.
  case records = 0
  /// Filemarks.
  case filemarks = 1
  /// To end of data; the count does not matter.
  case endOfData = 3
}

/// Where a tape stands.
public struct StreamPosition: Equatable, Sendable {
  /// Objects (records and filemarks) before the position.
  public var object: UInt64
  /// Filemarks before the position, where the drive knows.
  public var filemark: UInt64?
  /// At the beginning of the tape.
  public var isBeginning: Bool
  /// Nothing is recorded behind the position, where the drive knows.
  public var isEndOfData: Bool?
  /// In the early-warning room.
  public var isPastEarlyWarning: Bool

  /// All of it said.
  public init(
    object: UInt64, filemark: UInt64?, isBeginning: Bool, isEndOfData: Bool?,
    isPastEarlyWarning: Bool
  ) {
    self.object = object
    self.filemark = filemark
    self.isBeginning = isBeginning
    self.isEndOfData = isEndOfData
    self.isPastEarlyWarning = isPastEarlyWarning
  }
}

extension Condition: Error {}
