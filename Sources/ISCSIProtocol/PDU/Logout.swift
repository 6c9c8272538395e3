/// Logout Request. RFC 7143 11.14.
public struct LogoutRequest: OrderedPDU {
  /// Why. RFC 7143 11.14.1.
  public enum Reason: UInt8, CaseIterable, Sendable {
    /// Close the session.
    case closeSession = 0
    /// Close the connection.
    case closeConnection = 1
    /// Remove the connection for recovery.
    case removeForRecovery = 2
  }

  /// 06h.
  public static var opcode: Opcode { .logoutRequest }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: a reason nobody assigned, the reserved task tag.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard Reason(rawValue: header.bytes[1] & 0x7F) != nil else {
      throw PDUError(.invalidPDUField, in: header, at: 1)
    }
    guard header.initiatorTaskTag != Self.reservedTag else {
      throw PDUError(.protocolError, in: header, at: 16)
    }
    self.header = header
  }

  /// One to send.
  public init(
    reason: Reason, connectionID: UInt16 = 0, initiatorTaskTag: UInt32, cmdSN: SerialNumber,
    expStatSN: SerialNumber, isImmediate: Bool = true
  ) {
    header = BasicHeaderSegment(.logoutRequest)
    header.bytes[1] = 0x80 | reason.rawValue
    self.initiatorTaskTag = initiatorTaskTag
    header.set(uint16: connectionID, at: 20)
    self.cmdSN = cmdSN
    self.expStatSN = expStatSN
    self.isImmediate = isImmediate
  }

  /// Why.
  public var reason: Reason { Reason(rawValue: header.bytes[1] & 0x7F) ?? .closeSession }

  /// CID; of no meaning when the session is closed.
  public var connectionID: UInt16 { header.uint16(at: 20) }
}

/// Logout Response. RFC 7143 11.15.
public struct LogoutResponse: TargetPDU {
  /// What came of it. RFC 7143 11.15.1.
  public enum Response: UInt8, CaseIterable, Sendable {
    /// Closed.
    case closed = 0
    /// CID not found.
    case connectionNotFound = 1
    /// Connection recovery is not supported.
    case recoveryNotSupported = 2
    /// Cleanup failed.
    case cleanupFailed = 3
  }

  /// 26h.
  public static var opcode: Opcode { .logoutResponse }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: a response nobody assigned.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard Response(rawValue: header.bytes[2]) != nil else {
      throw PDUError(.invalidPDUField, in: header, at: 2)
    }
    self.header = header
  }

  /// One to send; the times are in seconds.
  public init(
    response: Response, initiatorTaskTag: UInt32, statSN: SerialNumber, expCmdSN: SerialNumber,
    maxCmdSN: SerialNumber, time2WaitSeconds: UInt16 = 0, time2RetainSeconds: UInt16 = 0
  ) {
    header = BasicHeaderSegment(.logoutResponse)
    header.bytes[2] = response.rawValue
    self.initiatorTaskTag = initiatorTaskTag
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
    header.set(uint16: time2WaitSeconds, at: 40)
    header.set(uint16: time2RetainSeconds, at: 42)
  }

  /// What came of it.
  public var response: Response { Response(rawValue: header.bytes[2]) ?? .cleanupFailed }

  /// Time2Wait in seconds.
  public var time2WaitSeconds: UInt16 { header.uint16(at: 40) }

  /// Time2Retain in seconds.
  public var time2RetainSeconds: UInt16 { header.uint16(at: 42) }
}
