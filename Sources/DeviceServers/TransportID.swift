import SCSI

/// An iSCSI TransportID: an initiator, or one of its ports. SPC-4 7.6.4.6.
public struct TransportID: Hashable, Sendable {
  /// The iSCSI name, in lower case.
  public let name: String
  /// The ISID of the port; nil where the initiator as a whole is meant (format 00b).
  public let isid: UInt64?

  /// The longest: a name of 223 bytes, the separator, 12 digits, the end, and filled to four.
  static let lengthMaximum = 4 + 244
  /// Longest iSCSI name, RFC 7143 4.2.7.1.
  static let nameLengthMaximum = 223
  /// ADDITIONAL LENGTH is at least this.
  static let additionalLengthMinimum = 20
  private static let separator = Array(",i,0x".utf8)
  private static let protocolIdentifier: UInt8 = 0x05

  /// A name with the ISID in the low six bytes, or without one.
  public init(name: String, isid: UInt64?) {
    self.name = name
    self.isid = isid.map { $0 & 0xFFFF_FFFF_FFFF }
  }

  /// As a parameter list and READ FULL STATUS have it: a multiple of four bytes, at least 24. A name
  /// that no initiator can have is cut.
  public var bytes: [UInt8] {
    var text = Array(name.utf8.prefix(Self.nameLengthMaximum))
    if let isid {
      let digits = String(isid, radix: 16)
      text += Self.separator
      text += Array((String(repeating: "0", count: 12 - digits.utf8.count) + digits).utf8)
    }
    text.append(0)
    text += [UInt8](repeating: 0, count: (4 - text.count % 4) % 4)
    while text.count < Self.additionalLengthMinimum { text.append(0) }
    var writer = ByteWriter(capacity: 4 + text.count)
    writer.append([(isid == nil ? 0x00 : 0x40) | Self.protocolIdentifier, 0])
    writer.uint16(UInt16(text.count))
    writer.append(text)
    return writer.bytes
  }

  /// The TransportID at `offset` with its length; nil where it is of another transport, malformed or
  /// cut.
  static func decode(_ bytes: [UInt8], at offset: Int) -> (TransportID, length: Int)? {
    do throws(ByteReaderError) {
      let reader = ByteReader(bytes.span)
      let first = try reader.uint8(at: offset)
      let additionalLength = Int(try reader.uint16(at: offset + 2))
      guard first & 0x3F == protocolIdentifier, first >> 6 < 2, additionalLength % 4 == 0,
        additionalLength >= additionalLengthMinimum, additionalLength + 4 <= lengthMaximum
      else { return nil }
      let text = try reader.array(at: offset + 4, count: additionalLength)
      guard let end = text.firstIndex(of: 0), text[end...].allSatisfy({ $0 == 0 }),
        let value = parse(Array(text[..<end]), hasPort: first >> 6 == 1)
      else { return nil }
      return (value, 4 + additionalLength)
    } catch {
      return nil
    }
  }

  private static func parse(_ text: [UInt8], hasPort: Bool) -> TransportID? {
    var nameBytes = text
    var isid: UInt64?
    if hasPort {
      guard let comma = text.firstIndex(of: separator[0]),
        text[comma...].starts(with: separator)
      else { return nil }
      let digits = text[(comma + separator.count)...]
      guard (1...12).contains(digits.count) else { return nil }
      var value: UInt64 = 0
      for digit in digits {
        guard let nibble = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
        value = value << 4 | UInt64(nibble)
      }
      isid = value
      nameBytes = Array(text[..<comma])
    }
    guard (1...nameLengthMaximum).contains(nameBytes.count),
      nameBytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != separator[0] }),
      let name = String(validating: nameBytes, as: UTF8.self)
    else { return nil }
    return TransportID(name: name.lowercased(), isid: isid)
  }
}
