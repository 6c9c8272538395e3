/// SCSI Command. RFC 7143 11.3.
public struct SCSICommand: OrderedPDU, AddressedPDU {
  /// Task attribute. RFC 7143 11.3.1.
  public enum TaskAttribute: UInt8, Sendable {
    /// Untagged, treated as simple.
    case untagged = 0
    /// Simple.
    case simple = 1
    /// Ordered.
    case ordered = 2
    /// Head of queue.
    case headOfQueue = 3
    /// ACA.
    case aca = 4
  }

  /// 01h.
  public static var opcode: Opcode { .scsiCommand }
  /// The 48 bytes.
  public var header: BasicHeaderSegment

  /// One received. Refused: attribute 5 to 7, the reserved task tag, no F without W.
  public init(_ header: BasicHeaderSegment) throws(PDUError) {
    try Self.check(header)
    guard TaskAttribute(rawValue: header.bytes[1] & 0x07) != nil else {
      throw PDUError(.invalidPDUField, in: header, at: 1)
    }
    guard header.initiatorTaskTag != Self.reservedTag else {
      throw PDUError(.protocolError, in: header, at: 16)
    }
    guard header.isFinal || header.flag(0x20, at: 1) else {
      throw PDUError(.protocolError, in: header, at: 1)
    }
    self.header = header
  }

  /// One to send; bytes of `cdb` behind the 16th belong in an `AdditionalHeaderSegments`.
  public init(
    cdb: [UInt8], logicalUnit: UInt64, initiatorTaskTag: UInt32, cmdSN: SerialNumber,
    expStatSN: SerialNumber, attribute: TaskAttribute = .simple,
    expectedDataTransferLength: UInt32 = 0, isRead: Bool = false, isWrite: Bool = false,
    isFinal: Bool = true
  ) {
    precondition(isFinal || isWrite, "only a command that writes has data to follow")
    header = BasicHeaderSegment(.scsiCommand)
    header.bytes[1] = attribute.rawValue
    self.isFinal = isFinal
    self.isRead = isRead
    self.isWrite = isWrite
    self.logicalUnit = logicalUnit
    self.initiatorTaskTag = initiatorTaskTag
    self.cmdSN = cmdSN
    self.expStatSN = expStatSN
    self.expectedDataTransferLength = expectedDataTransferLength
    for index in 0..<min(cdb.count, 16) { header.bytes[32 + index] = cdb[index] }
  }

  /// F: no unsolicited Data-Out follows.
  public var isFinal: Bool {
    get { header.isFinal }
    set { header.isFinal = newValue }
  }

  /// R: data is expected from the target.
  public var isRead: Bool {
    get { header.flag(0x40, at: 1) }
    set { header.set(flag: 0x40, at: 1, to: newValue) }
  }

  /// W: data goes to the target.
  public var isWrite: Bool {
    get { header.flag(0x20, at: 1) }
    set { header.set(flag: 0x20, at: 1, to: newValue) }
  }

  /// The task attribute.
  public var attribute: TaskAttribute {
    TaskAttribute(rawValue: header.bytes[1] & 0x07) ?? .untagged
  }

  /// Expected Data Transfer Length in bytes; of the write part where R and W are set.
  public var expectedDataTransferLength: UInt32 {
    get { header.uint32(at: 20) }
    set { header.set(uint32: newValue, at: 20) }
  }

  /// The first 16 bytes of the CDB.
  public var cdb: InlineArray<16, UInt8> {
    InlineArray { index in header.bytes[32 + index] }
  }
}
