import ISCSIProtocol
import SAM
import Uring

/// Task management. RFC 7143 11.5, 11.6, 4.2.3.
extension TargetSession {
  func takeTaskManagement(_ header: BasicHeaderSegment) {
    let request: TaskManagementRequest
    do throws(PDUError) {
      request = try TaskManagementRequest(header)
    } catch {
      return reject(header, error.reason)
    }
    guard managing + heldFunctions.count < Self.mostFunctions else {
      return reject(header, .tooManyImmediateCommands)
    }
    inOrder(request.cmdSN, isImmediate: request.isImmediate) { [self] in
      if waitsForOrder(request) { heldFunctions.append(request) } else { begin(request) }
    }
  }

  /// Whether commands before a function that ends many of them have not come: it waits for them, as
  /// RFC 7143 4.2.3.3 wants it. None is executed, held ones included.
  private func waitsForOrder(_ request: TaskManagementRequest) -> Bool {
    switch request.function {
    case .abortTaskSet, .clearTaskSet, .logicalUnitReset:
      request.isImmediate && expCmdSN < request.cmdSN && request.cmdSN <= maxCmdSN.advanced(by: 1)
    default: false
    }
  }

  /// Whether a function that came before its turn ends this command.
  func isAborted(_ request: SCSICommand) -> Bool {
    !request.isImmediate
      && heldFunctions.contains {
        request.cmdSN < $0.cmdSN && request.header.logicalUnit == $0.logicalUnit
      }
  }

  /// Begins the functions whose turn has come.
  func beginHeldFunctions() {
    while let index = heldFunctions.firstIndex(where: { $0.cmdSN <= expCmdSN }) {
      begin(heldFunctions.remove(at: index))
    }
  }

  /// Functions at work at once.
  private static let mostFunctions = 16

  private func begin(_ request: TaskManagementRequest) {
    // Tasks whose data do not come any more are ended here, before anything else is received: nothing
    // is being received into them.
    let known = tasks[request.referencedTaskTag]
    let wasCollecting = known?.isCollecting == true
    for task in pool where task.isCollecting && isMeant(task, by: request) {
      giveUp(task)
      abandon(task)
    }
    if request.function == .abortTask, known == nil || wasCollecting {
      let isComplete = wasCollecting || willNotCome(request)
      return answer(request, isComplete ? .complete : .taskDoesNotExist)
    }
    managing += 1
    work { [self] in
      let response = await manage(request)
      managing -= 1
      guard !isEnding else { return }
      answer(request, response)
      if request.function == .targetColdReset, response == .complete { endSessions() }
      pump()
    }
  }

  private func isMeant(_ task: TargetTask, by request: TaskManagementRequest) -> Bool {
    switch request.function {
    case .abortTask: task.initiatorTaskTag == request.referencedTaskTag
    case .abortTaskSet, .clearTaskSet, .logicalUnitReset:
      task.command.logicalUnit == request.logicalUnit
    case .targetWarmReset, .targetColdReset: true
    default: false
    }
  }

  /// ABORT TASK of a command that has not come: its place in the order is used up, and it counts as
  /// aborted. RFC 7143 11.6.1.
  private func willNotCome(_ request: TaskManagementRequest) -> Bool {
    let number = request.refCmdSN
    guard number >= expCmdSN, number <= maxCmdSN, number < request.cmdSN else { return false }
    held[number.rawValue] = {}
    continueOrder()
    return true
  }

  private func manage(_ request: TaskManagementRequest) async
    -> TaskManagementResponse.Response
  {
    let function: TaskManagementFunction
    switch request.function {
    case .abortTask: function = .abortTask(tag: UInt64(request.referencedTaskTag))
    case .abortTaskSet: function = .abortTaskSet
    case .clearTaskSet: function = .clearTaskSet
    case .logicalUnitReset: function = .logicalUnitReset
    case .targetWarmReset, .targetColdReset: function = .targetReset
    case .clearACA: function = .clearACA
    case .taskReassign: return .reassignmentNotSupported
    case .queryTask, .queryTaskSet, .nexusReset, .queryAsynchronousEvent, nil:
      return .functionNotSupported
    }
    guard let router, let nexus else { return .functionNotSupported }
    switch await router.manage(function, logicalUnit: request.logicalUnit, nexus: nexus) {
    case .functionComplete: return .complete
    case .taskDoesNotExist: return .taskDoesNotExist
    case .incorrectLogicalUnit: return .logicalUnitDoesNotExist
    case .functionRejected: return .functionNotSupported
    }
  }

  private func answer(
    _ request: TaskManagementRequest, _ response: TaskManagementResponse.Response
  ) {
    send(
      TaskManagementResponse(
        response: response, initiatorTaskTag: request.initiatorTaskTag, statSN: statSN,
        expCmdSN: expCmdSN, maxCmdSN: maxCmdSN
      ).header)
  }

  /// TARGET COLD RESET ends every session of the target, this one behind its answer.
  private func endSessions() {
    for session in server.sessions(of: identity.targetName) where session !== self {
      session.drop()
    }
    finish()
  }
}
