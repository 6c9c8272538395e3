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

  /// Whether the tape may be elsewhere, or another one, than the last answer says.
  var mayHaveMoved: Bool {
    unit.session.loginCount != loginCount || !unit.session.isOpen || unit.hasOtherMedium
  }

  /// Nothing is written from now on, until somebody rewinds.
  func losePosition() {
    object = nil
    isPositionLost = true
  }

  /// The same, said aloud: the tape is `count` objects behind its place, and nobody knows why.
  func losePosition(movedBy count: UInt64) -> Condition {
    let error = InitiatorError.positionLost(
      target: name, expected: object ?? 0, found: object.map { $0 + count })
    tell(error)
    losePosition()
    return error.condition
  }

  /// Asks a drive that may have been reset, or is reached anew, where it stands. Where it is lost, so
  /// is the position.
  func standing() async -> Standing {
    do throws(InitiatorError) {
      try await unit.session.whenOpen()
      loginCount = unit.session.loginCount
      if let outcome = await unit.becomeReady() {
        if let failure = outcome.failure { throw failure }
        losePosition()
        return .lost(unit.takeMediumChange() ?? outcome.condition ?? .dataUnderrun)
      }
      // A reset takes the mode parameters, too.
      _ = await Self.setVariableLength(unit)
      let found = await Self.askedObject(unit)
      if let change = unit.takeMediumChange() {
        losePosition()
        return .lost(change)
      }
      guard let object, let found, found >= object else {
        throw .positionLost(target: name, expected: object ?? 0, found: found)
      }
      return .moved(by: found - object)
    } catch {
      tell(error)
      losePosition()
      return .lost(error.condition)
    }
  }

  /// The first operation met a new login, or lost its command to one.
  func recover(_ operation: Operation, wasInFlight: Bool) {
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
          losePosition()
          fail(operation, condition)
        } else {
          object = place
        }
      case .moved(let count):
        if count == 1, wasInFlight, !operation.isReading, await isRecorded(operation) {
          recordWasWritten(operation)
        } else {
          fail(operation, losePosition(movedBy: count))
        }
      }
      goOn()
    }
  }

  /// Whether the record before the head is the one in flight: it is read back. The head is behind it
  /// again where it is.
  private func isRecorded(_ operation: Operation) async -> Bool {
    guard let object, let room = unit.ring.arena.allocate(operation.recordLength),
      await moves(.records, -1, to: object)
    else { return false }
    let completion = await unit.execute(
      InitiatorCommand(
        .readRecord(length: operation.recordLength), logicalUnit: unit.logicalUnit,
        direction: .read, timeoutSeconds: InitiatorCommand.motionTimeoutSeconds), room)
    let outcome = completion.outcome
    let record = completion.takePayload()
    guard outcome.isGood, outcome.byteCount == operation.recordLength,
      let held = operation.rest.take()
    else { return false }
    let isEqual = record.firstDifference(from: held) == nil
    operation.rest = consume held
    guard isEqual else { return false }
    return await Self.askedObject(unit) == object + 1
  }

  /// Whether the `count` objects before the head are filemarks: so many filemarks back and forward it
  /// passes nothing else.
  func areFilemarks(_ count: Int) async -> Bool {
    guard let object, await moves(.filemarks, -count, to: object) else { return false }
    return await moves(.filemarks, count, to: object + UInt64(count))
  }

  /// SPACE, given once, and whether the drive stands at `place` then.
  private func moves(_ kind: SpaceKind, _ count: Int, to place: UInt64) async -> Bool {
    let (outcome, _) = await unit.once(
      .space(kind.rawValue, count: count), InitiatorCommand.motionTimeoutSeconds)
    guard outcome.isGood else { return false }
    return await Self.askedObject(unit) == place
  }

  /// A command was not executed, and is given again.
  func giveAgain(_ operation: Operation, _ condition: Condition) {
    unit.ring.start { [self] in
      if condition.again == .later {
        await unit.ring.sleep(nanoseconds: RemoteUnit.pauseNanoseconds)
      } else if condition.isMediumChange {
        losePosition()
        fail(operation, condition)
      } else if condition.isReset {
        switch await standing() {
        case .moved(by: 0): break
        case .moved(let count):
          _ = losePosition(movedBy: count)
          fail(operation, condition)
        case .lost(let found): fail(operation, found.isMediumChange ? found : condition)
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
      if mayHaveMoved {
        guard case .moved(by: 0) = await standing() else {
          losePosition()
          return InitiatorOutcome(.positionLost(target: name, expected: 0, found: nil))
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
          losePosition()
          return outcome
        }
        if condition.isReset {
          guard case .moved(by: 0) = await standing() else {
            losePosition()
            return outcome
          }
        }
      }
    }
  }
}
