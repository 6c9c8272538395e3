/// Text that RFC 7143 6 does not allow.
public enum TextError: Error, Equatable, Sendable, CustomStringConvertible {
  /// More than `TextLimits.byteCount` bytes.
  case tooLong
  /// More than `TextLimits.pairCount` pairs.
  case tooManyPairs
  /// No `=` in a pair.
  case noEqualsSign
  /// No zero byte behind the last pair.
  case notTerminated
  /// A key of no or over 63 bytes, or of bytes that keys may not have.
  case badKey
  /// A value over its limit.
  case valueTooLong(key: String)
  /// A value that is not UTF-8, or with control characters.
  case badValue(key: String)
  /// A key that comes twice.
  case duplicateKey(String)

  /// For a log.
  public var description: String {
    switch self {
    case .tooLong: "text of more than \(TextLimits.byteCount) bytes"
    case .tooManyPairs: "more than \(TextLimits.pairCount) keys in one text"
    case .noEqualsSign: "a key without “=”"
    case .notTerminated: "text that does not end with a zero byte"
    case .badKey: "a key of forbidden length or characters"
    case .valueTooLong(let key): "the value of \(key) is too long"
    case .badValue(let key): "the value of \(key) is not printable UTF-8"
    case .duplicateKey(let key): "\(key) comes twice"
    }
  }
}
