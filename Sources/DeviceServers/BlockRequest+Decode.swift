import SAM

extension BlockRequest {
  /// Service actions of SANITIZE. SBC-3 5.27.
  enum Sanitize: UInt8 {
    case overwrite = 0x01
    case blockErase = 0x02
    case exitFailureMode = 0x1F
  }

  /// Reads a CDB.
  ///
  /// - Returns: nil where it is none of SBC-3 that is served.
  /// - Throws: the first field that is not accepted.
  init?(_ cdb: CommandDescriptorBlock) throws(InvalidField) {
    switch cdb.operationCode {
    case 0x08: self.init(.read, sixBytes: cdb)
    case 0x0A: self.init(.write, sixBytes: cdb)
    case 0x28, 0xA8, 0x88: try self.init(.read, transfer: cdb)
    case 0x2A, 0xAA, 0x8A: try self.init(.write, transfer: cdb)
    case 0x8B: try self.init(.orWrite, transfer: cdb)
    case 0x2F, 0xAF, 0x8F: try self.init(.verify, checking: cdb)
    case 0x2E, 0xAE, 0x8E: try self.init(.writeAndVerify, checking: cdb)
    case 0x41, 0x93: try self.init(same: cdb)
    case 0x89: try self.init(compare: cdb)
    case 0x34, 0x90: self.init(.preFetch, cache: cdb)
    case 0x35, 0x91: self.init(.synchronizeCache, cache: cdb)
    case 0x42: try self.init(unmap: cdb)
    default: try self.init(other: cdb)
    }
  }

  private init(_ operation: Operation) { self.operation = operation }

  /// READ(6), WRITE(6): a length of 0 is 256.
  private init(_ operation: Operation, sixBytes cdb: CommandDescriptorBlock) {
    self.init(operation)
    lba = UInt64(cdb.uint24(at: 1) & 0x1F_FFFF)
    blockCount = cdb[4] == 0 ? 256 : UInt64(cdb[4])
  }

  /// Address and length of CDBs of 10, 12 and 16 bytes, by the group of the operation code.
  private mutating func takeRange(_ cdb: CommandDescriptorBlock) {
    switch cdb.operationCode >> 5 {
    case 1, 2:
      lba = UInt64(cdb.uint32(at: 2))
      blockCount = UInt64(cdb.uint16(at: 7))
      lengthField = 7
    case 5:
      lba = UInt64(cdb.uint32(at: 2))
      blockCount = UInt64(cdb.uint32(at: 6))
      lengthField = 6
    default:
      lba = cdb.uint64(at: 2)
      blockCount = UInt64(cdb.uint32(at: 10))
      lengthField = 10
    }
  }

  /// There is no protection information here: RDPROTECT, WRPROTECT, VRPROTECT and ORPROTECT are 0.
  private static func checkProtection(_ cdb: CommandDescriptorBlock) throws(InvalidField) {
    if cdb[1] >> 5 != 0 { throw InvalidField(1, bit: 7) }
  }

  private init(_ operation: Operation, transfer cdb: CommandDescriptorBlock) throws(InvalidField) {
    try Self.checkProtection(cdb)
    self.init(operation)
    takeRange(cdb)
    forcesUnitAccess = cdb[1] & 0x08 != 0
  }

  private init(_ operation: Operation, checking cdb: CommandDescriptorBlock) throws(InvalidField) {
    try Self.checkProtection(cdb)
    self.init(operation)
    takeRange(cdb)
    guard let check = ByteCheck(rawValue: cdb[1] >> 1 & 0x03),
      operation == .verify || check != .one
    else { throw InvalidField(1, bit: 2) }
    byteCheck = check
  }

  private init(same cdb: CommandDescriptorBlock) throws(InvalidField) {
    try Self.checkProtection(cdb)
    self.init(.writeSame)
    takeRange(cdb)
    if cdb[1] & 0x10 != 0 { throw InvalidField(1, bit: 4) }
    // PBDATA and LBDATA of SBC-2: obsolete, and nobody may think they worked.
    if cdb[1] & 0x06 != 0 { throw InvalidField(1, bit: 2) }
    unmaps = cdb[1] & 0x08 != 0
    if cdb[1] & 0x01 != 0 {
      if cdb.operationCode == 0x41 { throw InvalidField(1, bit: 0) }
      hasNoDataOut = true
    }
  }

  private init(compare cdb: CommandDescriptorBlock) throws(InvalidField) {
    try Self.checkProtection(cdb)
    self.init(.compareAndWrite)
    lba = cdb.uint64(at: 2)
    blockCount = UInt64(cdb[13])
    lengthField = 13
    forcesUnitAccess = cdb[1] & 0x08 != 0
  }

  private init(_ operation: Operation, cache cdb: CommandDescriptorBlock) {
    self.init(operation)
    takeRange(cdb)
    immediate = cdb[1] & 0x02 != 0
  }

  private init(unmap cdb: CommandDescriptorBlock) throws(InvalidField) {
    self.init(.unmap)
    if cdb[1] & 0x01 != 0 { throw InvalidField(1, bit: 0) }
    listLength = Int(cdb.uint16(at: 7))
  }

  private init?(other cdb: CommandDescriptorBlock) throws(InvalidField) {
    switch cdb.operationCode {
    case 0x9E where cdb[1] & 0x1F == 0x12:
      self.init(.getLBAStatus)
      lba = cdb.uint64(at: 2)
      listLength = Int(cdb.uint32(at: 10))
    case 0x9E where cdb[1] & 0x1F == 0x10:
      self.init(.readCapacity16)
      listLength = Int(cdb.uint32(at: 10))
      // Without PMI (obsolete) the address is 0.
      if cdb[14] & 0x01 != 0 || cdb.uint64(at: 2) != 0 { throw InvalidField(2) }
    case 0x25:
      self.init(.readCapacity10)
      if cdb[8] & 0x01 != 0 || cdb.uint32(at: 2) != 0 { throw InvalidField(2) }
    case 0x37:
      self.init(.readDefectData10)
      listLength = Int(cdb.uint16(at: 7))
    case 0xB7:
      self.init(.readDefectData12)
      listLength = Int(cdb.uint32(at: 6))
    case 0x1B:
      self.init(.startStopUnit)
      immediate = cdb[1] & 0x01 != 0
    case 0x1E:
      self.init(.preventAllowMediumRemoval)
      // 2 and 3 were for changers.
      if cdb[4] & 0x03 > 1 { throw InvalidField(4, bit: 1) }
    case 0x48:
      try self.init(sanitize: cdb)
    default:
      return nil
    }
  }

  private init(sanitize cdb: CommandDescriptorBlock) throws(InvalidField) {
    self.init(.sanitize)
    guard let action = Sanitize(rawValue: cdb[1] & 0x1F) else { throw InvalidField(1, bit: 4) }
    sanitizes = action
    if cdb[1] & 0x40 != 0 { throw InvalidField(1, bit: 6) }
    for byte in 2...6 where cdb[byte] != 0 { throw InvalidField(byte) }
    immediate = cdb[1] & 0x80 != 0
    listLength = Int(cdb.uint16(at: 7))
  }
}
