// A tape drive of another machine, over iSCSI.
//
// One record is one command, and one command is in flight: what a drive does with commands behind one
// that failed differs from drive to drive. Records are read with their exact length. Where it is not
// known, the length of the record before is tried; if the drive says that this one differs, it is
// spaced back over and read again.
//
// The number of the object at the head is counted here, because not every drive tells it. After a loss
// of the connection the drive is asked, and what it says decides: either nothing of the command was
// done, and it is given again, or all of it was, and it is not. A drive that does not say ends the
// operation: a tape is never written blindly.

public import Devices
import ISCSIProtocol
import SAM
import SCSI
public import Uring

/// A tape drive of another disk system, over iSCSI, in variable-block mode.
public final class RemoteTape: StreamDevice {
  /// A read or write, used over and over.
  final class Operation {
    var client: DeviceClient?
    var tag: UInt64 = 0
    var isReading = false
    var acceptsShorter = false
    var recordCount = 0
    var recordLength = 0
    /// Records that are done, and behind them those that are not.
    var done: Payload?
    var rest: Payload?
    /// What of the record's room is not asked for.
    var tail: Payload?
    var doneRecordCount = 0
    var attempts = 0
    /// What the drive said of a record of another length, which is read again.
    var mismatch: Condition?
    var status: DeviceStatus?
  }

  /// Where a drive stops to take records that lie behind its early warning: some never stop.
  public static let roomPastEarlyWarning = 8 << 20
  /// Length that is tried for the first record, of which nothing is known.
  static let firstGuess = 256 << 10
  /// Longest record of READ(6) and WRITE(6).
  static let recordLengthMaximum = 0xFF_FFFF

  let unit: RemoteUnit
  private let isProtected: Bool
  /// Whether READ POSITION tells the number of an object.
  let tellsPosition: Bool
  /// Objects before the head; nil where nobody knows.
  var object: UInt64?
  /// The number of the object behind the last one, where it was seen.
  var knownEnd: UInt64?
  /// Whether LOCATE is there; nil until it was tried.
  var hasLocate: Bool?
  var isPastEarlyWarning = false
  var bytesPastEarlyWarning = 0
  var hasUnflushedWrites = false
  /// Of the login in which the position was known.
  var loginCount: Int
  /// The record of which a read has told the length, and that length.
  var probed: (object: UInt64, length: Int)?
  var lastLength: Int?

  /// The tape is not where it was left: nothing is read or written until it is rewound.
  var isPositionLost = false

  private var queue = InitiatorQueue<Operation>()
  private var spare: [Operation] = []
  private var isRunning = false
  private lazy var calls = Calls(self)
  private lazy var turn = Turn(self)

  init(_ unit: RemoteUnit, _ found: Setup, readOnly: Bool) {
    self.unit = unit
    isProtected = readOnly || found.isProtected
    tellsPosition = found.object != nil
    object = found.object
    loginCount = unit.session.loginCount
    super.init(
      name: unit.name, recordLengthMaximum: found.recordLengthMaximum, depth: 1,
      memoryAlignment: 1)
  }

  /// Opened to read, or the tape is protected.
  public override var isWriteProtected: Bool { isProtected }

  /// Known after a read that met a longer record.
  public override var nextRecordLength: Int? {
    guard let probed, probed.object == object else { return nil }
    return probed.length
  }

  /// As counted.
  public override var nextObject: UInt64? { queue.isEmpty ? object : nil }

  private final class Calls: InitiatorClient {
    private unowned let tape: RemoteTape
    init(_ tape: RemoteTape) { self.tape = tape }
    override func complete(_ completion: consuming InitiatorCompletion) { tape.came(completion) }
  }

  private final class Turn: CompletionHandler {
    private unowned let tape: RemoteTape
    init(_ tape: RemoteTape) { self.tape = tape }
    override func complete(_ completion: consuming Completion) { tape.goOn() }
  }

  // MARK: Reads and writes

  /// WRITE(6), one record at a time.
  public override func write(
    _ payload: consuming Payload, recordCount: Int, for client: DeviceClient, tag: UInt64
  ) {
    let operation = begin(payload, recordCount, client, tag)
    operation.isReading = false
    if isProtected { operation.status = .check(Condition(.dataProtect, .writeProtected)) }
    append(operation)
  }

  /// READ(6), one record at a time.
  public override func read(
    into payload: consuming Payload, recordCount: Int, acceptsShorter: Bool,
    for client: DeviceClient, tag: UInt64
  ) {
    let operation = begin(payload, recordCount, client, tag)
    operation.isReading = true
    operation.acceptsShorter = acceptsShorter
    append(operation)
  }

  private func begin(
    _ payload: consuming Payload, _ recordCount: Int, _ client: DeviceClient, _ tag: UInt64
  ) -> Operation {
    let operation = spare.popLast() ?? Operation()
    operation.client = client
    operation.tag = tag
    operation.acceptsShorter = false
    operation.recordCount = recordCount
    operation.recordLength = payload.byteCount / recordCount
    operation.rest = consume payload
    operation.doneRecordCount = 0
    operation.attempts = 0
    operation.mismatch = nil
    operation.status = nil
    return operation
  }

  private func append(_ operation: Operation) {
    queue.append(operation)
    if isRunning { return }
    // Nothing completes inside the call that submits it.
    isRunning = true
    unit.ring.timeout(nanoseconds: 0, for: turn, tag: 0)
  }

  /// Starts the next record, or ends operations until there is one.
  func goOn() {
    isRunning = false
    while let operation = queue.first, !isRunning {
      if operation.status == nil, operation.doneRecordCount < operation.recordCount {
        isRunning = true
        start(operation)
      } else {
        _ = queue.removeFirst()
        end(operation)
      }
    }
  }

  /// One record.
  private func start(_ operation: Operation) {
    if mayHaveMoved { return recover(operation, wasInFlight: false) }
    if isPositionLost {
      fail(operation, Self.lostPosition)
      return goOn()
    }
    guard var rest = operation.rest.take() else {
      preconditionFailure("records that are not done have their bytes")
    }
    var record = rest.removeFirst(operation.recordLength)
    if !rest.isEmpty { operation.rest = consume rest }
    var length = operation.recordLength
    if operation.isReading {
      length = askedLength(operation)
      let asked = record.removeFirst(length)
      if !record.isEmpty { operation.tail = consume record }
      return execute(.readRecord(length: length), .read, asked)
    }
    if isPastEarlyWarning, bytesPastEarlyWarning + length > Self.roomPastEarlyWarning {
      operation.rest = Self.joined(record, operation.rest.take())
      fail(operation, Condition(.volumeOverflow, .endOfPartitionDetected))
      return goOn()
    }
    hasUnflushedWrites = true
    execute(.writeRecord(length: length), .write, record)
  }

  private func execute(
    _ cdb: CommandDescriptorBlock, _ direction: InitiatorCommand.Direction,
    _ payload: consuming Payload
  ) {
    unit.session.execute(
      InitiatorCommand(
        cdb, logicalUnit: unit.logicalUnit, direction: direction,
        timeoutSeconds: Self.recordTimeoutSeconds),
      payload, for: calls, tag: 0)
  }

  /// A drive that repositions, or cleans itself, takes minutes for a record.
  private static let recordTimeoutSeconds: UInt64 = 900

  private func askedLength(_ operation: Operation) -> Int {
    if operation.mismatch != nil, let probed { return probed.length }
    guard operation.acceptsShorter else { return operation.recordLength }
    return min(
      operation.recordLength, nextRecordLength ?? lastLength ?? Self.firstGuess)
  }

  private func came(_ completion: consuming InitiatorCompletion) {
    guard let operation = queue.first else {
      preconditionFailure("the first operation is the one in flight")
    }
    let outcome = completion.outcome
    let record = completion.takePayload()
    let length = record.byteCount
    // The record is whole again; where it is not done it will be cut anew.
    operation.rest = Self.joined(
      Self.joined(record, operation.tail.take()), operation.rest.take())
    if case .some = outcome.failure {
      guard unit.session.isLost || unit.session.loginCount != loginCount else {
        if let failure = outcome.failure { tell(failure) }
        object = nil
        fail(operation, outcome.condition ?? .dataUnderrun)
        return goOn()
      }
      return recover(operation, wasInFlight: true)
    }
    if let condition = outcome.condition, condition.again != .never, operation.attempts < 8 {
      operation.attempts += 1
      return giveAgain(operation, condition)
    }
    if operation.isReading {
      afterRead(operation, outcome, length)
    } else {
      afterWrite(operation, outcome, length)
    }
  }

  // MARK: The end of an operation

  private func end(_ operation: Operation) {
    guard let status = operation.status, let client = operation.client else {
      preconditionFailure("an operation that ends has a status")
    }
    var whole = operation.done.take()
    if let rest = operation.rest.take() {
      if var done = whole.take() {
        done.append(rest)
        whole = consume done
      } else {
        whole = consume rest
      }
    }
    guard let payload = whole.take() else {
      preconditionFailure("an operation keeps its payload")
    }
    if !status.isSuccess {
      var later = InitiatorQueue<Operation>()
      while !queue.isEmpty {
        let operation = queue.removeFirst()
        operation.status = .check(Self.aborted)
        later.append(operation)
      }
      queue = later
    }
    operation.client = nil
    let tag = operation.tag
    spare.append(operation)
    client.complete(DeviceCompletion(tag: tag, status: status, payload: payload))
  }

  // MARK: Everything else

  /// WRITE FILEMARKS(6); 0 of them flush the drive's buffer.
  public override func writeFilemarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    await writeMarks(count, immediate: immediate)
  }

  /// SPACE(6). Across filemarks the count of objects is lost, where the drive does not tell it.
  public override func space(_ kind: SpaceKind, count: Int) async -> DeviceStatus {
    await moveAcross(kind, count)
  }

  /// LOCATE(10), or REWIND and SPACE(6) where there is none.
  public override func locate(_ object: UInt64) async -> DeviceStatus { await goTo(object) }

  /// READ POSITION, or the count of a drive that does not tell.
  public override func position() async throws(Condition) -> StreamPosition {
    var found = object
    if mayHaveMoved {
      // A new login may find the tape elsewhere: what is written next must not follow it there.
      guard case .moved(by: 0) = await standing() else {
        losePosition()
        throw Self.lostPosition
      }
    }
    if tellsPosition {
      found = await Self.askedObject(unit)
      object = found
    }
    guard let found else {
      throw Self.lostPosition
    }
    return StreamPosition(
      object: found, filemark: nil, isBeginning: found == 0, isEndOfData: nil,
      isPastEarlyWarning: isPastEarlyWarning)
  }

  /// Flushes the drive's buffer and logs out.
  public override func close() async -> DeviceStatus {
    let status = await writeMarks(0, immediate: false)
    await unit.session.close()
    return status
  }

  /// What those behind a failed operation end with.
  static var aborted: Condition {
    var condition = Condition(.abortedCommand, .noAdditionalSense)
    condition.isAborted = true
    return condition
  }

  static var earlyWarning: Condition {
    var condition = Condition(.noSense, .endOfPartitionDetected)
    condition.endOfMedium = true
    return condition
  }

  /// SEQUENTIAL POSITIONING ERROR.
  static var lostPosition: Condition {
    Condition(.mediumError, AdditionalSense(code: 0x3B, qualifier: 0x00))
  }

  /// Says aloud what a condition has no words for.
  func tell(_ error: InitiatorError) { unit.session.options.log?("\(error)") }
}
