import Devices
import SAM
import SCSI
import Uring

/// The commands of a disk, each once: SBC-3 clause 5.
extension BlockLogicalUnit {
  private static let any4: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
  private static let any8 = any4 + any4
  private static let group: UInt8 = 0x1F
  /// NACA, which is looked at to be refused.
  private static let control: UInt8 = 0x04
  /// DPO, FUA, and FUA_NV of SBC-2, which is ignored as obsolete.
  private static let cacheBits: UInt8 = 0x1A
  /// DPO and BYTCHK.
  private static let checkBits: UInt8 = 0x16

  private static func six(_ code: UInt8) -> [UInt8] { [code, 0x1F, 0xFF, 0xFF, 0xFF, control] }
  private static func ten(_ code: UInt8, _ flags: UInt8) -> [UInt8] {
    [code, flags] + any4 + [group, 0xFF, 0xFF, control]
  }
  private static func twelve(_ code: UInt8, _ flags: UInt8) -> [UInt8] {
    [code, flags] + any8 + [group, control]
  }
  private static func sixteen(_ code: UInt8, _ flags: UInt8) -> [UInt8] {
    [code, flags] + any8 + any4 + [group, control]
  }

  static func commands(_ server: BlockServer) -> [CommandEntry] {
    reading(server) + writing(server) + provisioning(server) + medium(server)
  }

  /// A command that the server's data path executes.
  private static func direct(
    _ server: BlockServer, _ name: String, _ usage: [UInt8], _ access: ReservationAccess
  ) -> CommandEntry {
    CommandEntry(
      name, usage[0], usage: usage, access: access, needsReadyMedium: true,
      dataOutLength: { _, cdb in server.dataOutLength(cdb) },
      execution: .direct { unit, task in
        guard let unit = unit as? BlockLogicalUnit else {
          preconditionFailure("a disk's command is in a disk's table")
        }
        unit.transfer(task)
      })
  }

  /// A command of several steps.
  private static func steps(
    _ server: BlockServer, _ name: String, _ usage: [UInt8], _ access: ReservationAccess,
    serviceAction: UInt16? = nil, needsReadyMedium: Bool = true
  ) -> CommandEntry {
    CommandEntry(
      name, usage[0], serviceAction: serviceAction, usage: usage, access: access,
      needsReadyMedium: needsReadyMedium,
      dataOutLength: { _, cdb in server.dataOutLength(cdb) },
      execution: .asynchronous { unit, task in
        guard let unit = unit as? BlockLogicalUnit else {
          preconditionFailure("a disk's command is in a disk's table")
        }
        return await unit.perform(task)
      })
  }

  private static func reading(_ server: BlockServer) -> [CommandEntry] {
    [
      direct(server, "READ(6)", six(0x08), .reads),
      direct(server, "READ(10)", ten(0x28, cacheBits), .reads),
      direct(server, "READ(12)", twelve(0xA8, cacheBits), .reads),
      direct(server, "READ(16)", sixteen(0x88, cacheBits), .reads),
      steps(server, "VERIFY(10)", ten(0x2F, checkBits), .reads),
      steps(server, "VERIFY(12)", twelve(0xAF, checkBits), .reads),
      steps(server, "VERIFY(16)", sixteen(0x8F, checkBits), .reads),
      steps(server, "PRE-FETCH(10)", ten(0x34, 0x02), .reads),
      steps(server, "PRE-FETCH(16)", sixteen(0x90, 0x02), .reads),
    ]
  }

  private static func writing(_ server: BlockServer) -> [CommandEntry] {
    [
      direct(server, "WRITE(6)", six(0x0A), .writes),
      direct(server, "WRITE(10)", ten(0x2A, cacheBits), .writes),
      direct(server, "WRITE(12)", twelve(0xAA, cacheBits), .writes),
      direct(server, "WRITE(16)", sixteen(0x8A, cacheBits), .writes),
      steps(server, "WRITE AND VERIFY(10)", ten(0x2E, checkBits), .writes),
      steps(server, "WRITE AND VERIFY(12)", twelve(0xAE, checkBits), .writes),
      steps(server, "WRITE AND VERIFY(16)", sixteen(0x8E, checkBits), .writes),
      steps(
        server, "COMPARE AND WRITE", [0x89, 0x18] + any8 + [0, 0, 0, 0xFF, group, control],
        .writes),
      steps(server, "ORWRITE(16)", sixteen(0x8B, cacheBits), .writes),
      // SYNC_NV of SBC-2 is ignored.
      steps(server, "SYNCHRONIZE CACHE(10)", ten(0x35, 0x06), .writes),
      steps(server, "SYNCHRONIZE CACHE(16)", sixteen(0x91, 0x06), .writes),
    ]
  }

  private static func provisioning(_ server: BlockServer) -> [CommandEntry] {
    let unmap: UInt8 = server.isThin ? 0x08 : 0
    let always = [
      steps(server, "WRITE SAME(10)", ten(0x41, unmap), .writes),
      steps(server, "WRITE SAME(16)", sixteen(0x93, unmap | 0x01), .writes),
      sanitize(server, "SANITIZE/OVERWRITE", .overwrite),
      sanitize(server, "SANITIZE/EXIT FAILURE MODE", .exitFailureMode),
    ]
    guard server.isThin else { return always }
    return always + [
      sanitize(server, "SANITIZE/BLOCK ERASE", .blockErase),
      steps(server, "UNMAP", [0x42, 0, 0, 0, 0, 0, group, 0xFF, 0xFF, control], .writes),
      steps(
        server, "GET LBA STATUS", [0x9E, 0x12] + any8 + any4 + [0, control], .reads,
        serviceAction: 0x12),
    ]
  }

  private static func sanitize(
    _ server: BlockServer, _ name: String, _ action: BlockRequest.Sanitize
  ) -> CommandEntry {
    steps(
      server, name, [0x48, 0xA0 | action.rawValue, 0, 0, 0, 0, 0, 0xFF, 0xFF, control], .writes,
      serviceAction: UInt16(action.rawValue), needsReadyMedium: false)
  }

  private static func medium(_ server: BlockServer) -> [CommandEntry] {
    [
      steps(
        server, "READ CAPACITY(10)", [0x25, 0] + any4 + [0, 0, 0x01, control], .always),
      steps(
        server, "READ CAPACITY(16)", [0x9E, 0x10] + any8 + any4 + [0x01, control], .always,
        serviceAction: 0x10),
      steps(
        server, "READ DEFECT DATA(10)", [0x37, 0, 0x1F, 0, 0, 0, 0, 0xFF, 0xFF, control],
        .reads),
      steps(
        server, "READ DEFECT DATA(12)", [0xB7, 0x1F] + any8 + [0, control], .reads),
      steps(
        server, "START STOP UNIT", [0x1B, 0x01, 0, 0x0F, 0xF7, control],
        // START without a power condition.
        .writesUnless { $0[4] & 0xF1 == 0x01 }, needsReadyMedium: false),
      steps(
        server, "PREVENT ALLOW MEDIUM REMOVAL", [0x1E, 0, 0, 0, 0x03, control],
        .writesUnless { $0[4] & 0x03 == 0 }, needsReadyMedium: false),
    ]
  }

  // MARK: Execution

  /// READ and WRITE.
  private func transfer(_ task: UnitTask) {
    let payload = task.dataOut.take() ?? empty()
    guard let request = server.request(task.cdb) else {
      preconditionFailure("what was admitted can be read again")
    }
    // Much may have happened since its admission, while its data came.
    if let interruption = server.interruption(of: request, task.command) {
      return finish(task, result(interruption, task))
    }
    if request.operation == .read, request.forcesUnitAccess {
      return readFromMedium(request, task)
    }
    if !server.transfer(request, payload, for: task) {
      finish(task, result(.good, task))
    }
  }

  /// READ with FUA: what lies in the cache only is written first. SBC-3 5.13.
  private func readFromMedium(_ request: BlockRequest, _ task: UnitTask) {
    ring.start { [self] in
      let status = await disk.flush()
      guard status.isSuccess else { return finish(task, result(BlockAnswer(status), task)) }
      if let interruption = server.interruption(of: request, task.command) {
        return finish(task, result(interruption, task))
      }
      if !server.transfer(request, empty(), for: task) { finish(task, result(.good, task)) }
    }
  }

  /// Everything else.
  private func perform(_ task: UnitTask) async -> CommandResult {
    let payload = task.dataOut.take() ?? empty()
    guard let request = server.request(task.cdb) else {
      preconditionFailure("what was admitted can be read again")
    }
    if let sense = server.refusal(of: request) { return checkCondition(sense) }
    let answer = await server.perform(request, payload, for: task.command)
    return result(answer, task)
  }
}

extension BlockServer {
  /// The request in a CDB that was admitted.
  func request(_ cdb: CommandDescriptorBlock) -> BlockRequest? {
    do throws(InvalidField) {
      return try BlockRequest(cdb)
    } catch {
      return nil
    }
  }

  /// Bytes a command sends, or why it is refused.
  func dataOutLength(_ cdb: CommandDescriptorBlock) -> Result<Int, SenseData> {
    do throws(InvalidField) {
      guard let request = try BlockRequest(cdb) else {
        preconditionFailure("the table has the commands that can be read")
      }
      if let sense = refusal(of: request) { return .failure(sense) }
      return .success(request.dataOutByteCount(blockLength: blockLength))
    } catch {
      return .failure(error.sense)
    }
  }

  /// Bytes that a command moves which ended well, for the residual.
  func transferLength(of cdb: CommandDescriptorBlock) -> Int {
    request(cdb)?.dataOutByteCount(blockLength: blockLength) ?? 0
  }
}
