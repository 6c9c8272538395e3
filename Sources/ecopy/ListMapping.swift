import ExtendedCopy
import Yams

/// A mapping whose keys are all known: what was not taken is an error.
struct ListMapping {
  let node: Node
  private var values: [String: Node] = [:]
  private var keys: [(name: String, node: Node)] = []

  init(_ node: Node) throws(ListDocumentError) {
    self.node = node
    guard let mapping = node.mapping else {
      throw ListDocumentError("fields with their names belong here", at: node)
    }
    for (key, value) in mapping {
      guard let name = key.scalar?.string else {
        throw ListDocumentError("the name of a field belongs here", at: key)
      }
      values[name] = value
      keys.append((name, key))
    }
  }

  func peek(_ key: String) -> Node? { values[key] }

  mutating func take(_ key: String) -> Node? { values.removeValue(forKey: key) }

  /// Refuses the first key that was not taken.
  func finish() throws(ListDocumentError) {
    if let key = keys.first(where: { values[$0.name] != nil }) {
      throw ListDocumentError("\(key.name) is not a field here", at: key.node)
    }
  }

  /// Puts every field that is named in `bytes`; answers the bytes of a counted field, whose length it puts.
  mutating func fill(
    _ bytes: inout [UInt8], _ layout: [FieldLayout]
  ) throws(ListDocumentError) -> [UInt8] {
    var counted: [UInt8] = []
    for field in layout {
      guard field.kind != .derived, let value = take(ListYAML.key(field.name)) else { continue }
      switch field.kind {
      case .counted(let lengthOffset, let width):
        counted = try Self.bytes(value)
        let length = layout.first { $0.offset == lengthOffset && $0.length == width }
        guard let length else { preconditionFailure("a counted field has a length field") }
        try Self.put(UInt64(counted.count), in: &bytes, length, value)
      case .bytes:
        let digits = try Self.bytes(value)
        guard digits.count == field.length else {
          throw ListDocumentError("\(field.length) bytes belong here", at: value)
        }
        for (index, byte) in digits.enumerated() { bytes[field.offset + index] = byte }
      default:
        try Self.put(try number(value, field), in: &bytes, field, value)
      }
    }
    return counted
  }

  private func number(_ node: Node, _ field: FieldLayout) throws(ListDocumentError) -> UInt64 {
    let text = node.scalar?.string ?? ""
    if field.kind == .signed { return try signed(text, bits: 8 * field.length, node) }
    if let number = Self.number(text) { return number }
    if case .bits(_, 1) = field.kind, let flag = ["true": 1, "false": 0][text] as UInt64? {
      return flag
    }
    throw ListDocumentError("a number belongs here", at: node)
  }

  /// A number with sign, in two's complement of so many bits, at most 32.
  private func signed(_ text: String, bits: Int, _ node: Node) throws(ListDocumentError) -> UInt64 {
    guard let number = Int64(text) else {
      throw ListDocumentError("a number belongs here", at: node)
    }
    let half: Int64 = 1 << Int64(bits - 1)
    guard -half..<half ~= number else {
      throw ListDocumentError("\(text) does not fit in \(bits) bits with sign", at: node)
    }
    return UInt64(bitPattern: number) & ((1 << UInt64(bits)) - 1)
  }

  /// A decimal number, or a hexadecimal one after `0x`.
  static func number(_ text: String) -> UInt64? {
    text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }

  /// Hexadecimal digits, or text after `text:`.
  static func bytes(_ node: Node) throws(ListDocumentError) -> [UInt8] {
    guard let text = node.scalar?.string else {
      throw ListDocumentError("hexadecimal digits, or text after text:, belong here", at: node)
    }
    if text.hasPrefix("text:") { return Array(text.utf8.dropFirst(5)) }
    let digits = Array(text.utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    var index = 0
    while index + 1 < digits.count {
      guard
        let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16),
        digits[index] != UInt8(ascii: "+")
      else { break }
      bytes.append(byte)
      index += 2
    }
    guard index == digits.count else {
      throw ListDocumentError("two hexadecimal digits for each byte belong here", at: node)
    }
    return bytes
  }

  /// Puts a number in its field.
  static func put(
    _ value: UInt64, in bytes: inout [UInt8], _ field: FieldLayout, _ node: Node
  ) throws(ListDocumentError) {
    if case .bits(let low, let width) = field.kind {
      guard value < 1 << UInt64(width) else {
        throw ListDocumentError("\(value) is more than \(width) bits hold", at: node)
      }
      bytes[field.offset] |= UInt8(value) << UInt8(low)
      return
    }
    guard field.length >= 8 || value < 1 << UInt64(8 * field.length) else {
      throw ListDocumentError("\(value) is more than \(field.length) bytes hold", at: node)
    }
    for index in 0..<field.length {
      let shift = UInt64(8 * (field.length - 1 - index))
      bytes[field.offset + index] = UInt8(truncatingIfNeeded: value >> shift)
    }
  }
}
