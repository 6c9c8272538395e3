import Digests
import ISCSIProtocol
import Uring

/// The fields of a channel's block: a place for each slot, fields for longer data such as sense, the
/// header and the trailer that are being received, and a sink.
extension PDUChannel {
  static let slotByteCount = 144
  /// Where a slot has its trailer: padding and data digest.
  static let trailerOffset = 80
  /// Where a slot has data of a few bytes: fixed format sense data, a header that is rejected.
  static let inlineOffset = 88
  static let inlineByteCount = 56
  static let fieldCount = 4
  static let fieldByteCount = 256

  static let fieldsOffset = slotCount * slotByteCount
  static let headerOffset = fieldsOffset + fieldCount * fieldByteCount
  static let trailerReceiveOffset = headerOffset + 128
  static let sinkOffset = trailerReceiveOffset + 16
  static let sinkByteCount = blockByteCount - sinkOffset

  /// Bytes of additional header segments that a PDU may have: an extended CDB and a read length.
  static let mostAdditionalHeaderBytes = 28
  static let digestByteCount = 4

  /// CRC32C of a payload as it stands on the wire: the least significant byte first (RFC 7143 13.1).
  static func digest(of payload: borrowing Payload) -> InlineArray<4, UInt8> {
    var checksum = CRC32C()
    unsafe payload.forEachRange { unsafe checksum.update(UnsafeRawBufferPointer($0)) }
    let value = checksum.value
    return InlineArray { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
  }

  static func isEqual(_ one: InlineArray<4, UInt8>, _ other: InlineArray<4, UInt8>) -> Bool {
    one[0] == other[0] && one[1] == other[1] && one[2] == other[2] && one[3] == other[3]
  }
}
