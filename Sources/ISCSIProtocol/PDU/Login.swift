/// Phase of a login. RFC 7143 11.12.3.
public enum LoginStage: UInt8, Sendable {
  /// SecurityNegotiation.
  case securityNegotiation = 0
  /// LoginOperationalNegotiation.
  case operationalNegotiation = 1
  /// FullFeaturePhase.
  case fullFeature = 3
}

/// What Login Request and Login Response share.
public protocol LoginPDU: ProtocolDataUnit {}

extension LoginPDU {
  /// T: the sender is ready for the next stage.
  public var isTransit: Bool { header.flag(0x80, at: 1) }

  /// C: the text goes on in the next PDU.
  public var isContinued: Bool { header.flag(0x40, at: 1) }

  /// CSG, or nil for the reserved value.
  public var currentStage: LoginStage? { LoginStage(rawValue: header.bytes[1] >> 2 & 3) }

  /// NSG, of meaning only with T; nil for the reserved value.
  public var nextStage: LoginStage? { LoginStage(rawValue: header.bytes[1] & 3) }

  /// ISID.
  public var isid: InitiatorSessionID {
    get { InitiatorSessionID(rawValue: header.uint64(at: 8) >> 16) }
    set {
      header.set(uint64: newValue.rawValue << 16 | UInt64(header.uint16(at: 14)), at: 8)
    }
  }

  /// TSIH; 0 asks for a new session.
  public var tsih: UInt16 {
    get { header.uint16(at: 14) }
    set { header.set(uint16: newValue, at: 14) }
  }

  /// T with C, a stage that is reserved or does not follow: protocol errors.
  static func checkStages(_ header: BasicHeaderSegment) throws(PDUError) {
    let fault = PDUError(.protocolError, in: header, at: 1)
    let current = header.bytes[1] >> 2 & 3
    let next = header.bytes[1] & 3
    guard header.bytes[1] & 0xC0 != 0xC0, current < 2 else { throw fault }
    guard header.bytes[1] & 0x80 == 0 || (next != 2 && next > current) else { throw fault }
  }

  static func stageByte(
    _ current: LoginStage, next: LoginStage?, isContinued: Bool
  ) -> UInt8 {
    precondition(next == nil || !isContinued, "text that continues does not end a stage")
    return (next == nil ? 0 : 0x80) | (isContinued ? 0x40 : 0) | current.rawValue << 2
      | (next?.rawValue ?? 0)
  }
}

/// Login Request. RFC 7143 11.12.
public struct LoginRequest: LoginPDU, InitiatorPDU {
  /// 03h.
  public static var opcode: Opcode { .loginRequest }
  /// The only version of iSCSI there is.
  public static var version: UInt8 { 0 }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: T with C, stages that are reserved or do not follow.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    try Self.checkStages(header)
    self.header = header
  }

  /// One to send; with `nextStage` it asks for that stage.
  public init(
    isid: InitiatorSessionID, tsih: UInt16 = 0, connectionID: UInt16 = 0, initiatorTaskTag: UInt32,
    cmdSN: SerialNumber, expStatSN: SerialNumber, currentStage: LoginStage,
    nextStage: LoginStage? = nil, isContinued: Bool = false
  ) {
    header = BasicHeaderSegment(.loginRequest)
    header.isImmediate = true
    header.bytes[1] = Self.stageByte(currentStage, next: nextStage, isContinued: isContinued)
    self.isid = isid
    self.tsih = tsih
    self.initiatorTaskTag = initiatorTaskTag
    header.set(uint16: connectionID, at: 20)
    header.set(uint32: cmdSN.rawValue, at: 24)
    self.expStatSN = expStatSN
  }

  /// Version-max.
  public var versionMax: UInt8 {
    get { header.bytes[2] }
    set { header.bytes[2] = newValue }
  }

  /// Version-min.
  public var versionMin: UInt8 {
    get { header.bytes[3] }
    set { header.bytes[3] = newValue }
  }

  /// CID.
  public var connectionID: UInt16 { header.uint16(at: 20) }

  /// CmdSN.
  public var cmdSN: SerialNumber { SerialNumber(header.uint32(at: 24)) }
}

/// Login Response. RFC 7143 11.13.
public struct LoginResponse: LoginPDU, TargetPDU {
  /// 23h.
  public static var opcode: Opcode { .loginResponse }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. The stages of a success are checked, those of a failure mean nothing.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    if header.bytes[36] == 0 { try Self.checkStages(header) }
    self.header = header
  }

  /// One to send; with `nextStage` it grants that stage.
  public init(
    isid: InitiatorSessionID, tsih: UInt16, initiatorTaskTag: UInt32,
    status: LoginStatus = .success, statSN: SerialNumber, expCmdSN: SerialNumber,
    maxCmdSN: SerialNumber,
    currentStage: LoginStage, nextStage: LoginStage? = nil, isContinued: Bool = false
  ) {
    header = BasicHeaderSegment(.loginResponse)
    header.bytes[1] = Self.stageByte(currentStage, next: nextStage, isContinued: isContinued)
    self.isid = isid
    self.tsih = tsih
    self.initiatorTaskTag = initiatorTaskTag
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
    header.set(uint16: status.rawValue, at: 36)
  }

  /// Version-max.
  public var versionMax: UInt8 { header.bytes[2] }

  /// Version-active.
  public var versionActive: UInt8 { header.bytes[3] }

  /// Status class and detail.
  public var status: LoginStatus { LoginStatus(rawValue: header.uint16(at: 36)) }
}
