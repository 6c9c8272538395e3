/// Text Request. RFC 7143 11.10.
public struct TextRequest: OrderedPDU, TransferPDU {
  /// 04h.
  public static var opcode: Opcode { .textRequest }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: F and C at once, the reserved task tag.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard header.bytes[1] & 0xC0 != 0xC0 else {
      throw PDUError(.protocolError, in: header, at: 1)
    }
    guard header.initiatorTaskTag != Self.reservedTag else {
      throw PDUError(.protocolError, in: header, at: 16)
    }
    self.header = header
  }

  /// One to send; `targetTransferTag` is the one of the response that it continues.
  public init(
    initiatorTaskTag: UInt32, targetTransferTag: UInt32 = Self.reservedTag, logicalUnit: UInt64 = 0,
    cmdSN: SerialNumber, expStatSN: SerialNumber, isFinal: Bool, isContinued: Bool = false,
    isImmediate: Bool = false
  ) {
    precondition(!(isFinal && isContinued), "text that continues is not final")
    header = BasicHeaderSegment(.textRequest)
    header.isFinal = isFinal
    header.set(flag: 0x40, at: 1, to: isContinued)
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.logicalUnit = logicalUnit
    self.cmdSN = cmdSN
    self.expStatSN = expStatSN
    self.isImmediate = isImmediate
  }

  /// F: the initiator has no more to say.
  public var isFinal: Bool { header.isFinal }

  /// C: the text goes on in the next PDU.
  public var isContinued: Bool { header.flag(0x40, at: 1) }
}

/// Text Response. RFC 7143 11.11.
public struct TextResponse: TargetPDU, TransferPDU {
  /// 24h.
  public static var opcode: Opcode { .textResponse }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: F and C at once, F with a transfer tag or neither.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard header.bytes[1] & 0xC0 != 0xC0 else {
      throw PDUError(.protocolError, in: header, at: 1)
    }
    guard header.isFinal == (header.uint32(at: 20) == Self.reservedTag) else {
      throw PDUError(.protocolError, in: header, at: 20)
    }
    self.header = header
  }

  /// One to send; final without a transfer tag, and only then.
  public init(
    initiatorTaskTag: UInt32, targetTransferTag: UInt32 = Self.reservedTag, logicalUnit: UInt64 = 0,
    statSN: SerialNumber, expCmdSN: SerialNumber, maxCmdSN: SerialNumber, isContinued: Bool = false
  ) {
    let isFinal = targetTransferTag == Self.reservedTag
    precondition(!(isFinal && isContinued), "text that continues is not final")
    header = BasicHeaderSegment(.textResponse)
    header.isFinal = isFinal
    header.set(flag: 0x40, at: 1, to: isContinued)
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.logicalUnit = logicalUnit
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
  }

  /// F: the target has no more to say.
  public var isFinal: Bool { header.isFinal }

  /// C: the text goes on in the next PDU.
  public var isContinued: Bool { header.flag(0x40, at: 1) }
}
