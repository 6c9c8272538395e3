import Glibc
import SCSI

extension LocalTape {
  /// What the st driver says of the tape behind an operation.
  struct DriverStatus: Equatable, Sendable {
    /// What was not spaced over.
    var residual = 0
    var filemark = false
    var endOfData = false
    var beginning = false
    var endOfMedium = false
  }

  /// What is to be done after one write() of a record.
  enum WriteOutcome: Equatable {
    case written
    /// The driver tells of early warning once, having written nothing, and lets the next write
    /// through (Documentation/scsi/st.rst).
    case again
    case failed(Condition)
  }

  /// After a write of `length` bytes that gave `result`; `warned`: the one before gave ENOSPC.
  static func outcome(write length: Int, result: Int32, warned: Bool) -> WriteOutcome {
    if Int(result) == length { return .written }
    if result >= 0 { return .failed(Condition(.mediumError, .writeError)) }
    if result == -ENOSPC, !warned { return .again }
    return .failed(condition(errno: -result, writing: true))
  }

  /// After a read of a record into `length` bytes that gave `result`, how it ends and whether a
  /// record was passed; `residual` is INFORMATION where no record was read.
  static func status(
    read length: Int, result: Int32, driver: DriverStatus, residual: Int, acceptsShorter: Bool
  ) -> DeviceStatus {
    switch result {
    case 0:
      return .check(end(driver, residual: residual))
    case 1...:
      let count = Int(result)
      if count == length || acceptsShorter { return .good(count) }
      var condition = Condition(
        .noSense, .noAdditionalSense, information: Int64(length - count))
      condition.incorrectLength = true
      return .check(condition, byteCount: count)
    case -ENOMEM:
      // The record is longer than the buffer; the driver has passed it and does not say by how much.
      var condition = Condition(.noSense, .noAdditionalSense)
      condition.incorrectLength = true
      condition.errno = ENOMEM
      return .check(condition)
    case -EIO where driver.endOfData:
      return .check(end(driver, residual: residual))
    default:
      var condition = condition(errno: -result, writing: false)
      condition.information = Int64(residual)
      return .check(condition)
    }
  }

  /// Nothing was read: a filemark, unless the driver stands at end of data.
  private static func end(_ driver: DriverStatus, residual: Int) -> Condition {
    if driver.endOfData {
      return Condition(.blankCheck, .endOfDataDetected, information: Int64(residual))
    }
    var condition = Condition(.noSense, .filemarkDetected, information: Int64(residual))
    condition.filemark = true
    return condition
  }

  /// After an MTIOCTOP that moves the tape.
  static func status(moving result: Int32, driver: DriverStatus) -> DeviceStatus {
    if result == 0 { return .good() }
    guard result == -EIO || result == -ENOSPC else {
      return .check(condition(errno: -result, writing: false))
    }
    let residual = Int64(driver.residual)
    var found: Condition
    if driver.endOfData {
      found = Condition(.blankCheck, .endOfDataDetected, information: residual)
    } else if driver.beginning {
      found = Condition(.noSense, .beginningOfPartitionDetected, information: residual)
      found.endOfMedium = true
    } else if driver.filemark {
      found = Condition(.noSense, .filemarkDetected, information: residual)
      found.filemark = true
    } else {
      found = condition(errno: -result, writing: false)
    }
    return .check(found)
  }

  /// An errno that is no position on the tape.
  static func condition(errno: Int32, writing: Bool) -> Condition {
    var condition =
      switch errno {
      case ENOSPC: Condition(.volumeOverflow, .endOfPartitionDetected)
      case ENOMEDIUM: Condition(.notReady, .mediumNotPresent)
      case EBUSY: Condition(.notReady, .logicalUnitNotReady)
      case EINVAL: Condition(.illegalRequest, .invalidFieldInCDB)
      default: Condition.common(errno: errno, writing: writing)
      }
    if errno == EBUSY { condition.status = .busy }
    condition.endOfMedium = errno == ENOSPC
    condition.errno = errno
    return condition
  }
}
