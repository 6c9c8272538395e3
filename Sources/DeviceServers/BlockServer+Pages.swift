import SAM
import SCSI

/// What the primary commands report of a disk.
extension BlockServer {
  /// UNMAP of one descriptor is one call of the file system, however long.
  private static let unlimited: UInt32 = 0xFFFF_FFFF

  /// Block Limits, from byte 4 on. SBC-3 6.6.4.
  var blockLimitsPage: [UInt8] {
    var writer = ByteWriter(capacity: 60)
    writer.uint8(0)  // WSNZ: a WRITE SAME of 0 blocks goes to the end.
    writer.uint8(limits.compareAndWriteBlocks)
    writer.uint16(UInt16(clamping: limits.physicalBlocks))
    writer.uint32(limits.transferBlocks)
    writer.uint32(limits.optimalTransferBlocks)
    writer.uint32(0)
    writer.uint32(isThin ? Self.unlimited : 0)
    writer.uint32(isThin ? limits.unmapDescriptors : 0)
    writer.uint32(isThin ? limits.physicalBlocks : 0)
    writer.uint32(isThin ? 0x8000_0000 : 0)  // UGAVALID, aligned at 0.
    writer.uint64(limits.writeSameBlocks)
    // No atomic writes: what a power loss leaves of a write is up to the disk behind.
    writer.pad(to: 60)
    return writer.bytes
  }

  /// Block Device Characteristics, from byte 4 on: not rotating; after a block erase blocks read as
  /// zeros (WABEREQ 01b). SBC-3 6.6.2.
  var characteristicsPage: [UInt8] {
    var writer = ByteWriter(capacity: 60)
    writer.uint16(1)
    writer.uint8(0)
    writer.uint8(isThin ? 0x40 : 0)
    writer.uint8(0x02)  // FUAB: SYNCHRONIZE CACHE and FUA mean the medium.
    writer.pad(to: 60)
    return writer.bytes
  }

  /// Logical Block Provisioning, from byte 4 on: LBPU, LBPWS, LBPWS10, LBPRZ; thin. SBC-3 6.6.5.
  var provisioningPage: [UInt8] { isThin ? [0, 0xE4, 0x02, 0] : [0, 0, 0, 0] }

  /// The mode parameter block descriptor. SBC-3 6.5.2.
  func blockDescriptor(long: Bool) -> [UInt8] {
    var writer = ByteWriter(capacity: 16)
    if long {
      writer.uint64(capacity)
      writer.uint32(0)
      writer.uint32(UInt32(clamping: blockLength))
    } else {
      writer.uint32(UInt32(clamping: capacity))
      writer.uint8(0)
      writer.uint24(UInt32(clamping: min(blockLength, 0xFF_FFFF)))
    }
    return writer.bytes
  }
}
