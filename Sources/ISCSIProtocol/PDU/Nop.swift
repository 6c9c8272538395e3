/// NOP-Out: a ping, or the answer to one. RFC 7143 11.18.
public struct NopOut: OrderedPDU, TransferPDU {
  /// 00h.
  public static var opcode: Opcode { .nopOut }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Without a task tag it must be immediate.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard header.initiatorTaskTag != Self.reservedTag || header.isImmediate else {
      throw PDUError(.protocolError, in: header, at: 0)
    }
    self.header = header
  }

  /// A ping of the initiator by its task tag, or the answer to a NOP-In by its transfer tag.
  public init(
    initiatorTaskTag: UInt32, targetTransferTag: UInt32 = Self.reservedTag,
    logicalUnit: UInt64 = 0, cmdSN: SerialNumber, expStatSN: SerialNumber, isImmediate: Bool = true
  ) {
    header = BasicHeaderSegment(.nopOut)
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.logicalUnit = logicalUnit
    self.cmdSN = cmdSN
    self.expStatSN = expStatSN
    self.isImmediate = isImmediate
  }
}

/// NOP-In: a ping, or the answer to one. RFC 7143 11.19.
public struct NopIn: TargetPDU, TransferPDU {
  /// 20h.
  public static var opcode: Opcode { .nopIn }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    self.header = header
  }

  /// The answer to a NOP-Out by its task tag, or a ping of the target by its transfer tag.
  public init(
    initiatorTaskTag: UInt32 = Self.reservedTag, targetTransferTag: UInt32 = Self.reservedTag,
    logicalUnit: UInt64 = 0, statSN: SerialNumber, expCmdSN: SerialNumber, maxCmdSN: SerialNumber
  ) {
    header = BasicHeaderSegment(.nopIn)
    self.initiatorTaskTag = initiatorTaskTag
    self.targetTransferTag = targetTransferTag
    self.logicalUnit = logicalUnit
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
  }
}
