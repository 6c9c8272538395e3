import Devices
import ISCSIProtocol
import SCSI
import Uring

/// What a record that was written or read, or was not, means to its operation.
extension RemoteTape {
  func afterWrite(_ operation: Operation, _ outcome: InitiatorOutcome, _ length: Int) {
    let condition = outcome.condition
    let isWarning = condition?.isEarlyWarning == true && (condition?.information ?? 0) == 0
    guard
      condition == nil || isWarning && condition?.isDeferred == false
        || condition?.isRecovered == true
    else {
      // What a drive did with a record that failed is asked when somebody wants to know.
      if condition?.key != .illegalRequest, condition?.key != .dataProtect,
        condition?.key != .volumeOverflow
      {
        object = nil
      }
      fail(operation, condition ?? .dataUnderrun)
      return goOn()
    }
    // Also at early warning: what was not asked for cannot be on the tape.
    guard outcome.byteCount == length else {
      object = nil
      fail(operation, .dataUnderrun)
      return goOn()
    }
    if isWarning { isPastEarlyWarning = true }
    recordWasWritten(operation)
    goOn()
  }

  /// The first record that is not done is on the tape.
  func recordWasWritten(_ operation: Operation) {
    if isPastEarlyWarning { bytesPastEarlyWarning += operation.recordLength }
    moveDone(operation)
    advance(by: 1)
    knownEnd = object
    probed = nil
    if operation.doneRecordCount == operation.recordCount {
      let byteCount = operation.recordCount * operation.recordLength
      operation.status =
        isPastEarlyWarning
        ? .check(Self.earlyWarning, byteCount: byteCount) : .good(byteCount)
    }
  }

  func afterRead(_ operation: Operation, _ outcome: InitiatorOutcome, _ length: Int) {
    let condition = outcome.condition
    if let condition, condition.incorrectLength, !condition.isDeferred,
      condition.key == .noSense || condition.key == .recoveredError,
      let residual = condition.information
    {
      let (real, overflows) = length.subtractingReportingOverflow(Int(clamping: residual))
      return lengthDiffers(operation, asked: length, real: overflows ? 0 : real)
    }
    guard let condition, !condition.isRecovered else {
      guard outcome.byteCount == length else {
        object = nil
        fail(operation, .dataUnderrun)
        return goOn()
      }
      return recordWasRead(operation, length)
    }
    let residual =
      operation.recordCount == 1
      ? operation.recordLength : operation.recordCount - operation.doneRecordCount
    var end: Condition
    if condition.filemark {
      advance(by: 1)
      end = Condition(.noSense, .filemarkDetected, information: Int64(residual))
      end.filemark = true
      end.endOfMedium = condition.endOfMedium
    } else if condition.isEndOfData {
      if let object { knownEnd = object }
      end = Condition(.blankCheck, .endOfDataDetected, information: Int64(residual))
    } else {
      if condition.key != .illegalRequest { object = nil }
      end = condition
    }
    operation.status = .check(
      end, byteCount: operation.doneRecordCount * operation.recordLength)
    goOn()
  }

  private func recordWasRead(_ operation: Operation, _ length: Int) {
    let mismatch = operation.mismatch
    operation.mismatch = nil
    lastLength = length
    advance(by: 1)
    guard length < operation.recordLength else {
      moveDone(operation)
      if operation.doneRecordCount == operation.recordCount {
        operation.status = .good(operation.recordCount * operation.recordLength)
      }
      return goOn()
    }
    if operation.acceptsShorter {
      operation.status = .good(length)
    } else {
      operation.status = short(operation, mismatch, length)
    }
    goOn()
  }

  /// A record that is not as long as the others ends a read that does not accept it.
  private func short(
    _ operation: Operation, _ mismatch: Condition?, _ length: Int
  ) -> DeviceStatus {
    let isOne = operation.recordCount == 1
    var condition = mismatch ?? Condition(.noSense, .noAdditionalSense)
    condition.incorrectLength = true
    condition.information = Int64(
      isOne
        ? operation.recordLength - length : operation.recordCount - operation.doneRecordCount)
    return .check(
      condition,
      byteCount: isOne ? length : operation.doneRecordCount * operation.recordLength)
  }

  /// The record has another length than was asked for, and was passed.
  private func lengthDiffers(_ operation: Operation, asked: Int, real: Int) {
    advance(by: 1)
    guard real > 0, real <= Self.recordLengthMaximum, operation.mismatch == nil else {
      // Records of no length, or of a length that changes, would be read for ever.
      object = nil
      fail(operation, Condition(.mediumError, .unrecoveredReadError))
      return goOn()
    }
    if let object { probed = (object - 1, real) }
    guard real <= operation.recordLength else {
      operation.status = short(operation, nil, real)
      let received = min(asked, operation.recordLength)
      operation.status?.byteCount =
        operation.recordCount == 1
        ? received : operation.doneRecordCount * operation.recordLength
      return goOn()
    }
    var condition = Condition(.noSense, .noAdditionalSense)
    condition.incorrectLength = true
    operation.mismatch = condition
    probed = ((object ?? 1) - 1, real)
    unit.ring.start { [self] in
      let status = await space(.records, count: -1)
      if let condition = status.condition { fail(operation, condition) }
      goOn()
    }
  }

  func advance(by count: UInt64) {
    if let object { self.object = object + count }
  }

  /// Moves a record that is done behind those before it.
  private func moveDone(_ operation: Operation) {
    guard var rest = operation.rest.take() else {
      preconditionFailure("the record that is done is the first of the rest")
    }
    let record = rest.removeFirst(operation.recordLength)
    if !rest.isEmpty { operation.rest = consume rest }
    if var done = operation.done.take() {
      done.append(record)
      operation.done = consume done
    } else {
      operation.done = consume record
    }
    operation.doneRecordCount += 1
    operation.attempts = 0
  }

  static func joined(_ first: consuming Payload, _ second: consuming Payload?) -> Payload {
    var whole = first
    if let second { whole.append(second) }
    return whole
  }

  /// Ends the operation at the record that failed.
  func fail(_ operation: Operation, _ given: Condition) {
    var condition = given
    if condition.key != .mediumError || condition.information == nil {
      condition.information = Int64(
        operation.recordCount == 1
          ? operation.recordLength : operation.recordCount - operation.doneRecordCount)
    }
    operation.status = .check(
      condition, byteCount: operation.doneRecordCount * operation.recordLength)
  }
}
