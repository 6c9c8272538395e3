import Devices
import SAM
import SCSI
import Uring

/// How a block command ended, before the transport's words for it.
enum BlockAnswer: Equatable {
  /// GOOD.
  case good
  /// CHECK CONDITION.
  case sense(SenseData)
  /// RESERVATION CONFLICT.
  case reservationConflict
  /// GOOD with data for the initiator, already cut to the allocation length.
  case data([UInt8])

  /// What became of steps at the device.
  init(_ status: DeviceStatus) {
    guard !status.isSuccess, let condition = status.condition else {
      self = .good
      return
    }
    self = .sense(SenseData(condition))
  }

  /// Data of at most `length` bytes.
  static func data(_ bytes: [UInt8], upTo length: Int) -> BlockAnswer {
    .data(Array(bytes.prefix(length)))
  }
}

/// The commands of SBC-3 on one block device: what they check, in which order, and what they do.
///
/// READ and WRITE go straight to the store. All others are `async` and hold the blocks they work on:
/// the whole range, alone, where SBC-3 calls them atomic, else piece by piece. After everything that
/// they waited for they ask again whether they may go on.
final class BlockServer: BlockStoreClient {
  let disk: BlockDevice
  let options: BlockLogicalUnitOptions
  /// Mode values: SWP and WCE.
  private let control: ControlBlock
  let limits: BlockLimits
  let ring: Ring
  /// LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT.
  let physicalBlockExponent: Int
  private var madeStore: BlockStore?
  /// Whether a removable medium is in.
  var isLoaded = true
  /// Nexuses that have forbidden to take the medium out.
  var preventing: Set<ObjectIdentifier> = []
  /// The sanitize operation that runs, or has failed.
  var sanitize = SanitizeState.none
  /// Whether blocks are being fetched, or a flush is to begin, behind an answer that was immediate.
  var isPrefetching = false, hasFlushWaiting = false
  /// Told when a medium has been loaded, and through which nexus.
  var mediumLoaded: (Nexus) -> Void = { _ in }
  /// Told how transfers of the data path have ended.
  var transferred: (BlockOperation) -> Void = { _ in }
  /// Told of transfers of the data path that never began.
  var withdrawn: (BlockOperation) -> Void = { _ in }

  init(
    disk: BlockDevice, options: BlockLogicalUnitOptions, control: ControlBlock, share: BufferShare,
    ring: Ring
  ) {
    self.disk = disk
    self.control = control
    physicalBlockExponent =
      options.physicalBlockExponent ?? Self.physicalBlockExponent(disk.blockLength)
    self.options = options
    self.ring = ring
    limits = BlockLimits(
      blockLength: disk.blockLength, physicalBlockExponent: physicalBlockExponent,
      bufferByteCount: share.byteCount)
    super.init()
    madeStore = BlockStore(disk: disk, share: share, ring: ring, client: self)
  }

  /// What files and disks are written in: pages.
  private static let physicalByteCount = 4096

  private static func physicalBlockExponent(_ blockLength: Int) -> Int {
    var exponent = 0
    while blockLength << (exponent + 1) <= physicalByteCount { exponent += 1 }
    return exponent
  }

  var store: BlockStore {
    guard let madeStore else { preconditionFailure("a server has its store from the start") }
    return madeStore
  }

  var blockLength: Int { disk.blockLength }
  /// Blocks of the medium.
  var capacity: UInt64 { disk.blockCount }
  /// Whether blocks can be given back: LBPME.
  var isThin: Bool { options.isThin }
  /// Whether writes are refused.
  var isWriteProtected: Bool {
    disk.isReadOnly || options.isReadOnly || control.mode.isWriteProtected
  }
  /// Whether every write goes to the medium before it ends: WCE is 0.
  var writesThrough: Bool { !control.mode.hasWriteCache }

  override func finish(_ operation: BlockOperation) { transferred(operation) }
  override func withdraw(_ operation: BlockOperation) { withdrawn(operation) }

  // MARK: Nexuses

  /// A nexus has gone: what it forbade is allowed again.
  func forget(_ nexus: Nexus) { preventing.remove(ObjectIdentifier(nexus)) }

  /// LOGICAL UNIT RESET: the medium may be taken out. A sanitize operation goes on (SBC-3 4.11).
  func reset() { preventing.removeAll() }

  // MARK: Whether a command may begin

  /// Why the unit is not ready, for TEST UNIT READY and everything that needs the medium.
  var notReady: SenseData? {
    switch sanitize {
    case .running(let progress, _):
      var sense = SenseData(key: .notReady, additional: .sanitizeInProgress)
      sense.progress = progress
      return sense
    case .failed: return SenseData(key: .mediumError, additional: .sanitizeCommandFailed)
    case .none: break
    }
    return isLoaded ? nil : SenseData(key: .notReady, additional: .mediumNotPresent)
  }

  /// What is wrong with a request before any of its data has come; nil where it may begin.
  func refusal(of request: BlockRequest) -> SenseData? {
    if request.namesBlocks {
      let (end, overflows) = request.lba.addingReportingOverflow(request.blockCount)
      if request.lba >= capacity || overflows || end > capacity {
        return SenseData(key: .illegalRequest, additional: .logicalBlockAddressOutOfRange)
      }
    }
    do throws(InvalidField) {
      try checkLimits(request)
    } catch {
      return error.sense
    }
    if case .running = sanitize, request.operation != .preventAllowMediumRemoval {
      return notReady
    }
    if request.operation == .sanitize, !isLoaded { return notReady }
    if request.changesMedium, isWriteProtected {
      return SenseData(key: .dataProtect, additional: .writeProtected)
    }
    return nil
  }

  /// Why a command that has begun may not go on, after anything that it waited for; nil where it may.
  /// What another nexus has preempted, taken out, sanitized or protected meanwhile is not touched. An
  /// aborted command goes no further, and whatever it answers is dropped.
  func interruption(of request: BlockRequest, _ command: Command) -> BlockAnswer? {
    if command.isAborted { return .good }
    if control.forbids(request.changesMedium ? .writes : .reads, by: command.nexus) {
      return .reservationConflict
    }
    if let notReady { return .sense(notReady) }
    if request.changesMedium, isWriteProtected {
      return .sense(SenseData(key: .dataProtect, additional: .writeProtected))
    }
    return nil
  }

  /// Does a step with the right to its blocks, unless the command may not go on.
  func holding(
    _ blocks: Range<UInt64>, alone: Bool, _ request: BlockRequest, _ command: Command,
    _ step: () async -> BlockAnswer
  ) async -> BlockAnswer {
    guard let held = await store.hold(blocks, alone: alone, for: command) else { return .good }
    defer { store.release(held) }
    if let interruption = interruption(of: request, command) { return interruption }
    return await step()
  }

  private func checkLimits(_ request: BlockRequest) throws(InvalidField) {
    let count = request.blockCount
    switch request.operation {
    case .read, .write, .orWrite, .writeAndVerify:
      if count > UInt64(limits.transferBlocks) { throw InvalidField(request.lengthField) }
    case .verify where request.byteCheck == .all:
      if count > UInt64(limits.transferBlocks) { throw InvalidField(request.lengthField) }
    case .compareAndWrite:
      if count > UInt64(limits.compareAndWriteBlocks) { throw InvalidField(13) }
    case .writeSame:
      if request.unmaps, !isThin { throw InvalidField(1, bit: 3) }
      // 0 is as many as there are up to the end of the medium, and has the same limit.
      let whole = count > 0 ? count : capacity - request.lba
      if whole > limits.writeSameBlocks { throw InvalidField(request.lengthField) }
    case .sanitize: try checkSanitize(request)
    default: break
    }
  }

  /// What is wrong when the data has come: half a pair cannot be compared and written, and WRITE SAME
  /// takes one block exactly, or with UNMAP none.
  private func refusal(of request: inout BlockRequest, expectedDataOut: Int) -> SenseData? {
    if request.operation == .writeSame, request.unmaps, expectedDataOut == 0 {
      request.hasNoDataOut = true
    }
    switch request.operation {
    case .writeSame, .compareAndWrite:
      return expectedDataOut == request.dataOutByteCount(blockLength: blockLength)
        ? nil : InvalidField(request.lengthField).sense
    default: return nil
    }
  }

  // MARK: Data path

  /// Begins a transfer whose data has come. Its end is told to `transferred`.
  ///
  /// - Returns: false where there is nothing to transfer, and the command has ended well.
  func transfer(_ request: BlockRequest, _ dataOut: consuming Payload, for task: UnitTask) -> Bool {
    switch request.operation {
    case .read:
      guard request.blockCount > 0 else { return false }
      store.read(request.lba..<request.lba + request.blockCount, for: task)
    case .write:
      // An initiator that sends less than its CDB says gets that much written, in whole blocks.
      let blocks = min(request.blockCount, UInt64(dataOut.byteCount / blockLength))
      guard blocks > 0 else { return false }
      var payload: Payload = dataOut
      if payload.byteCount > Int(blocks) * blockLength {
        payload.truncate(to: Int(blocks) * blockLength)
      }
      store.write(
        request.lba..<request.lba + blocks, payload,
        isDurable: request.forcesUnitAccess || writesThrough, for: task)
    default:
      preconditionFailure("only reads and writes are transfers")
    }
    return true
  }

  // MARK: Everything else

  /// Executes what is not a plain transfer.
  func perform(_ request: BlockRequest, _ dataOut: consuming Payload, for command: Command) async
    -> BlockAnswer
  {
    let cdb = command.cdb
    var request = request
    if let sense = refusal(of: &request, expectedDataOut: command.expectedDataOut) {
      return .sense(sense)
    }
    return switch request.operation {
    case .read, .write: preconditionFailure("transfers have their own way")
    case .verify: await verify(request, dataOut, command)
    case .writeAndVerify: await writeAndVerify(request, dataOut, command)
    case .compareAndWrite: await compareAndWrite(request, dataOut, command)
    case .orWrite: await orWrite(request, dataOut, command)
    case .writeSame: await writeSame(request, dataOut, command)
    case .unmap: await unmap(dataOut.prefixBytes(request.listLength), request, command)
    case .getLBAStatus: await lbaStatus(request, command)
    case .preFetch: await preFetch(request, command)
    case .synchronizeCache: await synchronizeCache(request)
    case .readCapacity10: .data(capacity10)
    case .readCapacity16: .data(capacity16, upTo: request.listLength)
    case .readDefectData10, .readDefectData12: defects(request, cdb)
    case .startStopUnit: await startStop(cdb, command.nexus)
    case .preventAllowMediumRemoval: preventAllow(cdb, command.nexus)
    case .sanitize:
      await sanitize(request, cdb, dataOut.prefixBytes(request.listLength), command)
    }
  }
}

extension SenseData {
  /// What a device said, as a logical unit passes it on.
  init(_ condition: Condition) {
    self.init(
      key: condition.key, additional: condition.additional,
      information: condition.information.map { UInt64(bitPattern: $0) },
      deferred: condition.isDeferred)
  }

  /// 0Eh/1Dh/00h at a byte of the data that was compared. SBC-3 5.3.
  static func miscompare(at offset: Int) -> SenseData {
    SenseData(
      key: .miscompare, additional: .miscompareDuringVerify, information: UInt64(offset))
  }
}
