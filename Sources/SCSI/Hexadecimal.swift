/// `value` as the standards write it: two digits, or as many as its width needs, and an `h`.
public func hexadecimal(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
  digits(value) + "h"
}

/// `bytes` as hexadecimal digits without separators.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  var text = ""
  for byte in bytes { text += digits(byte) }
  return text
}

private func digits(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
  let short = String(value, radix: 16, uppercase: true)
  return String(repeating: "0", count: max(0, value.bitWidth / 4 - short.count)) + short
}
