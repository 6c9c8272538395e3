import Glibc
import SCSI
import Uring

// Reads and writes are planned when they are submitted: the map already has what is in flight, so
// that each knows its place, its outcome and where it leaves the tape. They run together and are
// delivered in order. When one fails, nothing is delivered behind it before every transfer has
// ended; then the map is cut behind the last good record and the others are aborted.

extension Cartridge {
  /// Receives the transfers of the data file.
  final class Transfers: FileClient {
    private unowned let cartridge: Cartridge
    init(_ cartridge: Cartridge) { self.cartridge = cartridge }

    override func finish(_ transfer: consuming FileTransfer) { cartridge.finish(transfer) }
  }

  // MARK: Writes

  func plan(write operation: inout Operation) {
    let length = operation.payloadByteCount
    precondition(length % operation.askedRecordCount == 0, "records of a write are equal")
    let recordLength = length / operation.askedRecordCount
    precondition(
      recordLength > 0 && recordLength <= recordLengthMaximum, "records keep to the limits")
    operation.position = object
    if isWriteProtected {
      operation.status = .check(Condition(.dataProtect, .writeProtected))
      return
    }
    if let failure {
      operation.status = .check(failure)
      return
    }
    let fitting = room(at: object) / UInt64(recordLength)
    let count = Int(min(UInt64(operation.askedRecordCount), fitting))
    operation.status = .good(count * recordLength)
    if count < operation.askedRecordCount {
      var overflow = Condition(
        .volumeOverflow, .endOfPartitionDetected,
        information: Int64(operation.residual(behind: count)))
      overflow.endOfMedium = true
      operation.status.condition = overflow
    }
    guard count > 0 else { return }
    if object < map.objectCount {
      if object < durableObjectCount { dropDurably(from: object) }
      map.truncate(to: object)
    }
    operation.object = object
    operation.recordCount = count
    operation.recordLength = recordLength
    operation.byteCount = count * recordLength
    operation.dataOffset = map.append(records: UInt64(count), length: recordLength)
    operation.position = object + UInt64(count)
    hasWritten = true
    preallocation.reach(operation.dataOffset + UInt64(operation.byteCount))
    if operation.status.condition == nil, isPastEarlyWarning(at: operation.position) {
      operation.status.condition = Self.earlyWarning
    }
  }

  /// Reported with a write that succeeded (SSC-4 4.2.4).
  static var earlyWarning: Condition {
    var condition = Condition(.noSense, .endOfPartitionDetected)
    condition.endOfMedium = true
    return condition
  }

  // MARK: Reads

  func plan(read operation: inout Operation, acceptsShorter: Bool) {
    let byteCount = operation.payloadByteCount
    let askedCount = operation.askedRecordCount
    precondition(byteCount > 0 && byteCount % askedCount == 0, "records of a read are equal")
    precondition(!acceptsShorter || askedCount == 1, "one record at a time may be shorter")
    let length = byteCount / askedCount
    let run = map.run(of: object)
    operation.object = object
    operation.position = object
    guard let run, !run.isFilemarks else { return planEnd(&operation, records: 0) }
    operation.dataOffset = run.offset(of: object)
    operation.recordLength = run.recordLength
    if run.recordLength != length {
      operation.position = object + 1
      operation.recordCount = askedCount == 1 ? 1 : 0
      operation.byteCount = askedCount == 1 ? min(length, run.recordLength) : 0
      operation.status = .good(operation.byteCount)
      if !acceptsShorter || run.recordLength > length {
        let residual = askedCount == 1 ? length - run.recordLength : askedCount
        var incorrect = Condition(
          .noSense, .noAdditionalSense, information: Int64(residual))
        incorrect.incorrectLength = true
        operation.status.condition = incorrect
      }
      return
    }
    let count = Int(min(UInt64(askedCount), run.endObject - object))
    operation.recordCount = count
    operation.byteCount = count * length
    operation.position = object + UInt64(count)
    operation.status = .good(operation.byteCount)
    if count < askedCount { planEnd(&operation, records: count) }
  }

  /// The condition a read ends with behind `records` good ones, at what is not such a record.
  private func planEnd(_ operation: inout Operation, records: Int) {
    let residual = Int64(operation.residual(behind: records))
    var condition: Condition
    switch map.run(of: operation.position) {
    case .some(let run):
      condition = Condition(
        .noSense, run.isFilemarks ? .filemarkDetected : .noAdditionalSense,
        information: residual)
      condition.filemark = run.isFilemarks
      condition.incorrectLength = !run.isFilemarks
      operation.position += 1
    case .none:
      condition = Condition(.blankCheck, .endOfDataDetected, information: residual)
    }
    operation.status.condition = condition
  }

  // MARK: Submission

  func submit(_ operation: consuming Operation) {
    var operation = operation
    object = operation.position
    if !operation.status.isSuccess { queue.isFailing = true }
    if operation.byteCount > 0 { operation.state = queue.isTruncating ? .waiting : .running }
    let starts = operation.state == .running
    let ended = operation.state == .ended
    let place = queue.append(operation)
    if starts { start(place) }
    if ended { steps.deliverSoon() }
  }

  /// Ends an operation without effect, because one before it fails.
  func abort(_ operation: consuming Operation) {
    var operation = operation
    operation.status = Self.aborted
    _ = queue.append(operation)
    steps.deliverSoon()
  }

  static var aborted: DeviceStatus {
    var condition = Condition(.abortedCommand, .noAdditionalSense)
    condition.isAborted = true
    return .check(condition)
  }

  func start(_ place: Int) {
    var transferred: Payload?
    var offset: UInt64 = 0
    var isWrite = false
    queue.change(place) { operation in
      operation.state = .running
      offset = operation.dataOffset
      isWrite = operation.isWrite
      guard var payload = operation.payload.take() else {
        preconditionFailure("an operation has its payload until it starts")
      }
      if payload.byteCount > operation.byteCount {
        transferred = payload.removeFirst(operation.byteCount)
        operation.payload = consume payload
      } else {
        transferred = consume payload
      }
    }
    queue.running += 1
    guard let payload = transferred.take() else { return }
    if isWrite {
      data.write(at: offset, from: payload, for: transfers, tag: UInt64(place))
    } else {
      data.read(at: offset, into: payload, for: transfers, tag: UInt64(place))
    }
  }

  // MARK: Completion

  func finish(_ transfer: consuming FileTransfer) {
    let place = Int(transfer.tag)
    let byteCount = transfer.byteCount
    let errno = transfer.errno
    var payload: Payload? = transfer.takePayload()
    var failed = false
    queue.running -= 1
    queue.change(place) { operation in
      operation.state = .ended
      if var whole = payload.take() {
        if let rest = operation.payload.take() { whole.append(rest) }
        operation.payload = consume whole
      }
      if byteCount < operation.byteCount || errno != 0 {
        operation.fail(byteCount: byteCount, errno: errno)
        failed = true
      }
    }
    if failed { queue.isFailing = true }
    deliver()
  }

  /// Gives back what has ended, in order.
  func deliver() {
    while var operation = queue.takeFirst() {
      if !operation.status.isSuccess {
        object = operation.position
        if operation.isWrite, operation.recordLength > 0 {
          map.truncate(to: operation.position)
        }
        queue.isFailing = false
        for position in 0..<queue.count {
          queue.change(queue.place(position)) { later in
            if later.isWrite, later.recordLength > 0 { map.truncate(to: later.object) }
            later.state = .ended
            later.status = Self.aborted
            later.recordLength = 0
            later.position = operation.position
          }
        }
      }
      guard let payload = operation.payload.take() else {
        preconditionFailure("an operation that has ended has its payload")
      }
      operation.client.complete(
        DeviceCompletion(tag: operation.tag, status: operation.status, payload: payload))
    }
  }
}

extension Cartridge.Operation {
  /// The transfer ended early: whole records count, and a read is left behind the bad one.
  mutating func fail(byteCount: Int, errno: Int32) {
    let good = byteCount / recordLength
    let residual = residual(behind: good)
    let errno = errno == 0 ? EIO : errno
    status = .check(
      .cartridge(errno: errno, writing: isWrite, residual: residual),
      byteCount: good * recordLength)
    position = object + UInt64(good) + (isWrite ? 0 : 1)
  }
}
