/// Numbers with units, as people write them.
enum Quantity {
  typealias Reason = DeviceOptions.Reason

  /// A plain number, decimal or behind 0x.
  static func number(_ text: String) throws(Reason) -> UInt64 {
    let value =
      text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    guard let value, text.first != "+" else { throw Reason("\(text) is not a number") }
    return value
  }

  /// A number of bytes: 4096, 64KiB, 400MB.
  static func bytes(_ text: String) throws(Reason) -> UInt64 {
    let units: [(String, UInt64)] = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
      ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]
    return try scaled(text, units, example: "4096, 64KiB or 400MB")
  }

  /// A time: 20us, 5ms, 2s.
  static func nanoseconds(_ text: String) throws(Reason) -> UInt64 {
    let units: [(String, UInt64)] = [
      ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ]
    guard text.last == "s" else { throw Reason("\(text) is not a time such as 20us, 5ms or 2s") }
    let value = try scaled(text, units, example: "20us, 5ms or 2s")
    guard value <= 86_400_000_000_000 else { throw Reason("\(text) is longer than a day") }
    return value
  }

  private static func scaled(_ text: String, _ units: [(String, UInt64)], example: String)
    throws(Reason) -> UInt64
  {
    let unit = units.first { text.hasSuffix($0.0) } ?? ("", 1)
    let (value, overflow) = try number(String(text.dropLast(unit.0.count)))
      .multipliedReportingOverflow(by: unit.1)
    guard !overflow else { throw Reason("\(text) is too large; say one such as \(example)") }
    return value
  }

  /// Bytes in hexadecimal; `0x` before and colons between are allowed.
  static func hexadecimal(_ text: String, byteCounts: [Int]) throws(Reason) -> [UInt8] {
    let digits = (text.hasPrefix("0x") ? text.dropFirst(2) : text[...]).filter { $0 != ":" }
    let values = digits.compactMap(\.hexDigitValue)
    guard values.count == digits.count, values.count <= 32, values.count % 2 == 0,
      byteCounts.contains(values.count / 2)
    else {
      let lengths = byteCounts.map { String($0 * 2) }.joined(separator: " or ")
      throw Reason("\(text) is not \(lengths) hexadecimal digits")
    }
    return stride(from: 0, to: values.count, by: 2).map {
      UInt8(values[$0] << 4 | values[$0 + 1])
    }
  }
}
