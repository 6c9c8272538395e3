public import Devices
import Glibc
import ISCSIProtocol
import SAM
import SCSI
public import Uring

/// A disk of another disk system, over iSCSI.
///
/// A transfer longer than the disk takes goes in parts, one after another. Reads and writes are given
/// again after a loss of the connection, after UNIT ATTENTION and to a disk that is busy: doing them
/// twice is the same as doing them once.
public final class RemoteDisk: BlockDevice {
  /// A read or write, used over and over.
  final class Operation {
    let index: Int
    var client: DeviceClient?
    var tag: UInt64 = 0
    var isWriting = false
    /// Byte at which `done` ends and what is in flight begins.
    var offset: UInt64 = 0
    var done: Payload?
    var rest: Payload?
    var pausing: Payload?
    var attentions = 0
    var pauses = 0
    var aborts = 0

    init(index: Int) { self.index = index }
  }

  /// Longest transfer of a disk that names no limit: what the largest PDU sequence of a target takes
  /// without harm.
  static let usualTransferMaximum = 4 << 20
  /// ABORTED COMMAND: it is worth three attempts.
  static let mostAborts = 3
  /// A flush of a large cache takes minutes.
  static let flushTimeoutSeconds: UInt64 = 600

  let unit: RemoteUnit
  private let geometry: Geometry
  private let transferMaximum: Int
  private lazy var transfers = Transfers(self)
  private lazy var pause = Pause(self)
  private var operations: [Operation] = []
  private var free: [Int] = []
  private var hasUnflushedWrites = false
  /// Some of them were acknowledged, and may be in the disk's cache only.
  private var hasCachedWrites = false
  private var loginsAtWrite = 0

  /// What the disk says of itself.
  struct Geometry {
    var blockLength = 0
    var blockCount: UInt64 = 0
    /// Only READ(10) and WRITE(10) are there.
    var isShort = false
    /// Unmapped blocks read as zeros, and GET LBA STATUS tells them.
    var tellsHoles = false
    var isReadOnly = false
    /// WCE; a disk that does not say has one.
    var hasWriteCache = true
    var mostBlocks: UInt32 = 0
  }

  private init(_ unit: RemoteUnit, _ geometry: Geometry, readOnly: Bool) {
    self.unit = unit
    self.geometry = geometry
    let most = geometry.mostBlocks == 0 ? Int.max : Int(geometry.mostBlocks)
    let usual = max(1, Self.usualTransferMaximum / geometry.blockLength)
    transferMaximum = min(most, usual) * geometry.blockLength
    super.init(
      name: unit.name, blockLength: geometry.blockLength, blockCount: geometry.blockCount,
      isReadOnly: readOnly || geometry.isReadOnly, identity: unit.identity, memoryAlignment: 1)
  }

  /// Makes the logical unit, which is a disk, usable. The disk owns it, also where this throws.
  ///
  /// - Throws: what keeps it from being used, with the way out.
  public static func open(
    _ unit: RemoteUnit, readOnly: Bool = false
  ) async throws(InitiatorError) -> RemoteDisk {
    do throws(InitiatorError) {
      return RemoteDisk(unit, try await geometry(of: unit), readOnly: readOnly)
    } catch {
      await unit.session.close()
      throw error
    }
  }

  private final class Transfers: InitiatorClient {
    private unowned let disk: RemoteDisk
    init(_ disk: RemoteDisk) { self.disk = disk }
    override func complete(_ completion: consuming InitiatorCompletion) { disk.came(completion) }
  }

  private final class Pause: CompletionHandler {
    private unowned let disk: RemoteDisk
    init(_ disk: RemoteDisk) { self.disk = disk }
    override func complete(_ completion: consuming Completion) {
      let operation = disk.operations[Int(truncatingIfNeeded: completion.tag)]
      if let payload = operation.pausing.take() { disk.submit(operation, payload) }
    }
  }

  // MARK: Reads and writes

  /// READ(16), or READ(10) of a disk that knows no other.
  public override func read(
    at offset: UInt64, into payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    start(at: offset, payload, client, tag, writing: false)
  }

  /// WRITE(16), or WRITE(10).
  public override func write(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    precondition(!isReadOnly, "the caller has seen that the disk is read-only")
    if !hasUnflushedWrites { loginsAtWrite = unit.session.loginCount }
    hasUnflushedWrites = true
    start(at: offset, payload, client, tag, writing: true)
  }

  private func start(
    at offset: UInt64, _ payload: consuming Payload, _ client: DeviceClient, _ tag: UInt64,
    writing: Bool
  ) {
    if free.isEmpty {
      free.append(operations.count)
      operations.append(Operation(index: operations.count))
    }
    let operation = operations[free.removeLast()]
    operation.client = client
    operation.tag = tag
    operation.isWriting = writing
    operation.offset = offset
    operation.rest = consume payload
    operation.attentions = 0
    operation.pauses = 0
    operation.aborts = 0
    next(operation)
  }

  /// The next part.
  private func next(_ operation: Operation) {
    guard var rest = operation.rest.take() else {
      preconditionFailure("an operation that goes on has bytes")
    }
    let part = rest.removeFirst(min(rest.byteCount, transferMaximum))
    if !rest.isEmpty { operation.rest = consume rest }
    submit(operation, part)
  }

  private func submit(_ operation: Operation, _ part: consuming Payload) {
    let command = InitiatorCommand(
      .transfer(
        writing: operation.isWriting, block: operation.offset / UInt64(blockLength),
        count: UInt32(truncatingIfNeeded: part.byteCount / blockLength), short: geometry.isShort),
      logicalUnit: unit.logicalUnit, direction: operation.isWriting ? .write : .read,
      recovery: .repeatable)
    unit.session.execute(command, part, for: transfers, tag: UInt64(operation.index))
  }

  private func came(_ completion: consuming InitiatorCompletion) {
    let operation = operations[Int(truncatingIfNeeded: completion.tag)]
    let outcome = completion.outcome
    let part = completion.takePayload()
    if let condition = outcome.condition, !condition.isRecovered {
      unit.note(condition)
      if outcome.failure == nil, giveAgain(operation, condition, part) { return }
      return fail(operation, condition, part, moved: outcome.byteCount)
    }
    guard outcome.byteCount == part.byteCount else {
      return fail(operation, .dataUnderrun, part, moved: outcome.byteCount)
    }
    if operation.isWriting, !hasCachedWrites {
      // What began anew before had nothing to lose.
      unit.cacheLoss = nil
      hasCachedWrites = true
    }
    operation.offset += UInt64(part.byteCount)
    Self.join(&operation.done, part)
    if operation.rest != nil { return next(operation) }
    guard let payload = operation.done.take() else {
      preconditionFailure("an operation that ends has its bytes")
    }
    end(operation, .good(payload.byteCount), payload)
  }

  /// Whether the command is given once more, with its payload.
  private func giveAgain(
    _ operation: Operation, _ condition: Condition, _ part: borrowing Payload
  ) -> Bool {
    let payload = part.sharing(part.byteCount)
    switch condition.again {
    case .atOnce where operation.attentions < RemoteUnit.mostAttentions:
      operation.attentions += 1
      submit(operation, payload)
      return true
    case .later where operation.pauses < RemoteUnit.mostPauses:
      operation.pauses += 1
      operation.pausing = consume payload
      unit.ring.timeout(
        nanoseconds: RemoteUnit.pauseNanoseconds, for: pause, tag: UInt64(operation.index))
      return true
    default: break
    }
    guard condition.key == .abortedCommand, condition.status == .checkCondition,
      operation.aborts < Self.mostAborts
    else { return false }
    operation.aborts += 1
    submit(operation, payload)
    return true
  }

  private func fail(
    _ operation: Operation, _ condition: Condition, _ part: consuming Payload, moved: Int
  ) {
    var byteCount = operation.done?.byteCount ?? 0
    if let block = condition.information, condition.key == .mediumError, block >= 0 {
      let (bytes, overflow) = UInt64(block).multipliedReportingOverflow(by: UInt64(blockLength))
      if !overflow, bytes >= operation.offset,
        bytes - operation.offset <= UInt64(operation.isWriting ? part.byteCount : moved)
      {
        byteCount += Int(bytes - operation.offset)
      }
    }
    Self.join(&operation.done, part)
    if let rest = operation.rest.take() { Self.join(&operation.done, rest) }
    guard let payload = operation.done.take() else {
      preconditionFailure("an operation that ends has its bytes")
    }
    end(operation, .check(condition, byteCount: byteCount), payload)
  }

  private func end(_ operation: Operation, _ status: DeviceStatus, _ payload: consuming Payload) {
    guard let client = operation.client else { preconditionFailure("an operation ends once") }
    let tag = operation.tag
    operation.client = nil
    free.append(operation.index)
    client.complete(DeviceCompletion(tag: tag, status: status, payload: payload))
  }

  private static func join(_ bytes: inout Payload?, _ more: consuming Payload) {
    if var before = bytes.take() {
      before.append(more)
      bytes = consume before
    } else {
      bytes = consume more
    }
  }

  // MARK: The rest

  /// SYNCHRONIZE CACHE of everything. It fails once, with the deferred unit attention, where the disk
  /// began anew with acknowledged writes in its cache: nobody knows which of them are left.
  public override func flush() async -> DeviceStatus {
    guard hasUnflushedWrites else { return .good() }
    var losses = 0
    while true {
      let (outcome, _) = await unit.perform(
        .synchronizeCache, timeoutSeconds: Self.flushTimeoutSeconds)
      if let failure = outcome.failure {
        // A flush may be given twice, like what it flushes.
        do throws(InitiatorError) {
          guard unit.session.isLost, losses < InitiatorTask.mostLosses else {
            return .check(failure.condition)
          }
          losses += 1
          try await unit.session.whenOpen()
          continue
        } catch {
          return .check(error.condition)
        }
      }
      if let condition = outcome.condition, !condition.isRecovered {
        // No cache, no command for it.
        guard condition.isUnsupported else { return .check(condition) }
      }
      break
    }
    hasUnflushedWrites = false
    let loss = hasCachedWrites && geometry.hasWriteCache ? unit.cacheLoss : nil
    hasCachedWrites = false
    if var loss {
      loss.isDeferred = true
      return .check(loss)
    }
    if unit.session.loginCount != loginsAtWrite {
      unit.session.options.log?(
        "\(name): the connection was lost while the target had writes in its cache; if it lost "
          + "power then, they are gone: read back what was written (--verify)")
    }
    return .good()
  }

  /// By GET LBA STATUS, where unmapped blocks read as zeros.
  public override func extent(at offset: UInt64) async -> Extent {
    let end = blockCount * UInt64(blockLength)
    let whole = Extent(isHole: false, end: end)
    guard geometry.tellsHoles else { return whole }
    let block = offset / UInt64(blockLength)
    let (outcome, data) = await unit.perform(
      .blockStatus(from: block, allocationLength: 24), dataIn: 24)
    guard outcome.isGood else { return whole }
    let reader = ByteReader(data.span)
    guard let first = try? reader.uint64(at: 8), let count = try? reader.uint32(at: 16),
      let state = try? reader.uint8(at: 20), first <= block, count > 0
    else { return whole }
    let (last, overflow) = first.addingReportingOverflow(UInt64(count))
    guard !overflow, last > block else { return whole }
    return Extent(
      isHole: state & 0x0F == 1, end: min(end, min(last, blockCount) * UInt64(blockLength)))
  }

  /// Logs out.
  public override func close() async {
    await unit.session.close()
  }
}
