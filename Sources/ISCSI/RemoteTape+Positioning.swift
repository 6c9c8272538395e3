import Devices
import ISCSIProtocol
import SAM
import SCSI
import Uring

extension RemoteTape {
  /// SPACE(6) moves at most so far: 24 bits with sign.
  private static let farthest = 0x7F_FFFF
  /// WRITE FILEMARKS(6) writes at most so many.
  private static let mostFilemarks = 0xFF_FFFF

  /// To the beginning; the position is known afterwards, whatever it was.
  func rewind() async -> DeviceStatus {
    let (outcome, _) = await unit.perform(
      .rewind, timeoutSeconds: InitiatorCommand.motionTimeoutSeconds)
    loginCount = unit.session.loginCount
    leaveEnd()
    if let change = unit.takeMediumChange() {
      // Whoever rewinds to go on with the same cartridge is told; the next rewind is for this one.
      losePosition()
      return .check(change)
    }
    if let condition = outcome.condition {
      object = nil
      tellFailure(outcome)
      return .check(condition)
    }
    object = 0
    isPositionLost = false
    return .good()
  }

  private func leaveEnd() {
    isPastEarlyWarning = false
    bytesPastEarlyWarning = 0
  }

  private func tellFailure(_ outcome: InitiatorOutcome) {
    if let failure = outcome.failure { tell(failure) }
  }

  func writeMarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    if isWriteProtected {
      return count == 0 ? .good() : .check(Condition(.dataProtect, .writeProtected))
    }
    guard count <= Self.mostFilemarks else {
      return .check(Condition(.illegalRequest, .invalidFieldInCDB))
    }
    if count == 0, !hasUnflushedWrites { return .good() }
    // A flush moves nothing.
    if count > 0, isPositionLost { return .check(Self.lostPosition) }
    var outcome = await issue(.writeFilemarks(count, immediate: immediate && count > 0))
    if outcome.failure != nil, mayHaveMoved {
      switch await standing() {
      case .lost(let condition): return .check(condition)
      case .moved(by: 0):
        outcome = await issue(.writeFilemarks(count, immediate: immediate && count > 0))
      case .moved(let moved):
        guard moved == UInt64(count), await areFilemarks(count) else {
          return .check(losePosition(movedBy: moved))
        }
        outcome = InitiatorOutcome(byteCount: 0, status: .good, sense: nil)
      }
    }
    if let condition = outcome.condition, !condition.isRecovered,
      !condition.isEarlyWarning || condition.isDeferred
    {
      object = nil
      tellFailure(outcome)
      return .check(condition)
    }
    object = object.map { $0 + UInt64(count) }
    if count > 0 {
      knownEnd = object
      probed = nil
    }
    if !immediate || count == 0 { hasUnflushedWrites = false }
    if outcome.condition?.isEarlyWarning == true { isPastEarlyWarning = true }
    return isPastEarlyWarning && count > 0 ? .check(Self.earlyWarning) : .good()
  }

  // MARK: SPACE

  func moveAcross(_ kind: SpaceKind, _ count: Int) async -> DeviceStatus {
    guard abs(count) <= Self.farthest else {
      return .check(Condition(.illegalRequest, .invalidFieldInCDB))
    }
    if count == 0, kind != .endOfData { return .good() }
    if kind == .endOfData, object != nil, !tellsPosition, knownEnd == nil {
      return await countToEnd()
    }
    let outcome = await issue(.space(kind.rawValue, count: kind == .endOfData ? 0 : count))
    if kind != .records || count > 0 { leaveEnd() }
    guard let condition = outcome.condition else {
      switch kind {
      case .records: object = object.flatMap { UInt64(exactly: Int64($0) + Int64(count)) }
      case .filemarks: object = nil
      case .endOfData: object = knownEnd
      }
      return .good()
    }
    tellFailure(outcome)
    return .check(landed(condition, kind, count))
  }

  /// Where SPACE ended early, in SSC's words, and what that says of the position.
  private func landed(_ condition: Condition, _ kind: SpaceKind, _ count: Int) -> Condition {
    let before = object
    object = nil
    var found = condition
    let distance = Int64(abs(count))
    let moved = condition.information.flatMap {
      (0...distance).contains($0) ? UInt64(distance - $0) : nil
    }
    if condition.isEndOfData {
      found = Condition(.blankCheck, .endOfDataDetected, information: condition.information)
      if kind == .records, let before, let moved { object = before + moved }
      if let object { knownEnd = object } else if count > 0 { object = knownEnd }
    } else if condition.additional == .beginningOfPartitionDetected {
      found.endOfMedium = true
      object = 0
    } else if condition.filemark, kind == .records, let before, let moved {
      // The filemark is passed, too.
      object =
        count > 0
        ? before + moved + 1 : before >= moved + 1 ? before - moved - 1 : nil
    }
    return found
  }

  /// To end of data of a drive that does not tell positions, counting the objects on the way: strides
  /// are doubled until one ends there, and then halved.
  private func countToEnd() async -> DeviceStatus {
    var stride = 1
    var narrows = false
    while let start = object {
      let status = await moveAcross(.records, stride)
      if status.condition == nil || (status.condition?.filemark == true && object != nil) {
        if narrows { stride = max(1, stride / 2) } else { stride = min(stride * 2, Self.farthest) }
        continue
      }
      guard let condition = status.condition, condition.isEndOfData else { return status }
      if object != nil { break }
      // The end is behind `start`, by less than the stride, or by as much as it.
      narrows = true
      if let condition = (await locate(start)).condition { return .check(condition) }
      guard stride == 1 else {
        stride /= 2
        continue
      }
      let isEmpty = await isAtEnd()
      if let condition = (await locate(start)).condition { return .check(condition) }
      knownEnd = isEmpty ? start : start + 1
      break
    }
    guard knownEnd != nil else { return .check(Condition(.hardwareError, .noAdditionalSense)) }
    return await moveAcross(.endOfData, 1)
  }

  /// Whether nothing is recorded at the head; a record that is there is passed.
  private func isAtEnd() async -> Bool {
    let (outcome, _) = await unit.perform(.readRecord(length: 1), dataIn: 1)
    return outcome.condition?.isEndOfData == true
  }

  // MARK: LOCATE

  func goTo(_ target: UInt64) async -> DeviceStatus {
    guard let number = UInt32(exactly: target) else {
      return .check(Condition(.illegalRequest, .invalidFieldInCDB))
    }
    if target == 0 { return await rewind() }
    if object == target, tellsPosition == false { return .good() }
    if tellsPosition, hasLocate != false {
      let outcome = await issue(.locate(number))
      leaveEnd()
      guard let condition = outcome.condition else {
        hasLocate = true
        object = target
        return .good()
      }
      guard condition.isUnsupported else {
        object = nil
        tellFailure(outcome)
        return .check(condition)
      }
      hasLocate = false
    }
    return await walk(to: target)
  }

  /// REWIND and SPACE, for drives without LOCATE.
  private func walk(to target: UInt64) async -> DeviceStatus {
    let end = knownEnd
    var status = await rewind()
    while status.condition == nil, let object, object < target {
      status = await moveAcross(.records, Int(min(target - object, UInt64(Self.farthest))))
      if status.condition?.filemark == true, self.object != nil { status = .good() }
    }
    guard let condition = status.condition, condition.isEndOfData else { return status }
    // Some drives report end of data also where they come to stand exactly there.
    if object == target { return .good() }
    if let end {
      knownEnd = end
      object = end
      return end == target ? .good() : status
    }
    return await approach(target, status)
  }

  /// SPACE ended at end of data, at or before `target`: it is there if the object before it is.
  private func approach(_ target: UInt64, _ status: DeviceStatus) async -> DeviceStatus {
    if let condition = (await rewind()).condition { return .check(condition) }
    if target > 1, (await moveAcross(.records, Int(clamping: target - 1))).condition != nil {
      return status
    }
    guard await !isAtEnd() else { return status }
    object = target
    knownEnd = target
    return .good()
  }
}
