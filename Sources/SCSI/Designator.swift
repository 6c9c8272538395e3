/// What names a logical unit or port: a designation descriptor of VPD page 83h. SPC-4 7.8.6.1.
///
/// In an identification descriptor (E4h) of a parameter list there is room for 20 bytes.
public struct Designator: Hashable, Sendable, CustomStringConvertible {
  /// How the bytes are to be read.
  public enum CodeSet: UInt8, Hashable, Sendable {
    case binary = 1
    case ascii = 2
    case utf8 = 3
  }

  /// CODE SET, four bits.
  public var codeSet: UInt8
  /// ASSOCIATION, two bits: 0 logical unit, 1 target port, 2 target device.
  public var association: UInt8
  /// DESIGNATOR TYPE, four bits: 1 T10 vendor identification, 2 EUI-64, 3 NAA, 8 SCSI name string.
  public var type: UInt8
  /// The designator itself.
  public var bytes: [UInt8]

  /// A designator; only the low four, two and four bits of the first three are used.
  public init(codeSet: UInt8, association: UInt8, type: UInt8, bytes: [UInt8]) {
    self.codeSet = codeSet & 0x0F
    self.association = association & 0x03
    self.type = type & 0x0F
    self.bytes = bytes
  }

  /// An NAA designator (binary, of the logical unit): 8 bytes, or 16 for NAA 6.
  public static func naa(_ bytes: [UInt8]) -> Designator {
    Designator(codeSet: CodeSet.binary.rawValue, association: 0, type: typeNAA, bytes: bytes)
  }

  /// DESIGNATOR TYPE of a T10 vendor identification.
  public static let typeT10VendorIdentification: UInt8 = 1
  /// DESIGNATOR TYPE of an EUI-64.
  public static let typeEUI64: UInt8 = 2
  /// DESIGNATOR TYPE of an NAA name.
  public static let typeNAA: UInt8 = 3
  /// DESIGNATOR TYPE of a SCSI name string.
  public static let typeSCSINameString: UInt8 = 8

  /// The designator in one line, such as `NAA 6…` in hexadecimal.
  public var description: String {
    let name =
      switch type {
      case 0: "vendor specific"
      case Self.typeT10VendorIdentification: "T10 vendor identification"
      case Self.typeEUI64: "EUI-64"
      case Self.typeNAA: "NAA"
      case 4: "relative target port"
      case 5: "target port group"
      case 6: "logical unit group"
      case 7: "MD5 logical unit"
      case Self.typeSCSINameString: "SCSI name string"
      default: "designator type \(hexadecimal(type))"
      }
    let isText = codeSet != CodeSet.binary.rawValue && bytes.allSatisfy { 0x20...0x7E ~= $0 }
    return name + " " + (isText ? String(decoding: bytes, as: UTF8.self) : hexadecimal(bytes))
  }
}
