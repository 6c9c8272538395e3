/// Forms of values. RFC 7143 6.1.
public enum TextValue {
  /// The answer to a key that is not known.
  public static let notUnderstood = "NotUnderstood"
  /// The answer to a key that has no meaning here.
  public static let irrelevant = "Irrelevant"
  /// The answer to a value that cannot be.
  public static let reject = "Reject"
  /// No method, no digest.
  public static let none = "None"

  /// `Yes` or `No`.
  public static func boolean(_ text: String) -> Bool? {
    switch text {
    case "Yes": true
    case "No": false
    default: nil
    }
  }

  /// `Yes` or `No`.
  public static func text(_ value: Bool) -> String { value ? "Yes" : "No" }

  /// A decimal, or a hexadecimal constant behind `0x`, up to 2⁶⁴ − 1.
  public static func number(_ text: String) -> UInt64? {
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      let digits = text.utf8.dropFirst(2)
      guard !digits.isEmpty, digits.allSatisfy({ hexadecimal($0) != nil }) else { return nil }
      return UInt64(text.dropFirst(2), radix: 16)
    }
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt64(text)
  }

  /// A range of numbers, `low~high`.
  public static func range(_ text: String) -> ClosedRange<UInt64>? {
    let ends = text.split(separator: "~", omittingEmptySubsequences: false)
    guard ends.count == 2, let low = number(String(ends[0])), let high = number(String(ends[1])),
      low <= high
    else { return nil }
    return low...high
  }

  /// The values of a list, in the order of preference. At most 64 are read.
  public static func list(_ text: String) -> [String] {
    text.split(separator: ",", maxSplits: 64, omittingEmptySubsequences: true).prefix(64)
      .map(String.init)
  }

  /// Bytes of a binary value: hexadecimal behind `0x`, base64 behind `0b`. Nil where it is neither
  /// or has over `maximumByteCount` bytes.
  public static func binary(_ text: String, maximumByteCount: Int) -> [UInt8]? {
    let utf8 = Array(text.utf8)
    guard utf8.count >= 3, utf8[0] == UInt8(ascii: "0") else { return nil }
    let digits = utf8[2...]
    // A quarter more than base64 needs and the exact need of hexadecimal: checked before decoding.
    guard digits.count / 2 <= maximumByteCount + 4 else { return nil }
    let bytes: [UInt8]?
    switch utf8[1] {
    case UInt8(ascii: "x"), UInt8(ascii: "X"): bytes = hexadecimal(digits)
    case UInt8(ascii: "b"), UInt8(ascii: "B"): bytes = base64(digits)
    default: bytes = nil
    }
    guard let bytes, bytes.count <= maximumByteCount else { return nil }
    return bytes
  }

  /// A hexadecimal constant of `bytes`.
  public static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text = Array("0x".utf8)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// A base64 constant of `bytes`.
  public static func base64(_ bytes: [UInt8]) -> String {
    var text = Array("0b".utf8)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      var group: UInt32 = 0
      for byte in part { group = group << 8 | UInt32(byte) }
      group <<= UInt32(8 * (3 - part.count))
      for index in 0..<4 {
        let digit = alphabet[Int(group >> UInt32(18 - 6 * index)) & 63]
        text.append(index <= part.count ? digit : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func hexadecimal(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    // An odd first digit is a byte of its own: a number without its leading zero.
    var high: UInt8? = digits.count % 2 == 0 ? nil : 0
    for digit in digits {
      guard let value = hexadecimal(digit) else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }

  private static func base64(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
    guard digits.count % 4 == 0 else { return nil }
    let padding = digits.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
    let significant = digits.dropLast(padding)
    guard !significant.contains(UInt8(ascii: "=")) else { return nil }
    var bytes: [UInt8] = []
    var group: UInt32 = 0
    var bits = 0
    for digit in significant {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      default: return nil
      }
      group = (group << 6 | UInt32(value)) & 0xFFFF
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
      }
    }
    return bytes
  }
}
