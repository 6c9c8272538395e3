/// Why a name is none.
public enum NameError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No bytes, or over 223.
  case badLength(Int)
  /// Not `iqn.`, `eui.` or `naa.`.
  case unknownType
  /// A byte that RFC 3722 forbids, at this offset.
  case forbiddenCharacter(offset: Int)
  /// A byte over 7Fh, at this offset: only ASCII names are supported.
  case notASCII(offset: Int)
  /// What follows the type does not have its form.
  case badForm

  /// For a log or a person.
  public var description: String {
    switch self {
    case .badLength(let count):
      "an iSCSI name has 1 to \(ISCSIName.maximumByteCount) bytes, not \(count)"
    case .unknownType: "an iSCSI name begins with iqn., eui. or naa."
    case .forbiddenCharacter(let offset):
      "byte \(offset) of the iSCSI name is not a letter, digit, “-”, “.” or “:”"
    case .notASCII(let offset):
      "byte \(offset) of the iSCSI name is not ASCII; write the name in its ASCII form"
    case .badForm:
      "an iSCSI name is iqn.YYYY-MM.domain:name, eui. with 16 or naa. with 16 or 32 hexadecimal digits"
    }
  }
}

/// The name of an iSCSI node, normalised: lower case. RFC 7143 4.2.7, RFC 3722, RFC 3980.
///
/// Letters, digits, `-`, `.` and `:` only, so that a name is harmless wherever it is shown.
public struct ISCSIName: Hashable, Sendable, CustomStringConvertible {
  /// Most bytes of a name. RFC 7143 4.2.7.1.
  public static let maximumByteCount = 223

  /// How the name is assigned.
  public enum Kind: Sendable {
    /// By the owner of a domain name.
    case iqn
    /// EUI-64.
    case eui
    /// Network address authority.
    case naa
  }

  /// The normalised name.
  public let description: String
  /// How it is assigned.
  public let kind: Kind

  /// Checks and normalises a name from the wire, a file or a person.
  public init(_ text: String) throws(NameError) {
    let count = text.utf8.count
    guard (1...Self.maximumByteCount).contains(count) else { throw .badLength(count) }
    var bytes: [UInt8] = []
    for (offset, byte) in text.utf8.enumerated() {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): bytes.append(byte | 0x20)
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"):
        bytes.append(byte)
      case 0x80...: throw .notASCII(offset: offset)
      default: throw .forbiddenCharacter(offset: offset)
      }
    }
    let rest = bytes.dropFirst(4)
    switch String(decoding: bytes.prefix(4), as: UTF8.self) {
    case "iqn.":
      guard Self.isQualified(Array(rest)) else { throw .badForm }
      kind = .iqn
    case "eui.":
      guard rest.count == 16, rest.allSatisfy({ TextValue.hexadecimal($0) != nil }) else {
        throw .badForm
      }
      kind = .eui
    case "naa.":
      guard rest.count == 16 || rest.count == 32,
        rest.allSatisfy({ TextValue.hexadecimal($0) != nil })
      else { throw .badForm }
      kind = .naa
    default: throw .unknownType
    }
    description = String(decoding: bytes, as: UTF8.self)
  }

  /// `YYYY-MM.` and at least a character.
  private static func isQualified(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 9, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: ".") else {
      return false
    }
    let digits = [0, 1, 2, 3, 5, 6].map { bytes[$0] }
    guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
    let month = (digits[4] - 0x30) * 10 + digits[5] - 0x30
    return (1...12).contains(month)
  }
}

/// Names of SCSI ports. RFC 7143 4.4.3.
public enum PortName {
  /// Of an initiator port, as in a TransportID: `name,i,0x` and the ISID.
  public static func initiator(_ name: ISCSIName, isid: InitiatorSessionID) -> String {
    "\(name),i,\(isid)"
  }

  /// Of a target port: `name,t,0x` and the portal group tag.
  public static func target(_ name: ISCSIName, portalGroupTag: UInt16) -> String {
    let digits = String(portalGroupTag, radix: 16)
    return "\(name),t,0x" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// Name and ISID of the name of an initiator port, or nil where it is none.
  public static func parseInitiator(_ text: String) -> (name: ISCSIName, isid: InitiatorSessionID)?
  {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[1] == "i", parts[2].utf8.count == 14,
      let name = try? ISCSIName(String(parts[0])), let isid = TextValue.number(String(parts[2]))
    else { return nil }
    return (name, InitiatorSessionID(rawValue: isid))
  }
}
