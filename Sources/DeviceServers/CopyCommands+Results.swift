import CopyManager
import ExtendedCopy
public import SAM
import SCSI
import Transfer

extension CopyCommands {
  /// Answers a RECEIVE COPY RESULTS that `unit` got: the parameter data, already cut to the
  /// ALLOCATION LENGTH.
  ///
  /// - Throws: what the initiator is told instead.
  public func receive(
    _ command: Command, at unit: any CopyUnit
  ) throws(CopyRefusal) -> [UInt8] {
    guard let receive = ReceiveCopyResultsCommand(command.cdb.array) else { throw .inCommand(0) }
    let key = CopyKey(
      nexus: command.nexus, unit: unit, listIdentifier: receive.listIdentifier)
    let answer: [UInt8]
    switch receive.serviceAction {
    case .copyStatus: answer = try status(key).encode()
    case .receiveData: answer = HeldData(data: try heldData(key)).encode()
    case .operatingParameters:
      answer = CopyLimits.operatingParameters(of: offer(to: command.nexus)).encode()
    case .failedSegmentDetails: answer = try failedSegmentDetails(key)
    case .copyStatusLID4: answer = try longStatus(key).encode()
    case .receiveDataLID4:
      answer = HeldDataLID4(status: try longStatus(key), data: try heldData(key)).encode()
    default: throw .serviceAction
    }
    let length = Int(receive.allocationLength)
    switch receive.serviceAction {
    case .receiveData, .receiveDataLID4:
      // Held data goes once all of it was fetched, or where the initiator wants none of it.
      if length == 0 || length >= answer.count { records.dropHeldData(of: key) }
    default: break
    }
    return Array(answer.prefix(length))
  }

  /// SPC-4 6.17.
  private func status(_ key: CopyKey) throws(CopyRefusal) -> CopyStatus {
    if let operation = operation(key) {
      return CopyStatus(
        state: .inProgress, segmentsProcessed: UInt16(clamping: operation.manager.segmentsBegun),
        transferCount: TransferCount(bytes: operation.manager.counters.bytesWritten))
    }
    let record = try record(key)
    return CopyStatus(
      heldDataDiscarded: record.heldDataDiscarded,
      state: record.status == .good ? .completed : .completedWithErrors,
      segmentsProcessed: record.segmentsProcessed,
      transferCount: TransferCount(bytes: record.bytesWritten))
  }

  /// SPC-4 6.24.
  private func longStatus(_ key: CopyKey) throws(CopyRefusal) -> CopyStatusLID4 {
    if let operation = operation(key) {
      return CopyStatusLID4(
        respondedServiceAction: operation.serviceAction,
        state: operation.command == nil ? .inProgressBackground : .inProgressForeground,
        transferCount: TransferCount(
          units: 0, count: operation.manager.counters.bytesWritten),
        segmentsProcessed: UInt16(clamping: operation.manager.segmentsBegun))
    }
    let record = try record(key)
    let state: CopyStatusLID4.State =
      switch record.status {
      case .good: .completed
      case .taskAborted: .aborted
      default: .completedWithErrors
      }
    return CopyStatusLID4(
      respondedServiceAction: record.serviceAction, state: state,
      completionStatus: record.status,
      transferCount: TransferCount(units: 0, count: record.bytesWritten),
      segmentsProcessed: record.segmentsProcessed, sense: record.sense)
  }

  /// SPC-4 6.19: only of a copy that has ended.
  private func heldData(_ key: CopyKey) throws(CopyRefusal) -> [UInt8] {
    guard operation(key) == nil, let data = try record(key).heldData else { throw .inCommand(2) }
    return data
  }

  /// SPC-4 6.20.
  private func failedSegmentDetails(_ key: CopyKey) throws(CopyRefusal) -> [UInt8] {
    guard operation(key) == nil else { throw .inCommand(2) }
    let record = try record(key)
    if record.status == .good { return FailedSegmentDetails.none }
    return FailedSegmentDetails(status: record.status, sense: record.sense).encode()
  }

  /// An identifier that is not known, or belongs to somebody else.
  private func record(_ key: CopyKey) throws(CopyRefusal) -> CopyRecord {
    guard let record = records[key] else { throw .inCommand(2) }
    return record
  }
}
