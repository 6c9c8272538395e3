/// What a PDU is. RFC 7143 11.2.1.2.
public enum Opcode: UInt8, CaseIterable, Sendable {
  /// NOP-Out, initiator to target.
  case nopOut = 0x00
  /// SCSI Command.
  case scsiCommand = 0x01
  /// SCSI Task Management Function Request.
  case taskManagementRequest = 0x02
  /// Login Request.
  case loginRequest = 0x03
  /// Text Request.
  case textRequest = 0x04
  /// SCSI Data-Out.
  case dataOut = 0x05
  /// Logout Request.
  case logoutRequest = 0x06
  /// SNACK Request.
  case snack = 0x10
  /// NOP-In, target to initiator.
  case nopIn = 0x20
  /// SCSI Response.
  case scsiResponse = 0x21
  /// SCSI Task Management Function Response.
  case taskManagementResponse = 0x22
  /// Login Response.
  case loginResponse = 0x23
  /// Text Response.
  case textResponse = 0x24
  /// SCSI Data-In.
  case dataIn = 0x25
  /// Logout Response.
  case logoutResponse = 0x26
  /// Ready To Transfer.
  case readyToTransfer = 0x31
  /// Asynchronous Message.
  case asynchronousMessage = 0x32
  /// Reject.
  case reject = 0x3F

  /// Whether an initiator sends it; else a target does.
  public var isOfInitiator: Bool { rawValue < 0x20 }
}

extension BasicHeaderSegment {
  /// A header that begins with `opcode`; F is set, as it is in most PDUs.
  init(_ opcode: Opcode) {
    self.init()
    bytes[0] = opcode.rawValue
    bytes[1] = 0x80
  }

  /// What the PDU is, or nil for an opcode nobody assigned.
  public var kind: Opcode? { Opcode(rawValue: opcode) }

  func flag(_ mask: UInt8, at offset: Int) -> Bool { bytes[offset] & mask != 0 }

  mutating func set(flag mask: UInt8, at offset: Int, to value: Bool) {
    bytes[offset] = value ? bytes[offset] | mask : bytes[offset] & ~mask
  }
}
