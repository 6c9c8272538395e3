import Devices
import ISCSIProtocol
import SAM
import SCSI
import Uring

extension RemoteTape {
  /// Where the head stands against where it was to stand.
  enum Standing {
    /// So many objects behind the place where it was left.
    case moved(by: UInt64)
    /// Nobody knows, or it is elsewhere.
    case lost(Condition)
  }

  /// Asks a drive that may have been reset, or is reached anew, where it stands.
  func standing() async -> Standing {
    do throws(InitiatorError) {
      try await unit.session.whenOpen()
      loginCount = unit.session.loginCount
      if let outcome = await unit.becomeReady() {
        if let failure = outcome.failure { throw failure }
        object = nil
        return .lost(outcome.condition ?? .dataUnderrun)
      }
      // A reset takes the mode parameters, too.
      _ = await Self.setVariableLength(unit)
      let found = await Self.askedObject(unit)
      guard let object, let found, found >= object else {
        throw .positionLost(target: name, expected: object ?? 0, found: found)
      }
      return .moved(by: found - object)
    } catch {
      tell(error)
      object = nil
      isPositionLost = true
      return .lost(error.condition)
    }
  }

  /// The first operation met a new login, or lost its command to one.
  func recover(_ operation: Operation) {
    let wasInFlight = unit.session.isLost
    unit.ring.start { [self] in
      switch await standing() {
      case .lost(let condition): fail(operation, condition)
      case .moved(by: 0): break
      case .moved(by: 1) where operation.isReading:
        // Back over what was passed and not received; a filemark says so, and is read again.
        let place = object
        advance(by: 1)
        let status = await space(.records, count: -1)
        if let condition = status.condition, !condition.filemark {
          fail(operation, condition)
        } else {
          object = place
        }
      case .moved(let count):
        let error = InitiatorError.positionLost(
          target: name, expected: object ?? 0, found: object.map { $0 + count })
        guard count == 1, wasInFlight, !operation.isReading else {
          tell(error)
          object = nil
          isPositionLost = true
          fail(operation, error.condition)
          break
        }
        recordWasWritten(operation)
      }
      goOn()
    }
  }

  /// A command was not executed, and is given again.
  func giveAgain(_ operation: Operation, _ condition: Condition) {
    unit.ring.start { [self] in
      if condition.again == .later {
        await unit.ring.sleep(nanoseconds: RemoteUnit.pauseNanoseconds)
      } else if condition.isMediumChange {
        object = nil
        isPositionLost = true
        fail(operation, condition)
      } else if condition.isReset {
        switch await standing() {
        case .moved(by: 0): break
        case .moved, .lost:
          isPositionLost = true
          fail(operation, condition)
        }
      }
      goOn()
    }
  }

  /// One command that moves the tape or what is on it, given again where it was not executed and the
  /// tape stands where it did.
  func issue(
    _ cdb: CommandDescriptorBlock, timeoutSeconds: UInt64 = InitiatorCommand.motionTimeoutSeconds
  ) async -> InitiatorOutcome {
    var attempts = 0
    while true {
      if isPositionLost, cdb.operationCode != CommandDescriptorBlock.writeFilemarksCode {
        return InitiatorOutcome(.positionLost(target: name, expected: object ?? 0, found: nil))
      }
      if unit.session.loginCount != loginCount || !unit.session.isOpen {
        switch await standing() {
        case .moved(by: 0): break
        case .moved, .lost:
          return InitiatorOutcome(
            .positionLost(target: name, expected: object ?? 0, found: nil))
        }
      }
      let (outcome, _) = await unit.once(cdb, timeoutSeconds)
      guard let condition = outcome.condition, outcome.failure == nil, attempts < 16 else {
        return outcome
      }
      attempts += 1
      switch condition.again {
      case .never: return outcome
      case .later: await unit.ring.sleep(nanoseconds: RemoteUnit.pauseNanoseconds)
      case .atOnce:
        if condition.isMediumChange {
          object = nil
          isPositionLost = true
          return outcome
        }
        if condition.isReset {
          guard case .moved(by: 0) = await standing() else {
            isPositionLost = true
            return outcome
          }
        }
      }
    }
  }
}
