public import Devices
public import SAM
public import SCSI
public import Uring

/// What a disk logical unit is like.
public struct BlockLogicalUnitOptions: Equatable, Sendable {
  /// Whether blocks can be given back, and read as zeros then (LBPME, LBPRZ).
  public var isThin = true
  /// Whether the medium can be taken out.
  public var isRemovable = false
  /// Whether writes are refused, whatever the disk behind allows.
  public var isReadOnly = false
  /// LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT, 0 to 15: 3 says that eight blocks of 512 bytes are
  /// written at once. nil: physical blocks of 4096 bytes, or one block where that is longer.
  public var physicalBlockExponent: Int?

  /// A fixed thin disk that may be written.
  public init() {}
}

/// A disk: the commands of SBC-3 on a block device.
public final class BlockLogicalUnit: LogicalUnit {
  /// PERIPHERAL DEVICE TYPE of a direct access block device.
  public static let peripheralDeviceType: UInt8 = 0x00

  let server: BlockServer
  /// EXTENDED COPY and RECEIVE COPY RESULTS; nil where the unit has none.
  private let copies: CopyCommands?

  /// A unit that shows `disk`, whose data in lies in buffers of `share`.
  ///
  /// - Parameters:
  ///   - disk: a file or raw device, of at least one block; closed by whoever opened it, after the
  ///     last command.
  ///   - share: at least four times a megabyte for transfers of a useful length.
  ///   - copies: the copy manager that executes its third-party copy commands.
  public init(
    disk: BlockDevice, identity: UnitIdentity, options: BlockLogicalUnitOptions = .init(),
    control: ControlBlock = ControlBlock(), share: BufferShare, ring: Ring,
    copies: CopyCommands? = nil
  ) {
    precondition(disk.blockCount > 0, "a disk has blocks")
    server = BlockServer(
      disk: disk, options: options, control: control, share: share, ring: ring)
    self.copies = copies
    super.init(
      ring: ring, identity: identity, peripheralDeviceType: Self.peripheralDeviceType,
      control: control, commands: Self.commands(server) + (copies?.entries ?? []))
    server.transferred = { [unowned self] in transferred($0) }
    server.withdrawn = { [unowned self] in withdrawn($0) }
    server.mediumLoaded = { [control] in
      control.establish(.notReadyToReadyChange, except: $0)
    }
  }

  /// The disk behind.
  public var disk: BlockDevice { server.disk }
  /// What it takes in one command.
  public var limits: BlockLimits { server.limits }

  // MARK: What the primary commands ask

  /// Block Limits, Block Device Characteristics, Logical Block Provisioning, and Third-party Copy.
  public override var furtherVitalProductPages: [UInt8] {
    (copies == nil ? [] : [0x8F]) + [0xB0, 0xB1, 0xB2]
  }

  /// SBC-3 6.6.
  public override func vitalProductPage(_ code: UInt8) -> [UInt8]? {
    switch code {
    case 0x8F: CopyLimits.thirdPartyCopyDescriptors
    case 0xB0: server.blockLimitsPage
    case 0xB1: server.characteristicsPage
    case 0xB2: server.provisioningPage
    default: nil
    }
  }

  /// What the last copies of the nexus found of devices beyond.
  public override func copyReports(for nexus: Nexus) -> [String]? {
    guard let copies, copies.reach != nil else { return nil }
    return copies.reports(for: nexus)
  }

  /// Sanitized, failed in it, or without a medium.
  public override func notReady() -> SenseData? { server.notReady }

  /// Of the disk or of the options.
  public override var isReadOnly: Bool { server.disk.isReadOnly || server.options.isReadOnly }

  /// RMB.
  public override var isRemovable: Bool { server.options.isRemovable }

  /// SBC-3 6.5.2.
  public override func modeBlockDescriptor(long: Bool) -> [UInt8] {
    server.blockDescriptor(long: long)
  }

  /// A copy stops where it stands; what waits for its blocks waits no more.
  public override func taskAborted(_ task: UnitTask) {
    copies?.abort(task.command)
    server.store.withdraw(task.command)
  }

  /// Copies of other units go on, and hear with their next operation whether they may.
  public override func endCopies(of isMeant: (Nexus) -> Bool) async {
    let cancelled = copies?.cancel(commandsTo: self, of: isMeant) ?? []
    await server.store.endCopies { nexus in
      guard isMeant(nexus) else { return nil }
      return refusal(of: .write, from: nexus) ?? Condition(.abortedCommand, .noAdditionalSense)
    }
    await copies?.waitForEnd(of: cancelled)
  }

  /// The medium may be taken out again, as far as it was up to this nexus; its copies end.
  public override func nexusLost(_ nexus: Nexus) {
    server.forget(nexus)
    copies?.forget(nexus)
  }

  /// Of the disk behind, after the transfers that have begun.
  public override func flushCache() async -> SenseData? {
    await server.store.settle { $0.task != nil || $0.command != nil || $0.copy != nil }
    let status = await disk.flush()
    return status.isSuccess ? nil : status.condition.map { SenseData($0) }
  }

  /// The medium may be taken out again; copies that were sent here end.
  public override func reset() {
    server.reset()
    copies?.forget(commandsTo: self)
  }

  // MARK: Data path

  /// Ends the command of a transfer.
  private func transferred(_ operation: BlockOperation) {
    guard let task = operation.task, var payload = operation.payload.take() else {
      preconditionFailure("a transfer is a task's and gives its payload back")
    }
    let blocks = operation.blocks
    let status = server.store.whole(
      operation.status, blocks, writing: operation.kind != .read)
    let byteCount = blocks.count * server.blockLength
    if operation.kind == .read {
      guard status.isSuccess else {
        drop(payload)
        server.store.share.giveBack(byteCount)
        return finish(task, result(BlockAnswer(status), task))
      }
      var result = CommandResult(.good, dataIn: payload, transferLength: byteCount)
      result.borrowedByteCount = byteCount
      result.share = server.store.share
      return finish(task, result)
    }
    // What was received lies in the transport's buffers, which are free once the command has ended.
    payload.truncate(to: 0)
    finish(task, result(BlockAnswer(status), task))
  }

  /// Ends an aborted command whose transfer never began.
  private func withdrawn(_ operation: BlockOperation) {
    guard let task = operation.task else {
      preconditionFailure("a transfer that can be withdrawn is a task's")
    }
    // What was received goes before the transport hears of the end.
    operation.payload = nil
    finish(task, CommandResult(.taskAborted, dataIn: empty(), transferLength: 0))
  }

  private func drop(_ payload: consuming Payload) {}

  /// The words of the transport for an answer.
  func result(_ answer: BlockAnswer, _ task: UnitTask) -> CommandResult {
    switch answer {
    case .good:
      CommandResult(
        .good, dataIn: empty(), transferLength: server.transferLength(of: task.cdb))
    case .sense(let sense): checkCondition(sense)
    case .reservationConflict:
      CommandResult(.reservationConflict, dataIn: empty(), transferLength: 0)
    case .data(let bytes): self.answer(bytes, allocationLength: bytes.count)
    }
  }
}
