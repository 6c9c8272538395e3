/// SCSI Task Management Function Request. RFC 7143 11.5.
public struct TaskManagementRequest: OrderedPDU, AddressedPDU {
  /// What to do. RFC 7143 11.5.1; 9 to 12 are of RFC 7144 4.2.
  public enum Function: UInt8, CaseIterable, Sendable {
    /// ABORT TASK.
    case abortTask = 1
    /// ABORT TASK SET.
    case abortTaskSet = 2
    /// CLEAR ACA.
    case clearACA = 3
    /// CLEAR TASK SET.
    case clearTaskSet = 4
    /// LOGICAL UNIT RESET.
    case logicalUnitReset = 5
    /// TARGET WARM RESET.
    case targetWarmReset = 6
    /// TARGET COLD RESET.
    case targetColdReset = 7
    /// TASK REASSIGN.
    case taskReassign = 8
    /// QUERY TASK.
    case queryTask = 9
    /// QUERY TASK SET.
    case queryTaskSet = 10
    /// I_T NEXUS RESET.
    case nexusReset = 11
    /// QUERY ASYNCHRONOUS EVENT.
    case queryAsynchronousEvent = 12
  }

  /// 02h.
  public static var opcode: Opcode { .taskManagementRequest }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. A function nobody assigned is not an error of the PDU: `function` is nil.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard header.initiatorTaskTag != Self.reservedTag else {
      throw PDUError(.protocolError, in: header, at: 16)
    }
    self.header = header
  }

  /// One to send.
  public init(
    function: Function, logicalUnit: UInt64 = 0, initiatorTaskTag: UInt32,
    referencedTaskTag: UInt32 = Self.reservedTag, cmdSN: SerialNumber, expStatSN: SerialNumber,
    refCmdSN: SerialNumber = SerialNumber(0), isImmediate: Bool = true
  ) {
    header = BasicHeaderSegment(.taskManagementRequest)
    header.bytes[1] = 0x80 | function.rawValue
    self.logicalUnit = logicalUnit
    self.initiatorTaskTag = initiatorTaskTag
    header.set(uint32: referencedTaskTag, at: 20)
    self.cmdSN = cmdSN
    self.expStatSN = expStatSN
    header.set(uint32: refCmdSN.rawValue, at: 32)
    self.isImmediate = isImmediate
  }

  /// What to do, or nil: answer “not supported”.
  public var function: Function? { Function(rawValue: header.bytes[1] & 0x7F) }

  /// Referenced Task Tag: of the task to abort.
  public var referencedTaskTag: UInt32 { header.uint32(at: 20) }

  /// RefCmdSN: CmdSN of the task to abort.
  public var refCmdSN: SerialNumber { SerialNumber(header.uint32(at: 32)) }

  /// ExpDataSN; only for TASK REASSIGN.
  public var expDataSN: UInt32 { header.uint32(at: 36) }
}

/// SCSI Task Management Function Response. RFC 7143 11.6.
public struct TaskManagementResponse: TargetPDU {
  /// What came of it. RFC 7143 11.6.1, RFC 7144 4.3.
  public enum Response: UInt8, CaseIterable, Sendable {
    /// Function complete.
    case complete = 0
    /// Task does not exist.
    case taskDoesNotExist = 1
    /// LUN does not exist.
    case logicalUnitDoesNotExist = 2
    /// Task still allegiant.
    case taskStillAllegiant = 3
    /// Task allegiance reassignment not supported.
    case reassignmentNotSupported = 4
    /// Task management function not supported.
    case functionNotSupported = 5
    /// Function authorization failed.
    case authorizationFailed = 6
    /// Function succeeded; answer to the queries.
    case succeeded = 7
    /// Function rejected.
    case rejected = 255
  }

  /// 22h.
  public static var opcode: Opcode { .taskManagementResponse }
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

  /// One to send.
  public init(
    response: Response, initiatorTaskTag: UInt32, statSN: SerialNumber, expCmdSN: SerialNumber,
    maxCmdSN: SerialNumber
  ) {
    header = BasicHeaderSegment(.taskManagementResponse)
    header.bytes[2] = response.rawValue
    self.initiatorTaskTag = initiatorTaskTag
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
  }

  /// What came of it.
  public var response: Response { Response(rawValue: header.bytes[2]) ?? .rejected }
}
