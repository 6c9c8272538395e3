import ArgumentParser

/// A number of bytes as dd reads it: `512`, `64K`, `1MiB` (both powers of 1024), `1MB` (of 1000).
struct ByteSize: ExpressibleByArgument {
  var bytes: UInt64

  init(_ bytes: UInt64) { self.bytes = bytes }

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    guard let number = UInt64(digits), let factor = Self.factor(argument.dropFirst(digits.count))
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    bytes = product
  }

  private static func factor(_ suffix: Substring) -> UInt64? {
    if suffix.isEmpty || suffix == "B" { return 1 }
    guard let letter = suffix.first?.uppercased(),
      let power = ["K", "M", "G", "T", "P"].firstIndex(of: letter)
    else { return nil }
    let base: UInt64
    switch suffix.dropFirst() {
    case "", "iB": base = 1024
    case "B": base = 1000
    default: return nil
    }
    return (0...power).reduce(1) { product, _ in product * base }
  }

  var defaultValueDescription: String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    where bytes > 0 && bytes % UInt64(unit) == 0 {
      return "\(bytes / UInt64(unit))\(name)"
    }
    return "\(bytes)"
  }

  /// As an `Int`, which every size that makes sense fits.
  var count: Int { Int(clamping: bytes) }
}
