import SAM
import SCSI

/// CDBs as this initiator sends them.
extension CommandDescriptorBlock {
  init(_ writer: ByteWriter) { self.init(writer.bytes) }

  /// TEST UNIT READY. SPC-4 6.47.
  static let testUnitReady = CommandDescriptorBlock([0, 0, 0, 0, 0, 0])

  /// INQUIRY of standard data, or of a VPD page. SPC-4 6.6.
  static func inquiry(page: UInt8? = nil, allocationLength: UInt16) -> CommandDescriptorBlock {
    CommandDescriptorBlock([
      0x12, page == nil ? 0 : 1, page ?? 0, UInt8(allocationLength >> 8),
      UInt8(allocationLength & 0xFF), 0,
    ])
  }

  /// MODE SENSE(6) without block descriptors only where `page` needs none. SPC-4 6.11.
  static func modeSense(page: UInt8, allocationLength: UInt8) -> CommandDescriptorBlock {
    CommandDescriptorBlock([0x1A, 0, page, 0, allocationLength, 0])
  }

  /// MODE SELECT(6) in page format. SPC-4 6.9.
  static func modeSelect(byteCount: UInt8) -> CommandDescriptorBlock {
    CommandDescriptorBlock([0x15, 0x10, 0, 0, byteCount, 0])
  }

  // MARK: Disks

  /// READ CAPACITY(16). SBC-3 5.16.
  static let readCapacity16 = CommandDescriptorBlock([
    0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0,
  ])

  /// READ CAPACITY(10). SBC-3 5.15.
  static let readCapacity10 = CommandDescriptorBlock([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0])

  /// READ or WRITE of blocks, in 16 bytes or where the disk is old in 10. SBC-3 5.11, 5.13.
  static func transfer(
    writing: Bool, block: UInt64, count: UInt32, short: Bool
  ) -> CommandDescriptorBlock {
    var writer = ByteWriter(capacity: 16)
    if short {
      writer.append([writing ? 0x2A : 0x28, 0])
      writer.uint32(UInt32(truncatingIfNeeded: block))
      writer.uint8(0)
      writer.uint16(UInt16(truncatingIfNeeded: count))
      writer.uint8(0)
    } else {
      writer.append([writing ? 0x8A : 0x88, 0])
      writer.uint64(block)
      writer.uint32(count)
      writer.zeros(2)
    }
    return CommandDescriptorBlock(writer)
  }

  /// SYNCHRONIZE CACHE(10) of everything. SBC-3 5.22.
  static let synchronizeCache = CommandDescriptorBlock([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0])

  /// GET LBA STATUS from `block` on. SBC-3 5.4.
  static func blockStatus(from block: UInt64, allocationLength: UInt32) -> CommandDescriptorBlock {
    var writer = ByteWriter(capacity: 16)
    writer.append([0x9E, 0x12])
    writer.uint64(block)
    writer.uint32(allocationLength)
    writer.zeros(2)
    return CommandDescriptorBlock(writer)
  }

  // MARK: Tapes

  private static func sequential(
    _ operation: UInt8, _ flags: UInt8, _ number: UInt32
  ) -> CommandDescriptorBlock {
    CommandDescriptorBlock([
      operation, flags, UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF),
      UInt8(number & 0xFF), 0,
    ])
  }

  /// READ BLOCK LIMITS. SSC-4 7.5.
  static let readBlockLimits = CommandDescriptorBlock([5, 0, 0, 0, 0, 0])

  /// READ(6) of one record of variable length. SSC-4 7.4.
  static func readRecord(length: Int) -> CommandDescriptorBlock {
    sequential(0x08, 0, UInt32(truncatingIfNeeded: length))
  }

  /// WRITE(6) of one record of variable length. SSC-4 6.1.
  static func writeRecord(length: Int) -> CommandDescriptorBlock {
    sequential(0x0A, 0, UInt32(truncatingIfNeeded: length))
  }

  static let writeFilemarksCode: UInt8 = 0x10

  /// WRITE FILEMARKS(6). SSC-4 5.7.
  static func writeFilemarks(_ count: Int, immediate: Bool) -> CommandDescriptorBlock {
    sequential(writeFilemarksCode, immediate ? 1 : 0, UInt32(truncatingIfNeeded: count))
  }

  /// SPACE(6); `count` has 24 bits with sign. SSC-4 6.9.
  static func space(_ kind: UInt8, count: Int) -> CommandDescriptorBlock {
    sequential(0x11, kind, UInt32(truncatingIfNeeded: count))
  }

  /// REWIND. SSC-4 5.5.
  static let rewind = CommandDescriptorBlock([1, 0, 0, 0, 0, 0])

  /// READ POSITION, short form. SSC-4 7.7.
  static let readPosition = CommandDescriptorBlock([0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0])

  /// LOCATE(10). SSC-4 6.3.
  static func locate(_ object: UInt32) -> CommandDescriptorBlock {
    var writer = ByteWriter(capacity: 10)
    writer.append([0x2B, 0, 0])
    writer.uint32(object)
    writer.zeros(3)
    return CommandDescriptorBlock(writer)
  }
}
