import Glibc
import SCSI
public import Uring

/// A virtual tape: a directory with `data`, the records, and `index`, what they are.
///
/// - Writes extend the last run of equal records in `data`, direct where record length and memory
///   allow it, several at a time; they complete in order. Nothing is durable before
///   `writeFilemarks` (0 of them, or not immediate), a change of position, or `close`.
/// - Then data is made durable first, its index entries behind it (`TapeIndex`). Before the first
///   byte of a record that was durable is overwritten, an entry that drops it is.
/// - Opening reads the index up to its last valid entry. There is nothing to repair: what stands
///   behind was never reported durable. Where an entry proves that it was, the index is damaged and
///   the cartridge is refused.
///
/// The capacity counts bytes of records; filemarks are free.
@safe
public final class Cartridge: StreamDevice {
  /// What was decided when the cartridge was made.
  public struct Format: Sendable, Equatable {
    /// Most bytes of records.
    public var capacity: UInt64
    /// A write that leaves less room than this reports early warning.
    public var earlyWarning: UInt64
    /// Whether writes are refused.
    public var isWriteProtected: Bool

    /// As large as the file system by default.
    public init(
      capacity: UInt64 = .max, earlyWarning: UInt64 = 0, isWriteProtected: Bool = false
    ) {
      self.capacity = capacity
      self.earlyWarning = earlyWarning
      self.isWriteProtected = isWriteProtected
    }
  }

  /// How a cartridge is opened.
  public struct Options: Sendable, Equatable {
    /// Where the tape stands at first.
    public enum Position: Sendable, Equatable {
      case beginning
      case object(UInt64)
      case endOfData
    }

    /// Whether writes are refused and the files are not touched.
    public var readOnly = false
    /// Where the tape stands at first.
    public var position = Position.beginning
    /// Whether direct I/O is used where it is possible.
    public var direct = true

    /// At the beginning, to read and write.
    public init() {}
  }

  /// Writes that may usefully be in flight together.
  static let depth = 8

  let ring: Ring
  let directory: String
  let data: OpenFile
  let preallocation: Preallocation
  let readOnly: Bool
  /// The durable log.
  var index: TapeIndex
  var indexFile: RingFile
  /// Memory for the entry that drops what is overwritten; nil while that is being written.
  var entryPayload: Payload?
  /// What is on the tape, writes in flight included.
  var map: TapeMap
  /// Where the operation submitted next begins.
  var object: UInt64
  /// Objects that the durable log tells of.
  var durableObjectCount: UInt64
  /// Whether the log holds nothing but what is gone, so that a new one is due.
  var wantsNewIndex = false
  /// Data was written and not yet made durable.
  var hasWritten = false
  /// Why nothing can be made durable any more.
  var failure: Condition?
  var queue = OperationQueue()
  lazy var transfers = Transfers(self)
  lazy var steps = Steps(self)

  init(_ parts: Parts, entryPayload: consuming Payload?, ring: Ring) {
    self.ring = ring
    directory = parts.directory
    data = OpenFile(parts.data, path: parts.directory + "/data", ring: ring)
    preallocation = Preallocation(data, end: parts.data.status.byteCount)
    readOnly = parts.readOnly
    index = parts.index
    indexFile = ring.know(parts.indexDescriptor)
    self.entryPayload = entryPayload
    map = parts.index.map
    durableObjectCount = parts.index.map.objectCount
    object = 0
    index.map = TapeMap()
    super.init(
      name: "tape:" + parts.directory, recordLengthMaximum: TapeMap.recordLengthMaximum,
      depth: Self.depth, memoryAlignment: data.memoryAlignment)
  }

  /// Capacity and protection.
  public var format: Format { index.format }
  /// Whether the data file takes direct I/O.
  public var isDirectAvailable: Bool { data.isDirectAvailable }
  /// Transfers that went direct, and others.
  public var counters: FileCounters { data.counters }
  /// Objects on the tape.
  public var objectCount: UInt64 { map.objectCount }

  /// By its format, or because it was opened so.
  public override var isWriteProtected: Bool { readOnly || format.isWriteProtected }

  /// Behind what is in flight.
  public override var nextObject: UInt64? { object }

  /// Of the record at the position.
  public override var nextRecordLength: Int? {
    guard let run = map.run(of: object), !run.isFilemarks else { return nil }
    return run.recordLength
  }

  /// Bytes of records that fit behind the position.
  func room(at object: UInt64) -> UInt64 {
    let used = map.bytes(before: object)
    return used > format.capacity ? 0 : format.capacity - used
  }

  /// Whether the position is in the early-warning room.
  func isPastEarlyWarning(at object: UInt64) -> Bool {
    room(at: object) < format.earlyWarning
  }

  /// Writes behind the last submitted operation. Several writes may be in flight.
  public override func write(
    _ payload: consuming Payload, recordCount: Int, for client: DeviceClient, tag: UInt64
  ) {
    var operation = Operation(
      client, tag: tag, payload, recordCount: recordCount, isWrite: true)
    if queue.isFailing { return abort(operation) }
    plan(write: &operation)
    submit(operation)
  }

  /// Reads behind the last submitted operation. Several reads may be in flight.
  public override func read(
    into payload: consuming Payload, recordCount: Int, acceptsShorter: Bool,
    for client: DeviceClient, tag: UInt64
  ) {
    var operation = Operation(
      client, tag: tag, payload, recordCount: recordCount, isWrite: false)
    if queue.isFailing { return abort(operation) }
    plan(read: &operation, acceptsShorter: acceptsShorter)
    submit(operation)
  }

  /// WRITE FILEMARKS (SSC-4 5.7); behind early warning they are written and it is reported.
  public override func writeFilemarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    await mark(count, immediate: immediate)
  }

  /// LOCATE (SSC-4 6.3); what was written is durable first.
  public override func locate(_ object: UInt64) async -> DeviceStatus { await go(to: object) }

  /// SPACE (SSC-4 6.9); what was written is durable first.
  public override func space(_ kind: SpaceKind, count: Int) async -> DeviceStatus {
    await skip(kind, count: count)
  }

  /// READ POSITION (SSC-4 7.7); a cartridge always knows.
  public override func position() async throws(Condition) -> StreamPosition { streamPosition }

  /// Ends with everything durable, and gives back blocks that were allocated ahead.
  public override func close() async -> DeviceStatus {
    precondition(queue.isEmpty, "a cartridge is closed with nothing in flight")
    let condition = isWriteProtected ? nil : await synchronize()
    await steps.settle()
    await preallocation.settle()
    if condition == nil, !isWriteProtected {
      _ = await preallocation.cut(to: map.dataEnd)
      await markClosed()
    }
    await data.close()
    let descriptor = indexFile.descriptor
    ring.forget(indexFile)
    await ring.blocking { $0.close(descriptor) }
    return DeviceStatus(byteCount: 0, condition: condition)
  }
}
