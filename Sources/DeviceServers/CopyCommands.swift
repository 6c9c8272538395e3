// EXTENDED COPY and RECEIVE COPY RESULTS for the logical units of a disk system.
//
// A command passes three gates. Its CDB says how much parameter list is fetched; a list that is
// longer than any accepted one is refused without its data. Then the list is read, its CSCDs are
// found among the logical units that the nexus itself may reach, and it becomes a copy. The copy
// waits for its turn, in the order of PRIORITY: few copies move data at a time, because each needs
// memory that is its own, so that copies and the initiators' commands never wait for each other's
// buffers.

import CopyManager
import Devices
import ExtendedCopy
public import SAM
public import SCSI
import Transfer
public import Uring

/// Why a command was not executed, or how it ended.
public struct CopyRefusal: Error, Equatable, Sendable {
  /// What the initiator is told.
  public var sense: SenseData

  /// A field of the CDB that is not accepted.
  static func inCommand(_ offset: UInt16, bitPointer: UInt8? = nil) -> CopyRefusal {
    CopyRefusal(
      sense: SenseData(
        key: .illegalRequest, additional: .invalidFieldInCDB,
        fieldPointer: .init(offset: offset, inCommand: true, bitPointer: bitPointer)))
  }

  /// A service action that there is not.
  static let serviceAction = inCommand(1, bitPointer: 4)
}

/// How an EXTENDED COPY ended.
public struct CopyAnswer: Equatable, Sendable {
  /// SAM status; TASK ABORTED of a copy that task management or COPY OPERATION ABORT has ended.
  public var status: Status
  /// With CHECK CONDITION.
  public var sense: SenseData?

  /// Both said.
  public init(_ status: Status, sense: SenseData? = nil) {
    self.status = status
    self.sense = sense
  }
}

/// The third-party copy commands of all logical units of one ring: one copy manager, to be used on
/// the ring's thread.
///
/// List identifiers, results and held data belong to a nexus and the logical unit it sent the command
/// to; nobody else sees them.
public final class CopyCommands {
  let ring: Ring
  let limits: TransferLimits
  let mostActive: Int
  /// Copies that wait or run, oldest first.
  var operations: [CopyOperation] = []
  var records = CopyRecords()
  /// What copies met on their way to devices.
  var searchReports: [(nexus: Nexus, line: String)] = []
  private var active = 0
  /// Knows which units each nexus may reach; without one there are none.
  public weak var router: LogicalUnitRouter?
  /// Knows the devices beyond; without one there are none.
  public var reach: CopyReach?
  /// Bytes of the longest parameter list that there is memory for.
  let listBytesMaximum: Int

  /// `memoryBytes` of the ring's arena are for copies, and for nothing else: 4 MiB or more.
  ///
  /// - Parameter listBytesMaximum: the longest parameter list that can be received.
  public init(ring: Ring, memoryBytes: Int, listBytesMaximum: Int = 2 << 20) {
    self.ring = ring
    self.listBytesMaximum = max(listBytesMaximum, CopyLimits.parameterListBytes)
    mostActive = CopyLimits.activeCopies(memoryBytes: memoryBytes)
    limits = CopyLimits.transfer(memoryBytes: memoryBytes)
  }

  // MARK: EXTENDED COPY

  /// Bytes of parameter list that an EXTENDED COPY takes; 0 where it has none.
  ///
  /// - Throws: what the initiator is told at once.
  public func parameterListLength(
    _ cdb: CommandDescriptorBlock
  ) throws(CopyRefusal) -> Int {
    guard let command = ExtendedCopyCommand(cdb.array) else { throw .inCommand(0) }
    switch command.serviceAction {
    case .lid1, .lid4:
      let most =
        reach == nil
        ? CopyLimits.parameterListBytes
        : CopyLimits.parameterListBytes(of: offer(reaching: true), maximum: listBytesMaximum)
      guard command.parameterListLength <= UInt32(most) else {
        throw CopyRefusal(
          sense: SenseData(key: .illegalRequest, additional: .parameterListLengthError))
      }
      return Int(command.parameterListLength)
    case .copyOperationAbort:
      return 0
    default:
      throw .serviceAction
    }
  }

  /// Executes an EXTENDED COPY that `unit` got, with the parameter list it fetched.
  ///
  /// - Parameters:
  ///   - bytes: The parameter list, as much of it as came.
  ///   - units: All block logical units that the command's nexus may reach: no others can be source
  ///     or destination. Two that carry the same designator cannot be told apart, and are none.
  ///   - usesDescriptorSense: How sense data is encoded that RECEIVE COPY RESULTS repeats.
  public func execute(
    _ command: Command, at unit: any CopyUnit, list bytes: [UInt8], units: [any CopyUnit],
    usesDescriptorSense: Bool = false
  ) async -> CopyAnswer {
    guard let extendedCopy = ExtendedCopyCommand(command.cdb.array) else {
      return CopyAnswer(.checkCondition, sense: CopyRefusal.inCommand(0).sense)
    }
    // Task management may have come between the command and its first step.
    if command.isAborted { return CopyAnswer(.taskAborted) }
    let action = extendedCopy.serviceAction
    if action == .copyOperationAbort {
      return await abortOperation(extendedCopy.listIdentifier, command.nexus, unit)
    }
    if bytes.isEmpty { return CopyAnswer(.good) }
    let list: ParameterList
    do throws(CopyRefusal) {
      list = try read(bytes, action, for: command.nexus)
    } catch {
      return CopyAnswer(.checkCondition, sense: error.sense)
    }
    let key = CopyKey(nexus: command.nexus, unit: unit, listIdentifier: list.listIdentifier)
    if list.listIDUsage != .disabled, operation(key) != nil {
      return CopyAnswer(
        .checkCondition,
        sense: SenseData(key: .illegalRequest, additional: .operationInProgress))
    }
    let held = operations.reduce(bytes.count) { $0 + $1.listBytes }
    guard operations.count < CopyLimits.copies, held <= CopyLimits.listBytesOfAllCopies else {
      return CopyAnswer(.busy)
    }
    records.discard { $0.key == key }
    let operation = CopyOperation(
      key, action, list, listBytes: bytes.count, devices: devices(of: list, units, command.nexus),
      manager: CopyManager(ring: ring, limits: limits),
      command: list.immediate ? nil : command, usesDescriptorSense: usesDescriptorSense)
    operations.append(operation)
    if list.immediate {
      ring.start { _ = await self.run(operation) }
      return CopyAnswer(.good)
    }
    let result = await run(operation)
    return CopyAnswer(result.status, sense: result.sense)
  }

  private func read(
    _ bytes: [UInt8], _ action: ServiceAction, for nexus: Nexus
  ) throws(CopyRefusal) -> ParameterList {
    let list: ParameterList
    do throws(ParameterListError) {
      list = try ParameterList.decode(bytes, serviceAction: action, limits: offer(to: nexus))
    } catch {
      throw CopyRefusal(sense: error.sense)
    }
    if let sense = CopyManager.refusal(of: list) { throw CopyRefusal(sense: sense) }
    return list
  }

  // MARK: What descriptors name

  /// For each CSCD descriptor the logical unit that it names, for this nexus; nil where it names none
  /// that the nexus may reach, whether there is one or not.
  private func devices(
    of list: ParameterList, _ units: [any CopyUnit], _ nexus: Nexus
  ) -> [CopyDevice?] {
    var bound: [ObjectIdentifier: BoundDisk] = [:]
    return list.targets.map { target in
      guard let unit = Self.unit(named: target, units) else { return nil }
      let disk = bound[ObjectIdentifier(unit)] ?? BoundDisk(unit, for: nexus, ring: ring)
      bound[ObjectIdentifier(unit)] = disk
      return .block(disk)
    }
  }

  private static func unit(
    named target: TargetDescriptor, _ units: [any CopyUnit]
  ) -> (any CopyUnit)? {
    // A number names an initiator port, so what is meant is not here.
    guard !target.isNull, target.relativeInitiatorPort == 0,
      case .designator(let designator) = target.identification
    else { return nil }
    var found: (any CopyUnit)?
    for unit in units where unit !== found && unit.designators.contains(designator) {
      if found != nil { return nil }
      found = unit
    }
    return found
  }

  // MARK: Running

  func operation(_ key: CopyKey) -> CopyOperation? {
    operations.first { $0.isIdentified && $0.key == key }
  }

  private func run(_ operation: CopyOperation) async -> CopyResult {
    if active < mostActive {
      active += 1
      operation.begin()
    } else {
      await operation.waitForTurn()
    }
    let result = operation.hasTurn ? await runWithTurn(operation) : Self.aborted
    operations.removeAll { $0 === operation }
    if operation.hasTurn { passTurn() }
    keep(operation, result)
    operation.end()
    return result
  }

  private static let aborted = CopyResult(
    status: .taskAborted, sense: nil, segmentsProcessed: 0, heldData: [], heldDataDiscarded: false,
    counters: TransferCounters())

  private func runWithTurn(_ operation: CopyOperation) async -> CopyResult {
    let reached = await reach(operation)
    var result =
      reached != nil && operation.isCancelled
      ? Self.aborted
      : await operation.manager.execute(operation.list, devices: operation.devices)
    // Where ports were searched, a target that stayed without a device is one that none reached.
    if reached != nil, result.sense?.additional == .unreachableCopyTarget,
      result.sense?.fieldPointer?.inSegment != true
    {
      result.sense?.additional = .copyTargetDeviceNotReachable
    }
    operation.devices = []
    await reached?.close()
    return result
  }

  /// Gives the turn of a copy that has ended to the most urgent one that waits, the oldest of those.
  private func passTurn() {
    active -= 1
    let waiting = operations.filter(\.isWaiting)
    // `min` keeps the first of equals.
    guard let next = waiting.min(by: { $0.list.priority < $1.list.priority }) else { return }
    active += 1
    next.begin()
  }

  private func keep(_ operation: CopyOperation, _ result: CopyResult) {
    guard operation.list.listIDUsage == .hold, !operation.isForgotten else { return }
    let sense = result.sense.map {
      operation.usesDescriptorSense ? $0.descriptorBytes() : $0.fixedBytes()
    }
    records.keep(CopyRecord(operation, result, sense: sense ?? []))
  }

  // MARK: Ending

  /// 83h/1Ch: ends the copy and answers after its last completion.
  private func abortOperation(
    _ listIdentifier: UInt32, _ nexus: Nexus, _ unit: any CopyUnit
  ) async -> CopyAnswer {
    let key = CopyKey(nexus: nexus, unit: unit, listIdentifier: listIdentifier)
    guard let operation = operation(key) else {
      return CopyAnswer(.checkCondition, sense: CopyRefusal.inCommand(2).sense)
    }
    operation.cancel()
    await operation.waitForEnd()
    return CopyAnswer(.good)
  }

  /// Task management has ended `command`: `execute` returns soon, after the last completion.
  public func abort(_ command: Command) {
    operations.first { $0.command === command }?.cancel()
  }

  /// The nexus is lost: its copies end soon, those in the background too, and its results are
  /// forgotten.
  public func forget(_ nexus: Nexus) {
    forget { $0.nexus === nexus }
    searchReports.removeAll { $0.nexus === nexus }
  }

  /// The logical unit was reset: the copies that were sent to it end soon, and their results are
  /// forgotten.
  public func forget(commandsTo unit: any CopyUnit) { forget { $0.unit === unit } }

  private func forget(where isForgotten: (CopyKey) -> Bool) {
    for operation in operations where isForgotten(operation.key) {
      operation.isForgotten = true
      operation.cancel()
    }
    records.discard { isForgotten($0.key) }
  }

  /// Ends all copies, before the logical units go. Returns after the last completion.
  public func stop() async {
    forget { _ in true }
    while let operation = operations.first { await operation.waitForEnd() }
  }
}
