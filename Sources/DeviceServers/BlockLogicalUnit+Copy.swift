public import Devices
public import SAM
import SCSI
public import Uring

extension BlockLogicalUnit: CopyUnit {
  /// Of the disk behind.
  public var name: String { disk.name }
  /// Bytes of a logical block.
  public var blockLength: Int { disk.blockLength }
  /// Number of logical blocks.
  public var blockCount: UInt64 { disk.blockCount }
  /// Of the disk behind.
  public var storageIdentity: DeviceIdentity { disk.identity }
  /// Of the disk behind.
  public var memoryAlignment: Int { disk.memoryAlignment }

  /// READ(16) and WRITE(16), whose fate a copy's transfers share.
  private static let read: UInt8 = 0x88, write: UInt8 = 0x8A

  /// Reservations, readiness and write protection, in the order in which a command meets them.
  public func refusal(of access: CopyAccess, from nexus: Nexus) -> Condition? {
    let command = Command(nexus: nexus)
    command.cdb.append(access == .read ? Self.read : Self.write)
    guard case .found(let entry) = table.lookup(command.cdb) else {
      preconditionFailure("a disk reads and writes")
    }
    if control.conflicts(command, entry) {
      var conflict = Condition(.noSense, .noAdditionalSense)
      conflict.status = .reservationConflict
      return conflict
    }
    if let sense = notReady() { return Condition(sense.key, sense.additional) }
    if access == .write, server.isWriteProtected { return Condition(.dataProtect, .writeProtected) }
    return nil
  }

  /// Behind commands that hold one of these blocks alone.
  public func read(
    at offset: UInt64, into payload: consuming Payload, of nexus: Nexus, for client: DeviceClient,
    tag: UInt64
  ) {
    let blocks = blocks(at: offset, byteCount: payload.byteCount)
    server.store.transfer(blocks, payload, writing: false, of: nexus, for: client, tag: tag)
  }

  /// Behind commands that hold one of these blocks alone.
  public func write(
    at offset: UInt64, from payload: consuming Payload, of nexus: Nexus, for client: DeviceClient,
    tag: UInt64
  ) {
    let blocks = blocks(at: offset, byteCount: payload.byteCount)
    server.store.transfer(blocks, payload, writing: true, of: nexus, for: client, tag: tag)
  }

  private func blocks(at offset: UInt64, byteCount: Int) -> Range<UInt64> {
    let first = offset / UInt64(blockLength)
    return first..<first + UInt64(byteCount / blockLength)
  }

  /// Of the disk behind.
  public func flush() async -> DeviceStatus { await disk.flush() }

  /// Of the disk behind.
  public func extent(at offset: UInt64) async -> Extent { await disk.extent(at: offset) }
}
