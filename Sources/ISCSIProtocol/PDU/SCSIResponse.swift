/// SCSI Response. RFC 7143 11.4.
public struct SCSIResponse: TargetPDU {
  /// What the target port says of the command. RFC 7143 11.4.3; 80h and on are vendor specific.
  public struct Response: RawRepresentable, Hashable, Sendable {
    /// The byte.
    public let rawValue: UInt8
    /// Of the byte.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Command completed at target; the status holds.
    public static let completed = Response(rawValue: 0)
    /// Target failure.
    public static let targetFailure = Response(rawValue: 1)
  }

  /// 21h.
  public static var opcode: Opcode { .scsiResponse }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: overflow and underflow at once.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard header.bytes[1] & 0x06 != 0x06, header.bytes[1] & 0x18 != 0x18 else {
      throw PDUError(.invalidPDUField, in: header, at: 1)
    }
    self.header = header
  }

  /// One to send.
  public init(
    response: Response = .completed, status: UInt8, initiatorTaskTag: UInt32,
    statSN: SerialNumber, expCmdSN: SerialNumber, maxCmdSN: SerialNumber,
    expDataSN: UInt32 = 0, residual: Residual = .none, bidirectionalReadResidual: Residual = .none
  ) {
    header = BasicHeaderSegment(.scsiResponse)
    header.bytes[2] = response.rawValue
    header.bytes[3] = status
    self.initiatorTaskTag = initiatorTaskTag
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
    self.expDataSN = expDataSN
    header.set(flag: 0x04, at: 1, to: residual.isOverflow)
    header.set(flag: 0x02, at: 1, to: residual.isUnderflow)
    header.set(uint32: residual.count, at: 44)
    header.set(flag: 0x10, at: 1, to: bidirectionalReadResidual.isOverflow)
    header.set(flag: 0x08, at: 1, to: bidirectionalReadResidual.isUnderflow)
    header.set(uint32: bidirectionalReadResidual.count, at: 40)
  }

  /// What the target port says.
  public var response: Response { Response(rawValue: header.bytes[2]) }

  /// Status byte of SAM; holds only where `response` is completed.
  public var status: UInt8 { header.bytes[3] }

  /// SNACK Tag; 0 in error recovery level 0.
  public var snackTag: UInt32 {
    get { header.uint32(at: 20) }
    set { header.set(uint32: newValue, at: 20) }
  }

  /// ExpDataSN: R2T and Data-In PDUs that the target sent for the command.
  public var expDataSN: UInt32 {
    get { header.uint32(at: 36) }
    set { header.set(uint32: newValue, at: 36) }
  }

  /// O, U and the residual count.
  public var residual: Residual {
    Residual(
      isOverflow: header.flag(0x04, at: 1), isUnderflow: header.flag(0x02, at: 1),
      count: header.uint32(at: 44)) ?? .none
  }

  /// o, u and the residual count of the read part of a bidirectional command.
  public var bidirectionalReadResidual: Residual {
    Residual(
      isOverflow: header.flag(0x10, at: 1), isUnderflow: header.flag(0x08, at: 1),
      count: header.uint32(at: 40)) ?? .none
  }

  /// The data segment that carries `sense`: its length in two bytes, then itself. RFC 7143 11.4.7.2.
  public static func dataSegment(sense: [UInt8]) -> [UInt8] {
    precondition(sense.count <= 0xFFFF, "sense data has at most 252 bytes")
    return [UInt8(sense.count >> 8), UInt8(sense.count & 0xFF)] + sense
  }

  /// The sense data in a data segment. Nil where the segment is too short for what it says; empty
  /// where there is none.
  public static func sense(in segment: [UInt8]) -> [UInt8]? {
    guard !segment.isEmpty else { return [] }
    guard segment.count >= 2 else { return nil }
    let count = Int(segment[0]) << 8 | Int(segment[1])
    guard count <= segment.count - 2 else { return nil }
    return Array(segment[2..<(2 + count)])
  }
}
