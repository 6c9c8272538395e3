import ISCSIProtocol
import SAM
import SCSI
import Uring

/// Data of commands: what comes unasked, and what is solicited. RFC 7143 4.2.5.3, 11.7.
///
/// PDUs and sequences come in order, as negotiated. What breaks the order is forgotten; once every open
/// sequence has ended, the command ends with CHECK CONDITION (RFC 7143 7.8, 7.9).
extension TargetSession {
  /// Data-Out with data.
  func placeDataOut(_ header: BasicHeaderSegment) -> Placement {
    let length = header.dataSegmentLength
    guard let (task, request) = owner(of: header) else { return .discard }
    guard fits(task, request, length) else {
      if request.isFinal { endSequence(of: task, request) }
      return .discard
    }
    precondition(task.state == .collecting, "data do not come before there is room for them")
    return .into(part(of: task, length))
  }

  /// Data-Out without data: it can only end a sequence.
  func takeDataOut(_ header: BasicHeaderSegment) {
    guard let (task, request) = owner(of: header) else { return }
    if fits(task, request, 0) { task.dataSN &+= 1 }
    if request.isFinal { endSequence(of: task, request) }
  }

  /// The task whose open sequence the data belong to.
  private func owner(of header: BasicHeaderSegment) -> (TargetTask, DataOut)? {
    let request: DataOut
    do throws(PDUError) {
      request = try DataOut(header)
    } catch {
      reject(header, error.reason)
      return nil
    }
    // Data of a command that has ended, or that was never taken, come to nothing.
    guard let task = tasks[request.initiatorTaskTag], task.isCollecting else { return nil }
    if request.targetTransferTag == DataOut.reservedTag {
      if task.isUnsolicitedOpen { return (task, request) }
      if !task.dropsUnsolicited { reject(header, .protocolError) }
      return nil
    }
    guard task.endedCount < task.solicitedCount,
      request.targetTransferTag == task.transferTag(task.endedCount)
    else {
      reject(header, .protocolError)
      return nil
    }
    return (task, request)
  }

  /// Whether the data are the next ones of a command that is well so far; else it is damaged.
  private func fits(_ task: TargetTask, _ request: DataOut, _ length: Int) -> Bool {
    guard task.damage == nil else { return false }
    if request.dataSN != task.dataSN || Int(request.bufferOffset) != task.receivedByteCount {
      task.damage = Self.protocolServiceCRCError
    } else if length > sequenceEnd(of: task) - task.receivedByteCount {
      task.damage = Self.incorrectAmountOfData
    }
    return task.damage == nil
  }

  /// Where the open sequence ends in the command's data.
  private func sequenceEnd(of task: TargetTask) -> Int {
    if task.isUnsolicitedOpen { return task.unsolicitedByteCount }
    return solicitedEnd(of: task, task.endedCount)
  }

  private func solicitedEnd(of task: TargetTask, _ number: UInt32) -> Int {
    let start = task.unsolicitedByteCount + Int(number) * Int(parameters.maxBurstLength)
    return min(start + Int(parameters.maxBurstLength), task.neededByteCount)
  }

  /// A data segment has been received into the task's room.
  func dataArrived(
    _ header: BasicHeaderSegment, for task: TargetTask, _ data: consuming Payload, fails: Bool
  ) {
    task.dataSeconds = 0
    // The task was aborted meanwhile; its bytes have had their last completion now.
    guard task.isCollecting, !isEnding else {
      _ = consume data
      if task.state == .responded { settle(task) }
      return pump()
    }
    let count = data.byteCount
    if var filled = task.filled.take() {
      filled.rejoin(data)
      task.filled = consume filled
    }
    task.receivedByteCount += count
    if fails {
      reject(header, .dataDigestError)
      task.damage = Self.protocolServiceCRCError
    }
    switch header.kind {
    case .dataOut:
      task.dataSN &+= 1
      if header.isFinal { endSequence(of: task, nil) }
    default:
      // Immediate data: where F is set nothing else comes unasked.
      if header.isFinal { endUnsolicited(of: task) }
    }
    pump()
  }

  private func endSequence(of task: TargetTask, _ request: DataOut?) {
    if task.isUnsolicitedOpen { return endUnsolicited(of: task) }
    let end = sequenceEnd(of: task)
    if task.receivedByteCount != end, task.damage == nil {
      task.damage = Self.incorrectAmountOfData
    }
    task.receivedByteCount = end
    task.endedCount += 1
    task.dataSN = 0
    proceed(task)
  }

  private func endUnsolicited(of task: TargetTask) {
    task.isUnsolicitedOpen = false
    task.unsolicitedByteCount = task.receivedByteCount
    task.dataSN = 0
    proceed(task)
  }

  /// A sequence has ended: more is solicited, or the command is executed, or it fails.
  private func proceed(_ task: TargetTask) {
    guard task.endedCount == task.solicitedCount || task.damage == nil else { return }
    if let damage = task.damage {
      giveUp(task)
      return fail(task, damage)
    }
    guard task.receivedByteCount >= task.neededByteCount else { return enqueue(task) }
    guard var data = task.filled.take() else { preconditionFailure("a collecting task has room") }
    task.remaining = nil
    data.truncate(to: task.neededByteCount)
    collectingCount -= 1
    execute(task, data)
  }

  /// Sends the R2Ts of a task that may be outstanding; false where the channel has no room.
  func solicit(_ task: TargetTask) -> Bool {
    let burst = Int(parameters.maxBurstLength)
    while task.damage == nil, task.solicitedCount - task.endedCount < parameters.maxOutstandingR2T,
      task.solicitedCount - task.endedCount < Self.mostOutstandingR2Ts
    {
      let offset = task.unsolicitedByteCount + Int(task.solicitedCount) * burst
      guard offset < task.neededByteCount else { break }
      guard channel.hasRoom else { return false }
      let request = ReadyToTransfer(
        initiatorTaskTag: task.initiatorTaskTag,
        targetTransferTag: task.transferTag(task.solicitedCount),
        logicalUnit: task.command.logicalUnit, statSN: statSN, expCmdSN: expCmdSN,
        maxCmdSN: maxCmdSN, r2tSN: task.solicitedCount, bufferOffset: UInt32(offset),
        desiredDataTransferLength: UInt32(
          solicitedEnd(of: task, task.solicitedCount) - offset))
      task.solicitedCount += 1
      channel.send(request.header, data: ring.arena.empty(), tag: Self.plainTag)
    }
    return true
  }

  /// The tags of a task's R2Ts tell so many apart.
  private static let mostOutstandingR2Ts: UInt32 = 255

  /// PROTOCOL SERVICE CRC ERROR. RFC 7143 11.4.7.2.
  static let protocolServiceCRCError = AdditionalSense(code: 0x47, qualifier: 0x05)
  /// Incorrect amount of data. RFC 7143 11.4.7.2.
  static let incorrectAmountOfData = AdditionalSense(code: 0x0C, qualifier: 0x0D)
}
