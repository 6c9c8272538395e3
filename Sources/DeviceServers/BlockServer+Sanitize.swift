import Devices
import SAM
import SCSI
import Uring

/// SANITIZE. SBC-3 4.11, 5.27.
///
/// The operation is the unit's, not the command's: whoever started it may go away, be aborted or reset
/// the unit, and it runs to its end. Until then the unit is not ready.
extension BlockServer {
  /// What is known of the last sanitize operation.
  enum SanitizeState: Equatable {
    case none
    /// How much is done, of 65,536; and whether AUSE lets a failure be left behind.
    case running(progress: UInt16, allowsUnrestrictedExit: Bool)
    case failed(allowsUnrestrictedExit: Bool)
  }

  /// What OVERWRITE writes, pass by pass.
  struct Overwrite: Equatable {
    var passCount: Int
    var inverts: Bool
    var pattern: [UInt8]

    /// Reads the parameter list. SBC-3 5.27.3: the fields that make no sense are refused as the CDB's,
    /// because initiators look for that.
    init(_ list: [UInt8], blockLength: Int) throws(InvalidField) {
      guard list.count >= 4 else { throw InvalidField(7) }
      passCount = Int(list[0] & 0x1F)
      inverts = list[0] & 0x80 != 0
      let length = Int(list[2]) << 8 | Int(list[3])
      guard list[0] & 0x60 == 0, passCount > 0, length > 0, length <= blockLength,
        list.count >= 4 + length
      else { throw InvalidField(7) }
      pattern = Array(list[4..<4 + length])
    }

    /// The bytes of whole blocks in one pass; each block begins with the pattern.
    func bytes(pass: Int, blockLength: Int, blockCount: Int) -> [UInt8] {
      let flip: UInt8 = inverts && pass % 2 == 1 ? 0xFF : 0
      let block = (0..<blockLength).map { pattern[$0 % pattern.count] ^ flip }
      return Array(repeatElement(block, count: blockCount).joined())
    }
  }

  /// How often a command that waits for the operation looks whether it was aborted.
  private static let waitNanoseconds: UInt64 = 10_000_000

  /// Checks what the CDB says beyond the reserved fields.
  func checkSanitize(_ request: BlockRequest) throws(InvalidField) {
    if request.sanitizes == .overwrite {
      guard request.listLength > 4, request.listLength <= blockLength + 4 else {
        throw InvalidField(7)
      }
    } else if request.listLength != 0 {
      throw InvalidField(7)
    }
    // Nothing can be erased where blocks cannot be given back.
    if request.sanitizes == .blockErase, !isThin { throw InvalidField(1, bit: 4) }
  }

  /// Starts the operation, and waits for its end unless IMMED.
  func sanitize(
    _ request: BlockRequest, _ cdb: CommandDescriptorBlock, _ list: [UInt8], _ command: Command
  ) async -> BlockAnswer {
    let allowsExit = cdb[1] & 0x20 != 0
    var overwrite: Overwrite?
    switch request.sanitizes {
    case .exitFailureMode:
      if case .failed(allowsUnrestrictedExit: false) = sanitize {
        return .sense(InvalidField(1, bit: 4).sense)
      }
      sanitize = .none
      return .good
    case .overwrite:
      do throws(InvalidField) {
        overwrite = try Overwrite(list, blockLength: blockLength)
      } catch {
        return .sense(error.sense)
      }
    case .blockErase: break
    }
    sanitize = .running(progress: 0, allowsUnrestrictedExit: allowsExit)
    let passes = overwrite
    ring.start { await self.runSanitize(passes, allowsExit: allowsExit) }
    if request.immediate { return .good }
    while case .running = sanitize, !command.isAborted {
      await ring.sleep(nanoseconds: Self.waitNanoseconds)
    }
    if case .failed = sanitize {
      return .sense(SenseData(key: .mediumError, additional: .sanitizeCommandFailed))
    }
    return .good
  }

  private func runSanitize(_ overwrite: Overwrite?, allowsExit: Bool) async {
    let held = await store.hold(0..<capacity, alone: true)
    var status =
      if let overwrite {
        await run(overwrite, allowsExit: allowsExit)
      } else {
        await disk.discard(at: 0, byteCount: capacity * UInt64(blockLength))
      }
    if status.isSuccess { status = await disk.flush() }
    store.release(held)
    sanitize = status.isSuccess ? .none : .failed(allowsUnrestrictedExit: allowsExit)
  }

  private func run(_ overwrite: Overwrite, allowsExit: Bool) async -> DeviceStatus {
    let chunk = store.chunkBlocks
    let byteCount = Int(chunk) * blockLength
    var buffer = await store.share.take(byteCount)
    var status = DeviceStatus.good()
    for pass in 0..<overwrite.passCount where status.isSuccess {
      buffer.overwrite(
        with: overwrite.bytes(pass: pass, blockLength: blockLength, blockCount: Int(chunk)))
      var at: UInt64 = 0
      while at < capacity, status.isSuccess {
        let part = at..<min(capacity, at + chunk)
        let piece = buffer.sharing(part.count * blockLength)
        status = await store.put(part, piece, isDurable: false)
        at = part.upperBound
        let done = (Double(pass) + Double(at) / Double(capacity)) / Double(overwrite.passCount)
        sanitize = .running(
          progress: UInt16(clamping: Int(done * 65535)), allowsUnrestrictedExit: allowsExit)
      }
      if status.isSuccess { status = await disk.flush() }
    }
    drop(buffer)
    store.share.giveBack(byteCount)
    return status
  }

  private func drop(_ payload: consuming Payload) {}
}
