import SCSI
public import Uring

/// A tape in front of another one that is slow, or goes wrong, as it is told.
///
/// Places of faults are objects; where the tape behind does not know its position without asking
/// the medium, they are counted from 0 as they pass.
public final class FaultyTape: StreamDecorator {
  private var misbehaviour: Misbehaviour
  private var pace: Pace
  private var passed: UInt64 = 0
  private var deferred: Condition?

  /// In front of `tape`.
  public init(_ tape: StreamDevice, _ misbehaviour: Misbehaviour, ring: Ring) {
    self.misbehaviour = misbehaviour
    pace = Pace(misbehaviour, start: ring.now)
    super.init(tape, ring: ring)
  }

  override func plan(reading: Bool, byteCount: Int, recordCount: Int) -> Plan {
    var plan = Plan(
      passedRecordCount: recordCount, due: pace.due(byteCount, now: ring.now))
    let first = tape.nextObject ?? passed
    if let condition = deferred.take() {
      plan.passedRecordCount = 0
      plan.status = .check(condition)
    } else if let fault = misbehaviour.strike(
      first..<first + UInt64(recordCount), reading: reading)
    {
      let before = Int(fault.place - first)
      strike(fault, &plan, before: before, recordCount, length: byteCount / recordCount)
    }
    passed += UInt64(plan.passedRecordCount)
    return plan
  }

  private func strike(
    _ fault: Fault, _ plan: inout Plan, before: Int, _ recordCount: Int, length: Int
  ) {
    let residual = Int64(recordCount == 1 ? length : recordCount - before)
    plan.passedRecordCount = before
    switch fault.kind {
    case .readError:
      plan.status = .check(
        Condition(.mediumError, .unrecoveredReadError, information: residual),
        byteCount: before * length)
    case .writeError:
      plan.status = .check(
        Condition(.mediumError, .writeError, information: residual), byteCount: before * length)
    case .shortRead, .shortWrite:
      plan.status = .good(before * length)
    case .tornWrite:
      plan.passedRecordCount = recordCount / 2
      plan.status = .check(
        Condition(
          .mediumError, .writeError,
          information: Int64(recordCount == 1 ? length : recordCount)))
    case .droppedWrite:
      plan.passedRecordCount = 0
      plan.status = .good(recordCount * length)
    case .deferredError:
      plan.passedRecordCount = recordCount
      var condition = Condition(.mediumError, .writeError)
      condition.isDeferred = true
      deferred = condition
    }
  }

  /// Writes filemarks; without making anything durable where it lies.
  public override func writeFilemarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    if let condition = deferred.take() { return .check(condition) }
    guard misbehaviour.liesAboutFlush else {
      return await tape.writeFilemarks(count, immediate: immediate)
    }
    return count == 0 ? .good() : await tape.writeFilemarks(count, immediate: true)
  }
}
