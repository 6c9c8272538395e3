/// Asynchronous Message. RFC 7143 11.9.
public struct AsynchronousMessage: TargetPDU, AddressedPDU {
  /// What happened. RFC 7143 11.9.1.
  public enum Event: UInt8, CaseIterable, Sendable {
    /// A SCSI event; the data segment has sense data.
    case scsi = 0
    /// The target asks for a logout within Parameter3 seconds.
    case logoutRequest = 1
    /// The target drops connection Parameter1.
    case dropConnection = 2
    /// The target drops all connections of the session.
    case dropSession = 3
    /// The target asks for negotiation within Parameter3 seconds.
    case negotiationRequest = 4
    /// All tasks of the logical unit are being ended.
    case tasksTerminated = 5
    /// Vendor specific.
    case vendor = 255
  }

  /// 32h.
  public static var opcode: Opcode { .asynchronousMessage }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: an event nobody assigned.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard Event(rawValue: header.bytes[36]) != nil else {
      throw PDUError(.invalidPDUField, in: header, at: 36)
    }
    self.header = header
  }

  /// One to send; what the parameters mean depends on `event`.
  public init(
    event: Event, logicalUnit: UInt64 = 0, statSN: SerialNumber, expCmdSN: SerialNumber,
    maxCmdSN: SerialNumber, vendorCode: UInt8 = 0, parameter1: UInt16 = 0, parameter2: UInt16 = 0,
    parameter3: UInt16 = 0
  ) {
    header = BasicHeaderSegment(.asynchronousMessage)
    self.logicalUnit = logicalUnit
    initiatorTaskTag = Self.reservedTag
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
    header.bytes[36] = event.rawValue
    header.bytes[37] = vendorCode
    header.set(uint16: parameter1, at: 38)
    header.set(uint16: parameter2, at: 40)
    header.set(uint16: parameter3, at: 42)
  }

  /// What happened.
  public var event: Event { Event(rawValue: header.bytes[36]) ?? .vendor }

  /// AsyncVCode.
  public var vendorCode: UInt8 { header.bytes[37] }

  /// Parameter1: the CID, for `dropConnection`.
  public var parameter1: UInt16 { header.uint16(at: 38) }

  /// Parameter2: Time2Wait in seconds, for the drops.
  public var parameter2: UInt16 { header.uint16(at: 40) }

  /// Parameter3: Time2Retain in seconds for the drops, the time limit for the requests.
  public var parameter3: UInt16 { header.uint16(at: 42) }
}
