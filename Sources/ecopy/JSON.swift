/// A JSON text. Members keep their order, so that people can read it too.
enum JSON {
  case null
  case bool(Bool)
  case number(UInt64)
  case signed(Int64)
  case real(Double)
  case string(String)
  case array([JSON])
  case object([(String, JSON)])

  static func optional(_ value: UInt64?) -> JSON { value.map { .number($0) } ?? .null }
  static func count(_ value: Int) -> JSON { .signed(Int64(value)) }
  static func hex(_ bytes: [UInt8]) -> JSON { .string(Words.hex(bytes)) }

  /// On one line.
  var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value): "\(value)"
    case .signed(let value): "\(value)"
    case .real(let value): value.isFinite ? Self.rounded(value) : "null"
    case .string(let value): Self.quoted(value)
    case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.0) + ":" + $0.1.text }.joined(separator: ",") + "}"
    }
  }

  private static func rounded(_ value: Double) -> String {
    let scaled = (value * 1e6).rounded() / 1e6
    return scaled == scaled.rounded() && abs(scaled) < 1e15 ? "\(Int64(scaled))" : "\(scaled)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
