/// Reject; its data segment is the header of the PDU that was refused. RFC 7143 11.17.
public struct Reject: TargetPDU {
  /// 3Fh.
  public static var opcode: Opcode { .reject }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. A reason nobody assigned reads as a protocol error.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    self.header = header
  }

  /// One to send; its data segment is `dataSegment(of:)` of what is refused.
  public init(
    reason: RejectReason, statSN: SerialNumber, expCmdSN: SerialNumber, maxCmdSN: SerialNumber
  ) {
    header = BasicHeaderSegment(.reject)
    header.bytes[2] = reason.rawValue
    initiatorTaskTag = Self.reservedTag
    dataSegmentLength = BasicHeaderSegment.byteCount
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
  }

  /// Why.
  public var reason: RejectReason { RejectReason(rawValue: header.bytes[2]) ?? .protocolError }

  /// DataSN or R2TSN; of no meaning in error recovery level 0.
  public var dataSN: UInt32 { header.uint32(at: 36) }

  /// The data segment of a Reject of `header`.
  public static func dataSegment(of header: BasicHeaderSegment) -> [UInt8] {
    (0..<BasicHeaderSegment.byteCount).map { header.bytes[$0] }
  }

  /// The header that the data segment of a Reject shows, or nil where it is too short.
  public static func header(in segment: [UInt8]) -> BasicHeaderSegment? {
    guard segment.count >= BasicHeaderSegment.byteCount else { return nil }
    return BasicHeaderSegment(InlineArray { segment[$0] })
  }
}

/// SNACK Request. RFC 7143 11.16. Recognised to be refused: there is none in error recovery level 0.
public struct SNACKRequest: InitiatorPDU, TransferPDU {
  /// 10h.
  public static var opcode: Opcode { .snack }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    self.header = header
  }

  /// Type: 0 Data/R2T, 1 Status, 2 DataACK, 3 R-Data.
  public var type: UInt8 { header.bytes[1] & 0x0F }
}
