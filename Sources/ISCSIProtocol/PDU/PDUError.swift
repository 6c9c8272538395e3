/// A header that RFC 7143 does not allow.
public struct PDUError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The reason to give in a Reject.
  public let reason: RejectReason
  /// The opcode of the PDU, as received.
  public let opcode: UInt8
  /// The byte of the PDU's headers that is wrong.
  public let offset: Int

  /// A fault of `header` at `offset`.
  public init(_ reason: RejectReason, in header: BasicHeaderSegment, at offset: Int) {
    self.reason = reason
    opcode = header.opcode
    self.offset = offset
  }

  /// For a log.
  public var description: String {
    let name = Opcode(rawValue: opcode).map { "\($0)" } ?? "opcode \(opcode)"
    return "\(reason) in \(name) at byte \(offset) of the header"
  }
}

/// Why a PDU was rejected. RFC 7143 11.17.1.
public enum RejectReason: UInt8, CaseIterable, Sendable {
  /// Data (payload) digest error.
  case dataDigestError = 0x02
  /// SNACK reject.
  case snackReject = 0x03
  /// Protocol error.
  case protocolError = 0x04
  /// Command not supported.
  case commandNotSupported = 0x05
  /// Too many immediate commands.
  case tooManyImmediateCommands = 0x06
  /// Task in progress.
  case taskInProgress = 0x07
  /// Invalid data acknowledgement.
  case invalidDataAcknowledgement = 0x08
  /// Invalid PDU field.
  case invalidPDUField = 0x09
  /// No target transfer tag for a long operation: out of resources.
  case longOperationReject = 0x0A
  /// Negotiation reset; obsolete since RFC 7143.
  case negotiationReset = 0x0B
  /// Waiting for logout.
  case waitingForLogout = 0x0C
}
