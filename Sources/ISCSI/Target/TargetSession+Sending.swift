import ISCSIProtocol
import SAM
import SCSI
import Uring

/// A PDU that is not of a task, until it is sent.
final class ControlPDU {
  var header: BasicHeaderSegment
  let bytes: [UInt8]
  var data: Payload?
  let tag: UInt64
  /// Whether it is a response that takes a StatSN.
  let advancesStatSN: Bool
  /// The connection ends behind it.
  let isLast: Bool

  init(
    _ header: BasicHeaderSegment, bytes: [UInt8], data: consuming Payload?, tag: UInt64,
    advancesStatSN: Bool, isLast: Bool
  ) {
    self.header = header
    self.bytes = bytes
    self.data = consume data
    self.tag = tag
    self.advancesStatSN = advancesStatSN
    self.isLast = isLast
  }
}

extension TargetSession {
  // MARK: Tags of the channel

  /// Nothing is given back for the PDU.
  static let plainTag: UInt64 = 1 << 40
  private static let textMark: UInt64 = 1 << 41
  private static let dataMark: UInt64 = 1 << 42

  /// Of a PDU with text in so many bytes of the control share.
  static func textTag(_ byteCount: Int) -> UInt64 { textMark | UInt64(byteCount) }

  /// What `textTag` was given; 0 for other tags.
  static func textByteCount(of tag: UInt64) -> Int {
    tag & textMark == 0 ? 0 : Int(tag & 0xFFFF_FFFF)
  }

  /// Of a PDU with so many bytes of the data share.
  static func dataTag(_ byteCount: Int) -> UInt64 { dataMark | UInt64(byteCount) }

  /// The channel has done with a PDU.
  func giveBack(_ tag: UInt64) {
    if tag & Self.textMark != 0 {
      let count = Self.textByteCount(of: tag)
      if count > 0 { server.control.giveBack(count) }
    } else if tag & Self.dataMark != 0 {
      server.data.giveBack(Int(tag & 0xFFFF_FFFF))
      unhold(.text)
    } else if tag != Self.plainTag {
      let task = pool[Int(tag)]
      task.unreleasedCount -= 1
      settle(task)
    }
  }

  // MARK: The queue

  /// Puts a task in the queue: R2Ts or its answer are to be sent.
  func enqueue(_ task: TargetTask) {
    guard !task.isQueued, !isEnding else { return }
    task.isQueued = true
    outgoing.append(.task(task))
  }

  /// Queues a PDU that is not of a task.
  func send(
    _ header: BasicHeaderSegment, bytes: [UInt8] = [], advancesStatSN: Bool = true,
    isLast: Bool = false
  ) {
    queue(
      ControlPDU(
        header, bytes: bytes, data: nil, tag: Self.plainTag, advancesStatSN: advancesStatSN,
        isLast: isLast))
  }

  /// The same with data in `byteCount` bytes of the data share, which are given back when it was sent.
  func send(_ header: BasicHeaderSegment, data: consuming Payload, byteCount: Int) {
    guard !isEnding else {
      _ = consume data
      return server.data.giveBack(byteCount)
    }
    hold(.text)
    queue(
      ControlPDU(
        header, bytes: [], data: data, tag: Self.dataTag(byteCount), advancesStatSN: true,
        isLast: false))
  }

  private func queue(_ control: ControlPDU) {
    guard !isEnding else { return }
    outgoing.append(.control(control))
    waitingControls += 1
    if waitingControls >= Self.mostWaitingControls { hold(.backlog) }
  }

  private static let mostSentOutgoing = 64

  /// Gives the channel what it has room for.
  func pump() {
    guard !isPumping, !isEnding, channel.isOpen else { return }
    isPumping = true
    defer { isPumping = false }
    // A queue that is never empty is cut from time to time.
    if firstOutgoing > Self.mostSentOutgoing {
      outgoing.removeSubrange(0..<firstOutgoing)
      firstOutgoing = 0
    }
    while firstOutgoing < outgoing.count {
      switch outgoing[firstOutgoing] {
      case .task(let task): guard advance(task) else { return channel.flush() }
      case .control(let control):
        guard channel.hasRoom(forBytes: control.bytes.count) else { return channel.flush() }
        firstOutgoing += 1
        pass(control)
        continue
      }
      firstOutgoing += 1
    }
    outgoing.removeAll(keepingCapacity: true)
    firstOutgoing = 0
    if isFinishing { channel.finish() } else { channel.flush() }
  }

  private func pass(_ control: ControlPDU) {
    waitingControls -= 1
    control.header.set(uint32: statSN.rawValue, at: 24)
    control.header.set(uint32: expCmdSN.rawValue, at: 28)
    control.header.set(uint32: maxCmdSN.rawValue, at: 32)
    if control.advancesStatSN { statSN = statSN.advanced(by: 1) }
    if let data = control.data.take() {
      channel.send(control.header, data: data, tag: control.tag)
    } else {
      channel.send(control.header, bytes: control.bytes, tag: control.tag)
    }
    if control.isLast {
      isFinishing = true
      silentSeconds = 0
      hold(.end)
    }
    if waitingControls == Self.mostWaitingControls / 2 { unhold(.backlog) }
  }

  /// Sends what a task has to send; false where the channel has no room for all of it.
  private func advance(_ task: TargetTask) -> Bool {
    switch task.state {
    case .collecting: guard solicit(task) else { return false }
    case .responding: guard respond(task) else { return false }
    case .free, .waiting, .executing, .responded: break
    }
    task.isQueued = false
    settle(task)
    return true
  }

  // MARK: Answers

  /// Called by the router, through the client.
  func complete(_ command: Command, _ result: consuming CommandResult) {
    guard let task = tasks[UInt32(truncatingIfNeeded: command.tag)], task.command === command,
      task.state == .executing
    else { preconditionFailure("a command completes once") }
    finish(task, result)
    pump()
  }

  /// Turns the result of a command into what is sent.
  func finish(_ task: TargetTask, _ result: consuming CommandResult) {
    giveBackBuffer(of: task)
    task.share = result.share
    task.borrowedByteCount = result.borrowedByteCount
    task.status = result.status
    task.sense = result.sense
    let command = task.command
    let transferred = result.transferLength
    let isSilent = result.disposition == .silent
    var dataIn = result.takeDataIn()
    if isSilent || isEnding {
      _ = consume dataIn
      task.state = .responded
      forget(task)
      return settle(task)
    }
    let expectedIn = command.expectedDataIn
    let reads = !dataIn.isEmpty || command.expectedDataOut == 0
    let isBidirectional = command.expectedDataIn > 0 && command.expectedDataOut > 0
    let residual = Self.residual(
      transferred, expected: reads ? expectedIn : command.expectedDataOut)
    if isBidirectional, reads {
      task.bidirectionalResidual = residual
    } else {
      task.residual = residual
    }
    if dataIn.byteCount > expectedIn { dataIn.truncate(to: expectedIn) }
    task.dataIn = dataIn.isEmpty ? nil : consume dataIn
    task.dataSN = 0
    task.state = .responding
    enqueue(task)
  }

  /// RFC 7143 11.4.5.
  private static func residual(_ transferred: Int, expected: Int) -> Residual {
    if transferred < expected { return .underflow(UInt32(clamping: expected - transferred)) }
    if transferred > expected { return .overflow(UInt32(clamping: transferred - expected)) }
    return .none
  }

  /// Sends Data-In PDUs and the status; false where the channel has no room.
  private func respond(_ task: TargetTask) -> Bool {
    var dataIn = task.dataIn.take() ?? ring.arena.empty()
    while !dataIn.isEmpty {
      guard channel.hasRoom else {
        task.dataIn = consume dataIn
        return false
      }
      let room = Int(parameters.maxBurstLength) - task.burstByteCount
      let count = min(Int(parameters.peerMaxRecvDataSegmentLength), room, dataIn.byteCount)
      let isLast = count == dataIn.byteCount
      let carriesStatus =
        isLast && task.status == .good && task.sense.isEmpty
        && task.bidirectionalResidual == .none
      if carriesStatus { forget(task) }
      var pdu = DataIn(
        initiatorTaskTag: task.initiatorTaskTag, expCmdSN: expCmdSN, maxCmdSN: maxCmdSN,
        dataSN: task.dataSN, bufferOffset: task.bufferOffset,
        isFinal: isLast || count == room)
      if carriesStatus {
        pdu.setStatus(task.status.rawValue, statSN: statSN, residual: task.residual)
        statSN = statSN.advanced(by: 1)
        task.state = .responded
      }
      task.dataSN &+= 1
      task.bufferOffset &+= UInt32(count)
      task.burstByteCount = count == room ? 0 : task.burstByteCount + count
      task.unreleasedCount += 1
      let part = dataIn.removeFirst(count)
      channel.send(pdu.header, data: part, tag: UInt64(task.index))
    }
    if task.state == .responded { return true }
    let segment = task.sense.isEmpty ? [] : SCSIResponse.dataSegment(sense: task.sense)
    guard channel.hasRoom(forBytes: segment.count) else { return false }
    forget(task)
    let response = SCSIResponse(
      status: task.status.rawValue, initiatorTaskTag: task.initiatorTaskTag, statSN: statSN,
      expCmdSN: expCmdSN, maxCmdSN: maxCmdSN, expDataSN: task.dataSN &+ task.solicitedCount,
      residual: task.residual, bidirectionalReadResidual: task.bidirectionalResidual)
    statSN = statSN.advanced(by: 1)
    task.state = .responded
    task.unreleasedCount += 1
    channel.send(response.header, bytes: segment, tag: UInt64(task.index))
    return true
  }

  // MARK: The end of a task

  /// Its place in the window is free, and so is its tag.
  private func forget(_ task: TargetTask) {
    if task.isImmediate { immediateCount -= 1 } else { unansweredCount -= 1 }
    tasks[task.initiatorTaskTag] = nil
  }

  /// Puts a task back into the pool once nothing of it is in the channel.
  func settle(_ task: TargetTask) {
    guard task.state == .responded, task.unreleasedCount == 0, placing !== task, !task.isQueued
    else { return }
    drop(task)
  }

  func drop(_ task: TargetTask) {
    giveBackBuffer(of: task)
    task.dataIn = nil
    task.unreleasedCount = 0
    if task.borrowedByteCount > 0 { task.share?.giveBack(task.borrowedByteCount) }
    task.reset()
    freeTasks.append(task.index)
  }

  /// The room of a task's data; those that are being received are given back with their completion.
  private func giveBackBuffer(of task: TargetTask) {
    task.filled = nil
    task.remaining = nil
    guard task.bufferByteCount > 0, placing !== task else { return }
    let count = task.bufferByteCount
    task.bufferByteCount = 0
    server.data.giveBack(count)
  }

  /// Ends an admitted command whose data do not come; what becomes of the task is up to the caller.
  func giveUp(_ task: TargetTask) {
    precondition(task.isCollecting, "only data that are to come can stay away")
    collectingCount -= 1
    if let request = task.request {
      _ = server.data.withdraw(request, tag: 0)
      task.request = nil
      if task.unsolicitedByteCount > 0 { unhold(.buffer) }
    }
    task.filled = nil
    task.remaining = nil
    router?.withdraw(task.command)
  }

  /// Puts a task that was given up back without an answer.
  func abandon(_ task: TargetTask) {
    task.state = .responded
    forget(task)
    if task.isQueued {
      outgoing.removeSubrange(0..<firstOutgoing)
      firstOutgoing = 0
      outgoing.removeAll { if case .task(let queued) = $0 { queued === task } else { false } }
      task.isQueued = false
    }
    settle(task)
  }
}
