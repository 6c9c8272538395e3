import ISCSIProtocol
import SAM
import SCSI
import Uring

/// SCSI commands from their header until they are executed.
extension TargetSession {
  /// A command with immediate data.
  func placeCommand(_ header: BasicHeaderSegment) -> Placement {
    let length = header.dataSegmentLength
    guard let task = begin(header, immediateByteCount: length) else { return .discard }
    switch task.state {
    case .collecting where !task.dropsUnsolicited: return .into(part(of: task, length))
    case .waiting where !task.dropsUnsolicited: return .wait
    default: return .discard
    }
  }

  /// A command without immediate data.
  func takeCommand(_ header: BasicHeaderSegment) {
    _ = begin(header, immediateByteCount: 0)
  }

  /// Checks a command and takes it in its order. Returns its task where data of this PDU are wanted.
  private func begin(_ header: BasicHeaderSegment, immediateByteCount: Int) -> TargetTask? {
    let request: SCSICommand
    var additional = AdditionalHeaderSegments()
    do throws(PDUError) {
      request = try SCSICommand(header)
      if header.additionalHeaderByteCount > 0 {
        let bytes = channel.additionalHeader
        additional = try AdditionalHeaderSegments(bytes.span, of: header)
      }
    } catch {
      reject(header, error.reason)
      return nil
    }
    let expected = Int(request.expectedDataTransferLength)
    guard
      immediateByteCount == 0
        || request.isWrite && parameters.immediateData && immediateByteCount <= expected
          && immediateByteCount <= Int(parameters.firstBurstLength),
      request.isFinal || !parameters.initialR2T
    else {
      reject(header, .protocolError)
      return nil
    }
    if !request.isImmediate {
      // What is outside the window, or came before, is ignored. RFC 7143 4.2.2.1.
      guard request.cmdSN >= expCmdSN, request.cmdSN <= maxCmdSN,
        held[request.cmdSN.rawValue] == nil
      else { return nil }
    }
    guard tasks[request.initiatorTaskTag] == nil else {
      reject(header, .taskInProgress)
      return nil
    }
    if request.isImmediate, immediateCount == Self.mostImmediate {
      reject(header, .tooManyImmediateCommands)
      return nil
    }
    if isAborted(request) {
      // It has its turn, and nothing else.
      inOrder(request.cmdSN, isImmediate: false) {}
      return nil
    }
    switch order(request.cmdSN, isImmediate: request.isImmediate) {
    case .never: return nil
    case .later:
      // Its data are forgotten here and solicited when it is its turn.
      held[request.cmdSN.rawValue] = { [self] in
        guard tasks[request.initiatorTaskTag] == nil, !isAborted(request) else { return }
        admit(request, additional, immediateByteCount: 0, drops: true)
      }
      return nil
    case .now:
      let task = admit(
        request, additional, immediateByteCount: immediateByteCount, drops: false)
      continueOrder()
      return task.isCollecting ? task : nil
    }
  }

  @discardableResult
  private func admit(
    _ request: SCSICommand, _ additional: AdditionalHeaderSegments, immediateByteCount: Int,
    drops: Bool
  ) -> TargetTask {
    guard let nexus, let router, let index = freeTasks.popLast() else {
      preconditionFailure("the window is smaller than the pool")
    }
    let task = pool[index]
    task.initiatorTaskTag = request.initiatorTaskTag
    task.isImmediate = request.isImmediate
    if task.isImmediate { immediateCount += 1 } else { unansweredCount += 1 }
    tasks[task.initiatorTaskTag] = task
    let command = task.command
    command.reset(nexus: nexus)
    command.logicalUnit = request.header.logicalUnit
    command.tag = UInt64(request.initiatorTaskTag)
    command.attribute = TaskAttribute(rawValue: request.attribute.rawValue) ?? .simple
    let cdb = request.cdb
    for offset in 0..<16 { command.cdb.append(cdb[offset]) }
    for offset in 0..<additional.extendedCDBByteCount {
      command.cdb.append(additional.extendedCDB[offset])
    }
    let expected = Int(request.expectedDataTransferLength)
    command.expectedDataOut = request.isWrite ? expected : 0
    command.expectedDataIn =
      !request.isRead
      ? 0
      : request.isWrite
        ? Int(additional.bidirectionalReadLength ?? 0) : expected

    switch router.admit(command) {
    case .finished(let result): finish(task, result)
    case .execute(let byteCount):
      task.neededByteCount = min(max(byteCount, 0), command.expectedDataOut)
      if task.neededByteCount == 0 {
        execute(task, ring.arena.empty())
      } else {
        let unsolicited =
          request.isFinal
          ? immediateByteCount : min(Int(parameters.firstBurstLength), expected)
        collect(
          task, unsolicitedByteCount: max(unsolicited, immediateByteCount),
          isOpen: !request.isFinal, drops: drops)
      }
    }
    return task
  }

  // MARK: Room for data

  /// Finds room for the data of an admitted command, now or later.
  private func collect(
    _ task: TargetTask, unsolicitedByteCount: Int, isOpen: Bool, drops: Bool
  ) {
    let wanted = max(task.neededByteCount, unsolicitedByteCount)
    guard wanted <= server.data.byteCount else {
      router?.withdraw(task.command)
      return fail(task, Self.noResources, key: .illegalRequest)
    }
    let othersCollect = collectingCount > 0
    collectingCount += 1
    if !drops, let payload = server.data.takeNow(wanted) {
      task.unsolicitedByteCount = unsolicitedByteCount
      task.isUnsolicitedOpen = isOpen
      return fill(task, payload)
    }
    task.state = .waiting
    // Data are on their way that there is no room for. The connection can wait, unless bytes are held
    // by tasks of its own whose data come behind these: then they are forgotten and solicited later.
    task.dropsUnsolicited = drops || (unsolicitedByteCount > 0 && othersCollect)
    if !task.dropsUnsolicited {
      task.unsolicitedByteCount = unsolicitedByteCount
      task.isUnsolicitedOpen = isOpen
      if unsolicitedByteCount > 0 { hold(.buffer) }
    }
    let byteCount = task.dropsUnsolicited ? task.neededByteCount : wanted
    let receiver = BufferReceiver { [self, unowned task] payload in
      task.request = nil
      fill(task, payload)
      let length = channel.header.dataSegmentLength
      if holds.contains(.buffer), task.unsolicitedByteCount > 0 {
        unhold(.buffer)
        if channel.waitsForPlacement, length > 0 { channel.place(.into(part(of: task, length))) }
      }
      pump()
    }
    task.request = receiver
    server.data.take(byteCount, for: receiver, tag: 0)
  }

  private func fill(_ task: TargetTask, _ payload: consuming Payload) {
    task.state = .collecting
    lastCollectNumber += 1
    task.collectNumber = lastCollectNumber
    task.bufferByteCount = payload.byteCount
    task.filled = payload.empty()
    task.remaining = consume payload
    if !task.isUnsolicitedOpen, task.unsolicitedByteCount == 0 { enqueue(task) }
  }

  /// The next bytes of a task's room, for the channel to receive into.
  func part(of task: TargetTask, _ byteCount: Int) -> Payload {
    guard var remaining = task.remaining.take() else {
      preconditionFailure("a collecting task has room")
    }
    let part = remaining.removeFirst(byteCount)
    task.remaining = consume remaining
    placing = task
    return part
  }

  // MARK: Execution

  func execute(_ task: TargetTask, _ data: consuming Payload) {
    task.state = .executing
    guard let router, let client else { preconditionFailure("a task has a router") }
    router.execute(task.command, dataOut: data, for: client)
  }

  /// Ends a command with sense data of the transport.
  func fail(_ task: TargetTask, _ additional: AdditionalSense, key: SenseKey = .abortedCommand) {
    finish(
      task,
      CommandResult(
        sense: SenseData(key: key, additional: additional).fixedBytes(),
        noData: ring.arena.empty()))
  }

  /// SYSTEM RESOURCE FAILURE.
  private static let noResources = AdditionalSense(code: 0x55, qualifier: 0x00)
}
