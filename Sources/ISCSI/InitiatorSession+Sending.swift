import ISCSIProtocol
import SAM
import Uring

extension InitiatorSession {
  /// Tags of PDUs that belong to no command: no task has the upper two bits.
  enum SessionTag {
    static let ping: UInt32 = 0xC000_0000
    static let logout: UInt32 = 0xC000_0001
    /// With the tag of the task to abort.
    static let abort: UInt32 = 0x8000_0000
  }

  /// What `released` is told of a PDU of no task.
  static let noTask = UInt64.max

  /// Sends whatever may go, as far as channel and command window have room.
  func pump() {
    guard let channel, channel.isOpen, !isPumping else { return }
    isPumping = true
    defer { isPumping = false }
    while channel.hasRoom, let header = urgent.first {
      urgent.removeFirst()
      channel.send(header, bytes: [], tag: Self.noTask)
    }
    while channel.hasRoom {
      if mayCommand, !waiting.isEmpty {
        sendCommand(tasks[waiting.removeFirst()], channel)
      } else if !outgoing.isEmpty {
        sendData(channel)
      } else {
        break
      }
    }
    channel.flush()
  }

  /// The window of RFC 7143 4.2.2.1, and nobody is about to log out.
  private var mayCommand: Bool {
    guard case .open = state else { return false }
    return logoutDue == nil && cmdSN <= maxCmdSN
  }

  private func sendCommand(_ task: InitiatorTask, _ channel: PDUChannel) {
    let command = task.command
    let isWrite = command.direction == .write
    let count = task.byteCount
    var immediate = 0
    var unsolicited = 0
    if isWrite {
      let first = min(count, Int(parameters.firstBurstLength))
      if parameters.immediateData {
        immediate = min(first, Int(parameters.peerMaxRecvDataSegmentLength))
      }
      unsolicited = parameters.initialR2T ? immediate : first
    }
    var request = SCSICommand(
      cdb: [], logicalUnit: command.logicalUnit, initiatorTaskTag: task.tag, cmdSN: cmdSN,
      expStatSN: expStatSN, expectedDataTransferLength: UInt32(truncatingIfNeeded: count),
      isRead: command.direction == .read, isWrite: isWrite, isFinal: unsolicited == immediate)
    for index in 0..<16 { request.header.bytes[32 + index] = command.cdb[index] }
    task.cmdSN = cmdSN
    cmdSN = cmdSN.advanced(by: 1)
    task.state = .active
    task.solicited = unsolicited
    task.sending += 1
    let additional =
      command.cdb.count > 16 ? AdditionalHeaderSegments(cdb: command.cdb.array).encode() : []
    channel.send(
      request.header, additionalHeader: additional,
      data: immediate > 0 ? task.view(at: 0, count: immediate) : ring.arena.empty(),
      tag: UInt64(task.index))
    if unsolicited > immediate {
      task.openRequests += 1
      outgoing.append(
        Sequence(
          task: task.index, offset: immediate, end: unsolicited, transferTag: DataOut.reservedTag))
    }
  }

  /// The next PDU of the first sequence.
  private func sendData(_ channel: PDUChannel) {
    guard var sequence = outgoing.first else { return }
    let task = tasks[sequence.task]
    let count = min(
      sequence.end - sequence.offset, Int(parameters.peerMaxRecvDataSegmentLength))
    let isFinal = sequence.offset + count == sequence.end
    let data = DataOut(
      initiatorTaskTag: task.tag, targetTransferTag: sequence.transferTag,
      logicalUnit: sequence.transferTag == DataOut.reservedTag ? 0 : task.command.logicalUnit,
      expStatSN: expStatSN, dataSN: sequence.dataSN,
      bufferOffset: UInt32(truncatingIfNeeded: sequence.offset), isFinal: isFinal)
    task.sending += 1
    channel.send(
      data.header, data: task.view(at: sequence.offset, count: count), tag: UInt64(task.index))
    sequence.offset += count
    sequence.dataSN += 1
    if isFinal {
      task.openRequests -= 1
      _ = outgoing.removeFirst()
    } else {
      outgoing.first = sequence
    }
  }

  /// The channel has dropped a PDU.
  func released(_ tag: UInt64) {
    guard tag != Self.noTask else { return }
    let task = tasks[Int(truncatingIfNeeded: tag)]
    task.sending -= 1
    guard task.state == .answered, task.sending == 0, let outcome = task.outcome else { return }
    end(task, outcome)
  }

  /// A PDU of the session itself.
  func sendUrgent(_ header: BasicHeaderSegment) {
    urgent.append(header)
    pump()
  }

  func sendPing() {
    pingSent = ring.now
    sendUrgent(
      NopOut(initiatorTaskTag: SessionTag.ping, cmdSN: cmdSN, expStatSN: expStatSN).header)
  }

  func sendLogout() {
    sendUrgent(
      LogoutRequest(
        reason: .closeSession, initiatorTaskTag: SessionTag.logout, cmdSN: cmdSN,
        expStatSN: expStatSN
      ).header)
  }

  func sendAbort(of task: InitiatorTask) {
    sendUrgent(
      TaskManagementRequest(
        function: .abortTask, logicalUnit: task.command.logicalUnit,
        initiatorTaskTag: SessionTag.abort | task.tag, referencedTaskTag: task.tag, cmdSN: cmdSN,
        expStatSN: expStatSN, refCmdSN: task.cmdSN
      ).header)
  }
}
