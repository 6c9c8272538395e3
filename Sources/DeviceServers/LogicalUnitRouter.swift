public import SAM
import SCSI
public import Uring

/// Sends the commands of the nexuses to their logical units, and answers for LUNs that name none.
/// SPC-4 6.33, SAM-5 5.11.
public final class LogicalUnitRouter: TaskRouter {
  /// What a nexus may reach, by number.
  private struct View {
    let nexus: Nexus
    var units: [(number: Int, unit: LogicalUnit)]
    /// What it saw before the map changed; commands that were admitted there end there.
    var former: [LogicalUnit] = []
  }

  private let ring: Ring
  private let map: LogicalUnitMap
  private var views: [ObjectIdentifier: View] = [:]
  /// Answers what concerns no unit.
  private let absent: AbsentUnit

  /// A router that shows what `map` says.
  public init(ring: Ring, map: LogicalUnitMap) {
    self.ring = ring
    self.map = map
    absent = AbsentUnit(ring: ring)
    super.init()
    absent.numbers = { [unowned self] nexus in
      views[ObjectIdentifier(nexus)]?.units.map(\.number) ?? []
    }
    absent.inventoryReported = { [unowned self] nexus in
      for unit in units(of: nexus) {
        unit.control.withdraw(.reportedLUNsDataHasChanged, for: nexus)
      }
    }
  }

  /// Nexuses that are attached.
  public var nexuses: [Nexus] { views.values.map(\.nexus) }

  // MARK: Nexuses

  /// Every unit that the nexus sees has a unit attention for it.
  public override func attach(_ nexus: Nexus) {
    var view = View(nexus: nexus, units: [])
    for (lun, unit) in map.units(for: nexus) {
      guard let number = LogicalUnitNumber.decode(lun) else {
        preconditionFailure("a map has LUNs of one level")
      }
      view.units.append((number, unit))
      unit.control.attach(nexus)
    }
    view.units.sort { $0.number < $1.number }
    views[ObjectIdentifier(nexus)] = view
    absent.control.attach(nexus)
    _ = absent.control.takeUnitAttention(for: nexus)
  }

  /// Ends its tasks silently and forgets it.
  public override func detach(_ nexus: Nexus) async {
    guard let view = views[ObjectIdentifier(nexus)] else { return }
    let reached = view.units.map(\.unit) + view.former
    for unit in reached {
      await unit.abortTasks { $0.nexus === nexus }
    }
    await absent.abortTasks { $0.nexus === nexus }
    for unit in reached {
      unit.control.detach(nexus)
      unit.nexusLost(nexus)
    }
    for unit in reached { await unit.endCopies { $0 === nexus } }
    absent.control.detach(nexus)
    views[ObjectIdentifier(nexus)] = nil
  }

  /// Drops the view of nexuses that see another set of units now, and tells them so (SPC-4 6.33).
  public func mapHasChanged() {
    for (key, var view) in views {
      let before = view.units
      var former: [LogicalUnit] = []
      view.units = map.units(for: view.nexus).compactMap { lun, unit in
        LogicalUnitNumber.decode(lun).map { ($0, unit) }
      }.sorted { $0.number < $1.number }
      for (_, unit) in view.units where !before.contains(where: { $0.unit === unit }) {
        unit.control.attach(view.nexus)
      }
      for unit in before.map(\.unit) + view.former
      where !view.units.contains(where: { $0.unit === unit }) {
        if !former.contains(where: { $0 === unit }) { former.append(unit) }
      }
      view.former = former
      for (_, unit) in view.units {
        unit.control.establish(.reportedLUNsDataHasChanged, for: view.nexus)
      }
      views[key] = view
    }
  }

  /// The units that a nexus sees.
  public func units(of nexus: Nexus) -> [LogicalUnit] {
    views[ObjectIdentifier(nexus)]?.units.map(\.unit) ?? []
  }

  /// The units that a nexus sees, with their numbers, ascending.
  public func numberedUnits(of nexus: Nexus) -> [(number: Int, unit: LogicalUnit)] {
    views[ObjectIdentifier(nexus)]?.units ?? []
  }

  private func unit(_ lun: UInt64, of nexus: Nexus) -> LogicalUnit? {
    guard let number = LogicalUnitNumber.decode(lun), let view = views[ObjectIdentifier(nexus)]
    else { return nil }
    for entry in view.units where entry.number == number { return entry.unit }
    return nil
  }

  private func home(of command: Command) -> LogicalUnit {
    if command.cdb.operationCode == Self.reportLUNs { return absent }
    return unit(command.logicalUnit, of: command.nexus) ?? absent
  }

  /// The unit that admitted a command.
  private func holder(of command: Command) -> LogicalUnit {
    let unit = home(of: command)
    guard let former = views[ObjectIdentifier(command.nexus)]?.former, !former.isEmpty,
      !unit.holds(command)
    else { return unit }
    return former.first { $0.holds(command) } ?? unit
  }

  private static let reportLUNs: UInt8 = 0xA0

  // MARK: Commands

  /// To the unit, or to what stands for it.
  public override func admit(_ command: Command) -> Admission {
    home(of: command).admit(command)
  }

  /// To the unit that admitted it.
  public override func execute(
    _ command: Command, dataOut: consuming Payload, for client: CommandClient
  ) {
    holder(of: command).execute(command, dataOut: dataOut, for: client)
  }

  /// To the unit that admitted it.
  public override func withdraw(_ command: Command) {
    holder(of: command).withdraw(command)
  }

  // MARK: Task management

  /// SAM-5 clause 7.
  public override func manage(
    _ function: TaskManagementFunction, logicalUnit: UInt64, nexus: Nexus
  ) async -> ServiceResponse {
    if function == .targetReset {
      for unit in units(of: nexus) { await reset(unit, by: nexus) }
      return .functionComplete
    }
    guard let unit = unit(logicalUnit, of: nexus) else { return .incorrectLogicalUnit }
    switch function {
    case .abortTask(let tag):
      let isThere = unit.tasks.contains { $0.nexus === nexus && $0.command.tag == tag }
      await unit.abortTasks { $0.nexus === nexus && $0.command.tag == tag }
      return isThere ? .functionComplete : .taskDoesNotExist
    case .abortTaskSet:
      await unit.abortTasks { $0.nexus === nexus }
    case .clearTaskSet:
      await unit.clearTasks(by: nexus)
    case .logicalUnitReset:
      await reset(unit, by: nexus)
    case .clearACA, .targetReset:
      break
    }
    return .functionComplete
  }

  private func reset(_ unit: LogicalUnit, by nexus: Nexus) async {
    await unit.clearTasks(by: nexus)
    unit.control.reset()
    unit.reset()
    await unit.endCopies { _ in true }
    unit.control.establish(.busDeviceResetFunctionOccurred)
  }
}

extension LogicalUnit {
  /// CLEAR TASK SET: tasks of other nexuses end too, and they are told by TASK ABORTED (TAS) or by a
  /// unit attention.
  func clearTasks(by nexus: Nexus) async {
    let answers = control.mode.answersAbortedTasks
    if !answers {
      var others: [Nexus] = []
      for task in tasks where task.nexus !== nexus && !others.contains(where: { $0 === task.nexus })
      {
        others.append(task.nexus)
      }
      for other in others { control.establish(.commandsClearedByAnotherInitiator, for: other) }
    }
    await abortTasks(answering: { $0.nexus !== nexus && answers }, where: { _ in true })
  }
}
