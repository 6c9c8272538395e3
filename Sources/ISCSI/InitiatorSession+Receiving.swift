import ISCSIProtocol
import SAM
import SCSI
import Uring

extension InitiatorSession {
  /// Where the data segment of a PDU goes.
  func place(_ header: BasicHeaderSegment) -> Placement {
    lastArrival = ring.now
    guard header.kind == .dataIn else {
      let count = header.dataSegmentLength
      guard count <= control.byteCount else {
        return refuse("a data segment of \(count) bytes outside Data-In")
      }
      return .into(control.sharing(count))
    }
    guard let task = task(of: header.initiatorTaskTag) else {
      return refuse("data of a task that there is not")
    }
    guard let data = try? DataIn(header) else { return refuse("a Data-In that cannot be") }
    if let fault = fault(of: data, task) { return refuse(fault) }
    return .into(task.view(at: task.received, count: header.dataSegmentLength))
  }

  private func refuse(_ what: String) -> Placement {
    violation = what
    return .refuse
  }

  private func violate(_ what: String) {
    lose(.protocolViolation(target: label, what: what))
  }

  /// The task that a target means; nil where it was answered, or never was.
  private func task(of tag: UInt32) -> InitiatorTask? {
    let index = InitiatorTask.index(ofTag: tag)
    guard index < tasks.count, tasks[index].tag == tag, tasks[index].state == .active else {
      return nil
    }
    return tasks[index]
  }

  /// What is wrong with data for `task`. They come in order (RFC 7143 13.18, 13.19), so that each
  /// place is known before.
  private func fault(of data: DataIn, _ task: InitiatorTask) -> String? {
    guard task.command.direction == .read else { return "data for a command that reads none" }
    guard data.dataSN == task.nextSN else {
      return "DataSN \(data.dataSN), where \(task.nextSN) follows"
    }
    guard data.dataSegmentLength == 0 || Int(data.bufferOffset) == task.received else {
      return "data at offset \(data.bufferOffset), where \(task.received) follows"
    }
    guard data.dataSegmentLength <= task.byteCount - task.received else {
      return "data behind the end of the command's buffer"
    }
    return nil
  }

  /// A PDU is complete.
  func received(
    _ header: BasicHeaderSegment, data: consuming Payload, dataDigestFails: Bool
  ) {
    lastArrival = ring.now
    pingSent = header.kind == .nopIn ? nil : pingSent
    if dataDigestFails { return lose(.digest(target: label, ofHeader: false)) }
    do throws(PDUError) {
      switch header.kind {
      case .dataIn:
        let count = data.byteCount
        // The view of the task's bytes goes before the task can end.
        drop(data)
        try receive(try DataIn(header), count)
      case .scsiResponse: try receive(try SCSIResponse(header), data.bytes())
      case .readyToTransfer: try receive(try ReadyToTransfer(header))
      case .nopIn: receive(try NopIn(header))
      case .taskManagementResponse: receive(try TaskManagementResponse(header))
      case .logoutResponse: receive(try LogoutResponse(header))
      case .asynchronousMessage: receive(try AsynchronousMessage(header))
      case .reject: receive(try Reject(header), data.bytes())
      default: violate("a PDU with opcode \(header.opcode)")
      }
    } catch {
      violate("\(error)")
    }
    if isOpen { pump() }
  }

  private func drop(_ payload: consuming Payload) {}

  /// Notes the numbers that every PDU of a target carries. RFC 7143 4.2.2.
  private func note(_ pdu: some TargetPDU, hasStatus: Bool) {
    if pdu.expCmdSN <= pdu.maxCmdSN.advanced(by: 1), maxCmdSN < pdu.maxCmdSN {
      maxCmdSN = pdu.maxCmdSN
    }
    if hasStatus, expStatSN <= pdu.statSN { expStatSN = pdu.statSN.advanced(by: 1) }
  }

  private func receive(_ pdu: DataIn, _ count: Int) throws(PDUError) {
    note(pdu, hasStatus: pdu.hasStatus)
    guard let task = task(of: pdu.initiatorTaskTag) else {
      return violate("data of a task that there is not")
    }
    if count == 0, let fault = fault(of: pdu, task) { return violate(fault) }
    task.nextSN &+= 1
    task.received += count
    if pdu.hasStatus {
      answer(
        task,
        InitiatorOutcome(
          byteCount: task.received, status: Status(rawValue: pdu.status), sense: nil))
    }
  }

  private func receive(_ pdu: SCSIResponse, _ data: [UInt8]) throws(PDUError) {
    note(pdu, hasStatus: true)
    guard let task = task(of: pdu.initiatorTaskTag) else {
      return violate("an answer to a task that there is not")
    }
    guard pdu.response == .completed else {
      return answer(
        task,
        InitiatorOutcome(.targetFailure(target: label, response: pdu.response.rawValue)))
    }
    guard let bytes = SCSIResponse.sense(in: data) else {
      return violate("sense data longer than the data segment they are in")
    }
    let status = Status(rawValue: pdu.status)
    if status == .good, isAsked(task) {
      return violate("GOOD for a write of which it has not received all that it asked for")
    }
    var moved = task.received
    if task.command.direction == .write {
      // What was not asked for, or waits to be sent, cannot have been written.
      moved = task.openRequests > 0 ? 0 : task.solicited
      if case .underflow(let count) = pdu.residual {
        moved = min(moved, max(0, task.byteCount - Int(count)))
      }
    }
    answer(
      task,
      InitiatorOutcome(
        byteCount: moved, status: status,
        sense: bytes.isEmpty ? nil : try? SenseData.decode(bytes)))
  }

  /// Whether data that an R2T asked for are not all given to the channel.
  private func isAsked(_ task: InitiatorTask) -> Bool {
    task.openRequests > 0
      && outgoing.contains { $0.task == task.index && $0.transferTag != DataOut.reservedTag }
  }

  /// Ends a task, now or when the channel has dropped what it was to send.
  private func answer(_ task: InitiatorTask, _ given: InitiatorOutcome) {
    var outcome = given
    if task.isAborting {
      outcome = InitiatorOutcome(
        .commandTimeout(
          target: label, operationCode: task.command.cdb.operationCode,
          seconds: task.command.timeoutSeconds))
    }
    // A target may answer before it has taken all data it asked for.
    if task.openRequests > 0 {
      outgoing.removeAll { $0.task == task.index }
      task.openRequests = 0
    }
    if task.sending > 0 {
      task.state = .answered
      task.outcome = outcome
    } else {
      end(task, outcome)
    }
    if logoutDue != nil { logOutIfIdle() }
  }

  private func receive(_ pdu: ReadyToTransfer) throws(PDUError) {
    note(pdu, hasStatus: false)
    guard let task = task(of: pdu.initiatorTaskTag), task.command.direction == .write else {
      return violate("an R2T for a task that writes nothing")
    }
    let offset = Int(pdu.bufferOffset)
    let count = Int(pdu.desiredDataTransferLength)
    guard pdu.r2tSN == task.nextSN else {
      return violate("R2TSN \(pdu.r2tSN), where \(task.nextSN) follows")
    }
    guard offset <= task.byteCount, count <= task.byteCount - offset else {
      return violate("an R2T for bytes behind the end of the command's buffer")
    }
    guard offset == task.solicited else {
      return violate("an R2T at offset \(offset), where \(task.solicited) follows")
    }
    guard count <= Int(parameters.maxBurstLength) else {
      return violate("an R2T for more bytes than MaxBurstLength")
    }
    guard task.openRequests < Int(parameters.maxOutstandingR2T) + 1 else {
      return violate("more R2Ts than MaxOutstandingR2T")
    }
    task.nextSN &+= 1
    task.solicited = offset + count
    task.openRequests += 1
    outgoing.append(
      Sequence(
        task: task.index, offset: offset, end: offset + count,
        transferTag: pdu.targetTransferTag))
  }

  private func receive(_ pdu: NopIn) {
    let isAnswer = pdu.initiatorTaskTag != NopIn.reservedTag
    note(pdu, hasStatus: isAnswer)
    guard pdu.targetTransferTag != NopIn.reservedTag, !isAnswer else { return }
    sendUrgent(
      NopOut(
        initiatorTaskTag: NopOut.reservedTag, targetTransferTag: pdu.targetTransferTag,
        logicalUnit: pdu.logicalUnit, cmdSN: cmdSN, expStatSN: expStatSN
      ).header)
  }

  private func receive(_ pdu: TaskManagementResponse) {
    note(pdu, hasStatus: true)
    let tag = pdu.initiatorTaskTag
    guard tag & SessionTag.ping == SessionTag.abort else {
      return violate("an answer to a task management function that was not asked for")
    }
    // The task may have been answered meanwhile.
    guard let task = task(of: tag & ~SessionTag.abort), task.isAborting else { return }
    switch pdu.response {
    case .complete, .taskDoesNotExist:
      answer(task, InitiatorOutcome(.closed(target: label)))
    default:
      lose(timeout(of: task))
    }
  }

  private func receive(_ pdu: LogoutResponse) {
    note(pdu, hasStatus: true)
    guard pdu.initiatorTaskTag == SessionTag.logout else {
      return violate("an answer to a logout that was not asked for")
    }
    logoutAnswered?.fire()
    if logoutDue != nil { lose(.sessionDropped(target: label)) }
  }

  private func receive(_ pdu: AsynchronousMessage) {
    note(pdu, hasStatus: true)
    switch pdu.event {
    case .logoutRequest, .negotiationRequest:
      // A new login negotiates anew.
      options.log?("\(label): the target asked for a logout; logging in again")
      logoutDue = ring.now + UInt64(max(1, pdu.parameter3)) * 1_000_000_000
      logOutIfIdle()
    case .dropConnection, .dropSession: lose(.sessionDropped(target: label))
    case .scsi, .tasksTerminated, .vendor: break
    }
  }

  private func receive(_ pdu: Reject, _ data: [UInt8]) {
    note(pdu, hasStatus: true)
    let refused = Reject.header(in: data)
    // A target that dropped Data-Out ends their command by itself. RFC 7143 7.8.
    if pdu.reason == .dataDigestError, refused?.kind == .dataOut { return }
    let error = InitiatorError.rejected(target: label, reason: pdu.reason)
    if refused?.kind == .scsiCommand, let tag = refused?.initiatorTaskTag,
      let task = task(of: tag)
    {
      // Sent again it would be rejected again.
      task.lossCount = InitiatorTask.mostLosses
    }
    lose(error)
  }

  func timeout(of task: InitiatorTask) -> InitiatorError {
    .commandTimeout(
      target: label, operationCode: task.command.cdb.operationCode,
      seconds: task.command.timeoutSeconds)
  }

  /// Logs out for a target that asked for it, once nothing is in flight.
  private func logOutIfIdle() {
    guard !tasks.contains(where: { $0.state == .active || $0.state == .answered }) else { return }
    sendLogout()
  }
}
