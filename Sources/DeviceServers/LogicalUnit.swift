public import SAM
public import SCSI
public import Uring

/// An own logical unit: its identity, its task set and the commands it executes. SAM-5 4.8.
///
/// Subclasses bring commands of their kind of device; those of SPC are here. Used on the ring's thread.
@safe
open class LogicalUnit {
  /// The ring it lives on.
  public let ring: Ring
  /// What it says it is.
  public let identity: UnitIdentity
  /// PERIPHERAL DEVICE TYPE.
  public let peripheralDeviceType: UInt8
  /// What all paths to the unit share.
  public let control: ControlBlock
  let table: CommandTable

  /// Tasks admitted and not ended, oldest first.
  private(set) var tasks: [UnitTask] = []
  private var pool: [UnitTask] = []
  /// Tasks that make younger ones wait.
  private var orderedCount = 0
  /// Head of queue tasks that have begun, which everything that has not begun waits for.
  private var headOfQueueCount = 0
  /// Tasks that were executed and wait for others.
  private var waitingCount = 0
  private var isGoingOn = false
  private var nextSerial: UInt64 = 0
  private var endWaiters: [UnsafeContinuation<Void, Never>] = unsafe []

  /// Most tasks of a unit; TASK SET FULL beyond.
  public static let taskCapacity = 512

  /// A unit with the commands of SPC and `commands`.
  public init(
    ring: Ring, identity: UnitIdentity, peripheralDeviceType: UInt8, control: ControlBlock,
    commands: [CommandEntry]
  ) {
    self.ring = ring
    self.identity = identity
    self.peripheralDeviceType = peripheralDeviceType
    self.control = control
    table = CommandTable(Self.primaryCommands + commands)
    tasks.reserveCapacity(Self.taskCapacity)
  }

  init(
    ring: Ring, identity: UnitIdentity, peripheralDeviceType: UInt8, control: ControlBlock,
    table: CommandTable
  ) {
    self.ring = ring
    self.identity = identity
    self.peripheralDeviceType = peripheralDeviceType
    self.control = control
    self.table = table
    tasks.reserveCapacity(Self.taskCapacity)
  }

  // MARK: What subclasses say

  /// Codes of vital product data pages beyond those of SPC.
  open var furtherVitalProductPages: [UInt8] { [] }

  /// The lines of vendor specific log page 30h that a nexus may read; nil where there is no such page.
  open func copyReports(for nexus: Nexus) -> [String]? { nil }

  /// The bytes of such a page behind its four-byte header.
  open func vitalProductPage(_ code: UInt8) -> [UInt8]? { nil }

  /// Why the medium is not ready; nil where it is.
  open func notReady() -> SenseData? { nil }

  /// Whether the medium refuses writes, whatever the mode pages say.
  open var isReadOnly: Bool { false }

  /// The block descriptor of MODE SENSE: 8 bytes, or 16 with `long`.
  open func modeBlockDescriptor(long: Bool) -> [UInt8] { [] }

  /// Whether the medium can be taken out.
  open var isRemovable: Bool { false }

  /// A task that was executed and has not ended was aborted: it ends soon, by `finish`, perhaps in
  /// this call.
  open func taskAborted(_ task: UnitTask) {}

  /// Copies that nexuses have ordered end: those sent to the unit, and what others do to it. Returns
  /// after the last completion.
  open func endCopies(of isMeant: (Nexus) -> Bool) async {}

  /// A nexus has gone.
  open func nexusLost(_ nexus: Nexus) {}

  /// Makes durable what commands have written so far, those included that have not ended yet; what
  /// failed, or nil.
  open func flushCache() async -> SenseData? { nil }

  /// LOGICAL UNIT RESET: what the kind of device forgets.
  open func reset() {}

  // MARK: From arrival to end

  /// Looks at a command that has arrived; see `TaskRouter.admit`.
  func admit(_ command: Command) -> Admission {
    let entry: CommandEntry
    switch table.lookup(command.cdb) {
    case .found(let found): entry = found
    case .unknownOperationCode:
      return refuse(command, .illegalRequest(.invalidCommandOperationCode, field: 0))
    case .unknownServiceAction:
      return refuse(command, .illegalRequest(.invalidFieldInCDB, field: 1))
    }
    // Nothing is executed before the reservations of the last run hold again.
    guard control.isRestored else { return refuse(command, status: .busy) }
    if entry.meetsUnitAttention, let attention = control.takeUnitAttention(for: command.nexus) {
      return refuse(command, SenseData(key: .unitAttention, additional: attention))
    }
    if control.conflicts(command, entry) { return refuse(command, status: .reservationConflict) }
    if let sense = invalidField(command.cdb, entry) { return refuse(command, sense) }
    if command.attribute == .automaticContingentAllegiance {
      return refuse(command, .illegalRequest(.invalidFieldInCDB, field: nil))
    }
    if entry.needsReadyMedium, let sense = notReady() { return refuse(command, sense) }
    guard tasks.count < Self.taskCapacity else { return refuse(command, status: .taskSetFull) }
    let length: Int
    switch entry.dataOutLength(self, command.cdb) {
    case .success(let bytes): length = bytes
    case .failure(let sense): return refuse(command, sense)
    }
    let task: UnitTask
    if let pooled = pool.popLast() {
      pooled.command = command
      pooled.entry = entry
      task = pooled
    } else {
      task = UnitTask(command: command, entry: entry)
    }
    task.serial = nextSerial
    nextSerial += 1
    if command.attribute == .ordered { orderedCount += 1 }
    tasks.append(task)
    return .execute(dataOut: length)
  }

  /// Executes an admitted command as soon as its place in the task set allows.
  public func execute(
    _ command: Command, dataOut: consuming Payload, for client: CommandClient
  ) {
    guard let task = tasks.first(where: { $0.command === command }) else {
      preconditionFailure("a command is admitted before it is executed")
    }
    task.client = client
    task.dataOut = consume dataOut
    if task.isAborted {
      return finish(task, CommandResult(.taskAborted, dataIn: empty(), transferLength: 0))
    }
    if mayStart(task) {
      start(task)
    } else {
      task.isWaiting = true
      waitingCount += 1
    }
  }

  /// Whether a command stands in the task set.
  func holds(_ command: Command) -> Bool { tasks.contains { $0.command === command } }

  /// Forgets an admitted command whose data does not come.
  public func withdraw(_ command: Command) {
    guard let task = tasks.first(where: { $0.command === command }) else { return }
    remove(task)
    recycle(task)
    goOn()
  }

  private func start(_ task: UnitTask) {
    stopWaiting(task)
    task.hasStarted = true
    if task.command.attribute == .headOfQueue { headOfQueueCount += 1 }
    switch task.entry.execution {
    case .direct(let run): run(self, task)
    case .asynchronous(let run):
      ring.start { [self] in
        let result = await run(self, task)
        finish(task, result)
      }
    }
  }

  /// SAM-5 8.8: what has begun goes on, whatever comes after it.
  private func mayStart(_ task: UnitTask) -> Bool {
    if task.command.attribute == .headOfQueue { return true }
    if headOfQueueCount > 0 { return false }
    if orderedCount == 0 { return true }
    for older in tasks {
      if older === task { return true }
      if task.command.attribute == .ordered || older.command.attribute == .ordered { return false }
    }
    preconditionFailure("a task stands in its task set")
  }

  /// Ends a task: its client gets `result`, or nothing where the command was aborted.
  public func finish(_ task: UnitTask, _ result: consuming CommandResult) {
    var result = result
    if task.isAborted {
      if let share = result.share {
        let borrowed = result.borrowedByteCount
        result = CommandResult(.taskAborted, dataIn: empty(), transferLength: 0)
        share.giveBack(borrowed)
      } else {
        result = CommandResult(.taskAborted, dataIn: empty(), transferLength: 0)
      }
      if !task.answersAborted { result.disposition = .silent }
    }
    guard let client = task.client else {
      preconditionFailure("a task that ends was executed")
    }
    let command = task.command
    remove(task)
    recycle(task)
    client.complete(command, result)
    goOn()
  }

  private func recycle(_ task: UnitTask) {
    task.client = nil
    task.dataOut = nil
    task.hasStarted = false
    task.answersAborted = false
    pool.append(task)
  }

  private func remove(_ task: UnitTask) {
    guard let index = tasks.firstIndex(where: { $0 === task }) else {
      preconditionFailure("a task ends once")
    }
    tasks.remove(at: index)
    stopWaiting(task)
    if task.command.attribute == .ordered { orderedCount -= 1 }
    if task.hasStarted, task.command.attribute == .headOfQueue { headOfQueueCount -= 1 }
  }

  private func stopWaiting(_ task: UnitTask) {
    guard task.isWaiting else { return }
    task.isWaiting = false
    waitingCount -= 1
  }

  /// After a task has left and its client was told: what waited for it goes on.
  private func goOn() {
    if unsafe !endWaiters.isEmpty {
      let waiters = unsafe endWaiters
      unsafe endWaiters = unsafe []
      unsafe waiters.forEach { unsafe $0.resume() }
    }
    // A task that ends while it is started comes here again; the outer call goes on for it.
    guard waitingCount > 0, !isGoingOn else { return }
    isGoingOn = true
    defer { isGoingOn = false }
    while let task = tasks.first(where: { $0.isWaiting && mayStart($0) }) {
      if task.isAborted {
        finish(task, CommandResult(.taskAborted, dataIn: empty(), transferLength: 0))
      } else {
        start(task)
      }
    }
  }

  /// No bytes, for results without data.
  public func empty() -> Payload { ring.arena.empty() }

  // MARK: Task management

  /// Ends the tasks for which `condition` holds; returns after the last completion of each.
  ///
  /// - Parameter answering: whether their initiators are told TASK ABORTED, by `TAS` (SPC-4 7.5.8).
  func abortTasks(
    answering: (UnitTask) -> Bool = { _ in false }, where condition: (UnitTask) -> Bool
  ) async {
    var pending: Set<UInt64> = []
    for task in tasks where condition(task) {
      task.command.markAborted()
      task.answersAborted = answering(task)
      if task.client != nil { pending.insert(task.serial) }
    }
    for task in tasks where task.isAborted && task.hasStarted { taskAborted(task) }
    for task in tasks where task.isAborted && !task.hasStarted && task.client != nil {
      finish(task, CommandResult(.taskAborted, dataIn: empty(), transferLength: 0))
    }
    while tasks.contains(where: { pending.contains($0.serial) }) {
      unsafe await withUnsafeContinuation { unsafe endWaiters.append($0) }
    }
  }

  // MARK: Answers

  /// CHECK CONDITION with `sense`, in the format that D_SENSE asks for.
  public func checkCondition(_ sense: SenseData) -> CommandResult {
    CommandResult(
      sense: control.mode.usesDescriptorSense ? sense.descriptorBytes() : sense.fixedBytes(),
      noData: empty())
  }

  /// GOOD with `bytes` as data in, cut to the allocation length of the CDB.
  public func answer(_ bytes: [UInt8], allocationLength: Int) -> CommandResult {
    let count = min(bytes.count, allocationLength)
    guard count > 0 else { return CommandResult(.good, dataIn: empty(), transferLength: 0) }
    guard var payload = ring.arena.allocate(count, alignment: 8) else {
      return CommandResult(.busy, dataIn: empty(), transferLength: 0)
    }
    payload.overwrite(with: bytes)
    return CommandResult(.good, dataIn: payload, transferLength: count)
  }

  /// GOOD without data in, of a command that took `dataOut` bytes, so that no residual is reported.
  public func good(dataOut byteCount: Int = 0) -> CommandResult {
    CommandResult(.good, dataIn: empty(), transferLength: byteCount)
  }

  private func refuse(_ command: Command, _ sense: SenseData) -> Admission {
    .finished(checkCondition(sense))
  }

  private func refuse(_ command: Command, status: Status) -> Admission {
    .finished(CommandResult(status, dataIn: empty(), transferLength: 0))
  }

  /// The first bit that is set where the command does not look, or NACA, which needs NORMACA.
  private func invalidField(_ cdb: CommandDescriptorBlock, _ entry: CommandEntry) -> SenseData? {
    let controlByte = entry.usage.count - 1
    if cdb[controlByte] & 0x04 != 0 {
      return .illegalRequest(.invalidFieldInCDB, field: UInt16(controlByte), bit: 2)
    }
    for index in 1..<entry.usage.count {
      let extra = cdb[index] & ~entry.usage[index]
      if extra != 0 {
        return .illegalRequest(
          .invalidFieldInCDB, field: UInt16(index),
          bit: UInt8(7 - extra.leadingZeroBitCount))
      }
    }
    return nil
  }
}

extension SenseData {
  /// ILLEGAL REQUEST, pointing at a byte of the CDB.
  public static func illegalRequest(
    _ additional: AdditionalSense, field: UInt16?, bit: UInt8? = nil
  ) -> SenseData {
    SenseData(
      key: .illegalRequest, additional: additional,
      fieldPointer: field.map { FieldPointer(offset: $0, inCommand: true, bitPointer: bit) })
  }

  /// ILLEGAL REQUEST, pointing at a byte of the parameter list.
  public static func illegalParameter(
    _ additional: AdditionalSense, field: UInt16?, bit: UInt8? = nil
  ) -> SenseData {
    SenseData(
      key: .illegalRequest, additional: additional,
      fieldPointer: field.map { FieldPointer(offset: $0, bitPointer: bit) })
  }
}

extension SenseData: Error {}
