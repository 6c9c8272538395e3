/// A PDU seen through its basic header segment. A view of 48 bytes: it allocates nothing.
public protocol ProtocolDataUnit: Equatable, Sendable {
  /// What the PDU is.
  static var opcode: Opcode { get }
  /// The 48 bytes.
  var header: BasicHeaderSegment { get set }
  /// A PDU received. Throws where a field makes it a protocol error.
  init(_ header: BasicHeaderSegment) throws(PDUError)
}

extension ProtocolDataUnit {
  /// The tag that marks no task.
  public static var reservedTag: UInt32 { 0xFFFF_FFFF }

  /// Initiator Task Tag.
  public var initiatorTaskTag: UInt32 {
    get { header.initiatorTaskTag }
    set { header.initiatorTaskTag = newValue }
  }

  /// DataSegmentLength: bytes of the data segment without padding, below 2²⁴.
  public var dataSegmentLength: Int {
    get { header.dataSegmentLength }
    set { header.dataSegmentLength = newValue }
  }

  static func check(_ header: BasicHeaderSegment) throws(PDUError) {
    guard header.opcode == opcode.rawValue else {
      throw PDUError(.commandNotSupported, in: header, at: 0)
    }
  }
}

/// A PDU with a logical unit number.
public protocol AddressedPDU: ProtocolDataUnit {}

extension AddressedPDU {
  /// LUN, the eight bytes of SAM.
  public var logicalUnit: UInt64 {
    get { header.logicalUnit }
    set { header.logicalUnit = newValue }
  }
}

/// A PDU with a target transfer tag at byte 20.
public protocol TransferPDU: AddressedPDU {}

extension TransferPDU {
  /// Target Transfer Tag; `reservedTag` for none.
  public var targetTransferTag: UInt32 {
    get { header.uint32(at: 20) }
    set { header.set(uint32: newValue, at: 20) }
  }
}

/// A PDU of an initiator that acknowledges statuses.
public protocol InitiatorPDU: ProtocolDataUnit {}

extension InitiatorPDU {
  /// ExpStatSN: the status the initiator expects next.
  public var expStatSN: SerialNumber {
    get { SerialNumber(header.uint32(at: 28)) }
    set { header.set(uint32: newValue.rawValue, at: 28) }
  }
}

/// A PDU of an initiator that stands in the order of commands.
public protocol OrderedPDU: InitiatorPDU {}

extension OrderedPDU {
  /// CmdSN.
  public var cmdSN: SerialNumber {
    get { SerialNumber(header.uint32(at: 24)) }
    set { header.set(uint32: newValue.rawValue, at: 24) }
  }

  /// I: for immediate delivery; CmdSN does not advance.
  public var isImmediate: Bool {
    get { header.isImmediate }
    set { header.isImmediate = newValue }
  }
}

/// A PDU of a target: all carry the three numbers of the command window.
public protocol TargetPDU: ProtocolDataUnit {}

extension TargetPDU {
  /// StatSN.
  public var statSN: SerialNumber {
    get { SerialNumber(header.uint32(at: 24)) }
    set { header.set(uint32: newValue.rawValue, at: 24) }
  }

  /// ExpCmdSN: the command the target expects next.
  public var expCmdSN: SerialNumber {
    get { SerialNumber(header.uint32(at: 28)) }
    set { header.set(uint32: newValue.rawValue, at: 28) }
  }

  /// MaxCmdSN: the last command the target has room for.
  public var maxCmdSN: SerialNumber {
    get { SerialNumber(header.uint32(at: 32)) }
    set { header.set(uint32: newValue.rawValue, at: 32) }
  }
}
