/// SCSI Data-Out. RFC 7143 11.7.
public struct DataOut: InitiatorPDU, TransferPDU {
  /// 05h.
  public static var opcode: Opcode { .dataOut }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard header.initiatorTaskTag != Self.reservedTag else {
      throw PDUError(.protocolError, in: header, at: 16)
    }
    self.header = header
  }

  /// One to send; without `targetTransferTag` it is unsolicited.
  public init(
    initiatorTaskTag: UInt32, targetTransferTag: UInt32 = Self.reservedTag, logicalUnit: UInt64 = 0,
    expStatSN: SerialNumber, dataSN: UInt32, bufferOffset: UInt32, isFinal: Bool
  ) {
    header = BasicHeaderSegment(.dataOut)
    self.isFinal = isFinal
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.logicalUnit = logicalUnit
    self.expStatSN = expStatSN
    self.dataSN = dataSN
    self.bufferOffset = bufferOffset
  }

  /// F: the last of the sequence.
  public var isFinal: Bool {
    get { header.isFinal }
    set { header.isFinal = newValue }
  }

  /// DataSN: from 0 in each sequence.
  public var dataSN: UInt32 {
    get { header.uint32(at: 36) }
    set { header.set(uint32: newValue, at: 36) }
  }

  /// Where in the command's data the segment belongs, in bytes.
  public var bufferOffset: UInt32 {
    get { header.uint32(at: 40) }
    set { header.set(uint32: newValue, at: 40) }
  }
}

/// SCSI Data-In. RFC 7143 11.7.
public struct DataIn: TargetPDU, TransferPDU {
  /// 25h.
  public static var opcode: Opcode { .dataIn }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: status without F, overflow and underflow at once.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard header.isFinal || !header.flag(0x01, at: 1), header.bytes[1] & 0x06 != 0x06 else {
      throw PDUError(.protocolError, in: header, at: 1)
    }
    self.header = header
  }

  /// One to send, without status; `setStatus` adds it.
  public init(
    initiatorTaskTag: UInt32, targetTransferTag: UInt32 = Self.reservedTag, logicalUnit: UInt64 = 0,
    expCmdSN: SerialNumber, maxCmdSN: SerialNumber, dataSN: UInt32, bufferOffset: UInt32,
    isFinal: Bool
  ) {
    header = BasicHeaderSegment(.dataIn)
    self.isFinal = isFinal
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.logicalUnit = logicalUnit
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
    self.dataSN = dataSN
    self.bufferOffset = bufferOffset
  }

  /// Makes it the last PDU of its command: S, the status byte, StatSN and the residual.
  public mutating func setStatus(_ status: UInt8, statSN: SerialNumber, residual: Residual = .none)
  {
    precondition(isFinal, "status goes with the last PDU")
    header.set(flag: 0x01, at: 1, to: true)
    header.set(flag: 0x04, at: 1, to: residual.isOverflow)
    header.set(flag: 0x02, at: 1, to: residual.isUnderflow)
    header.set(uint32: residual.count, at: 44)
    header.bytes[3] = status
    self.statSN = statSN
  }

  /// F: the last of the sequence.
  public var isFinal: Bool {
    get { header.isFinal }
    set { header.isFinal = newValue }
  }

  /// A: an acknowledgement is asked for; only above error recovery level 0.
  public var asksForAcknowledgement: Bool {
    get { header.flag(0x40, at: 1) }
    set { header.set(flag: 0x40, at: 1, to: newValue) }
  }

  /// S: status, StatSN and residual hold, and no SCSI Response follows.
  public var hasStatus: Bool { header.flag(0x01, at: 1) }

  /// Status byte of SAM, where `hasStatus`.
  public var status: UInt8 { header.bytes[3] }

  /// DataSN: from 0 in each command.
  public var dataSN: UInt32 {
    get { header.uint32(at: 36) }
    set { header.set(uint32: newValue, at: 36) }
  }

  /// Where in the command's data the segment belongs, in bytes.
  public var bufferOffset: UInt32 {
    get { header.uint32(at: 40) }
    set { header.set(uint32: newValue, at: 40) }
  }

  /// O, U and the residual count, where `hasStatus`.
  public var residual: Residual {
    Residual(
      isOverflow: header.flag(0x04, at: 1), isUnderflow: header.flag(0x02, at: 1),
      count: header.uint32(at: 44)) ?? .none
  }
}

/// Ready To Transfer. RFC 7143 11.8.
public struct ReadyToTransfer: TargetPDU, TransferPDU {
  /// 31h.
  public static var opcode: Opcode { .readyToTransfer }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: no length, an end over 2³² − 1, the reserved transfer tag.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard header.uint32(at: 20) != Self.reservedTag else {
      throw PDUError(.protocolError, in: header, at: 20)
    }
    let length = header.uint32(at: 44)
    guard length > 0, !header.uint32(at: 40).addingReportingOverflow(length).overflow else {
      throw PDUError(.protocolError, in: header, at: 44)
    }
    self.header = header
  }

  /// One to send.
  public init(
    initiatorTaskTag: UInt32, targetTransferTag: UInt32, logicalUnit: UInt64,
    statSN: SerialNumber, expCmdSN: SerialNumber, maxCmdSN: SerialNumber, r2tSN: UInt32,
    bufferOffset: UInt32, desiredDataTransferLength: UInt32
  ) {
    header = BasicHeaderSegment(.readyToTransfer)
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.logicalUnit = logicalUnit
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
    header.set(uint32: r2tSN, at: 36)
    header.set(uint32: bufferOffset, at: 40)
    header.set(uint32: desiredDataTransferLength, at: 44)
  }

  /// R2TSN: from 0 in each command.
  public var r2tSN: UInt32 { header.uint32(at: 36) }

  /// Where in the command's data the transfer begins, in bytes.
  public var bufferOffset: UInt32 { header.uint32(at: 40) }

  /// Desired Data Transfer Length in bytes, not 0.
  public var desiredDataTransferLength: UInt32 { header.uint32(at: 44) }
}
