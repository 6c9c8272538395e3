/// Numbers as people read them.
enum Words {
  /// `1,073,741,824`.
  static func grouped(_ value: UInt64) -> String {
    var result = ""
    for (index, digit) in String(value).reversed().enumerated() {
      if index > 0, index % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return String(result.reversed())
  }

  /// `1.00 GiB`.
  static func size(_ bytes: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var value = bytes
    var unit = 0
    while value >= 1000, unit + 1 < units.count {
      value /= 1024
      unit += 1
    }
    return (unit == 0 ? "\(Int(value))" : decimal(value, value < 10 ? 2 : value < 100 ? 1 : 0))
      + " " + units[unit]
  }

  /// `1h02m03s`, `2m03s`, `3s`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e8 else { return "-" }
    let whole = Int(seconds.rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if hours > 0 { return "\(hours)h\(two(minutes))m\(two(rest))s" }
    return minutes > 0 ? "\(minutes)m\(two(rest))s" : "\(rest)s"
  }

  /// With `places` digits behind the point.
  static func decimal(_ value: Double, _ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value * scale).rounded()
    guard scaled.isFinite, abs(scaled) < 1e18 else { return "-" }
    let whole = Int64(scaled) / Int64(scale)
    guard places > 0 else { return "\(whole)" }
    let fraction = String(Int64(scaled) % Int64(scale))
    return "\(whole)." + String(repeating: "0", count: places - fraction.count) + fraction
  }

  /// As one word of a shell.
  static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "/._-,:=@+%".utf8.contains(byte)
        || byte >= 0x80
    }
    if isPlain, !text.isEmpty { return text }
    var result = "'"
    for character in text { result += character == "'" ? "'\\''" : String(character) }
    return result + "'"
  }

  /// `0aff`.
  static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// `1 record`, `2 records`.
  static func count(_ value: UInt64, _ noun: String) -> String {
    "\(grouped(value)) \(noun)" + (value == 1 ? "" : "s")
  }
}
