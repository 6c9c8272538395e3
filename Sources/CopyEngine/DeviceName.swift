import Devices

/// The parts of a device specification.
struct DeviceName: Equatable {
  enum Kind: Equatable { case disk, cartridge, drive }

  var kind: Kind
  var path: String
  /// `block=`: bytes of a block of a disk.
  var blockLength: Int?
  /// `position=`: object number at which a tape stands at the start.
  var position: UInt64?
  /// `readonly`: writes are refused.
  var isReadOnly = false
  /// `naa=`, `eui=`, `t10=`, `wwn=`, `lun=`: what target descriptors name it by.
  var identity = Identity()

  struct Identity: Equatable {
    var naa: [UInt8]?
    var eui: [UInt8]?
    var t10: [UInt8]?
    var wwn: UInt64?
    var lun = 0
  }

  init(_ specification: DeviceSpecification) throws(EngineError) {
    let text = specification.text
    var parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let head = parts.removeFirst()
    if head.hasPrefix("tape:") {
      kind = .cartridge
      path = String(head.dropFirst(5))
    } else {
      kind = Self.isDrive(head) ? .drive : .disk
      path = String(head)
    }
    guard !path.isEmpty else {
      throw EngineError(.syntax, "“\(text)” names no device; say a path or tape:DIRECTORY")
    }
    for part in parts { try take(part, text) }
  }

  /// The names that the st driver gives: /dev/nst0, /dev/st0, /dev/tape/by-id/….
  private static func isDrive(_ path: Substring) -> Bool {
    if path.hasPrefix("/dev/tape/") { return true }
    for prefix in ["/dev/nst", "/dev/st"] where path.hasPrefix(prefix) {
      return path.dropFirst(prefix.count).first?.isNumber ?? false
    }
    return false
  }

  private mutating func take(_ part: Substring, _ text: String) throws(EngineError) {
    let (name, value) = Self.halves(part)
    let isTape = kind != .disk
    switch (name, value) {
    case ("readonly", nil): isReadOnly = true
    case ("block", let value?) where !isTape:
      blockLength = Int(try Self.number(value, name, text, 1...UInt64(FileDisk.blockLengthMaximum)))
    case ("position", let value?) where isTape:
      position = try Self.number(value, name, text, 0...UInt64.max)
    case ("lun", let value?):
      identity.lun = Int(try Self.number(value, name, text, 0...16383))
    case ("naa", let value?): identity.naa = try Self.bytes(value, name, text, [8, 16])
    case ("eui", let value?): identity.eui = try Self.bytes(value, name, text, [8, 12, 16])
    case ("t10", let value?): identity.t10 = Array(value.utf8)
    case ("wwn", let value?):
      let bytes = try Self.bytes(value, name, text, [8])
      identity.wwn = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    default:
      let known =
        isTape
        ? "naa=HEX, wwn=HEX, lun=N, position=N, readonly"
        : "block=N, naa=HEX, wwn=HEX, lun=N, readonly"
      throw EngineError(.syntax, "\(text): “\(part)” is not an option of it; there are \(known)")
    }
  }

  private static func halves(_ part: Substring) -> (String, Substring?) {
    guard let equals = part.firstIndex(of: "=") else { return (String(part), nil) }
    return (String(part[..<equals]), part[part.index(after: equals)...])
  }

  private static func number(
    _ value: Substring, _ name: String, _ text: String, _ range: ClosedRange<UInt64>
  ) throws(EngineError) -> UInt64 {
    guard let number = UInt64(value), range.contains(number) else {
      throw EngineError(
        .syntax, "\(text): \(name)=\(value) is not a number from \(range.lowerBound) to "
          + "\(range.upperBound)")
    }
    return number
  }

  private static func bytes(
    _ value: Substring, _ name: String, _ text: String, _ lengths: [Int]
  ) throws(EngineError) -> [UInt8] {
    let digits = value.hasPrefix("0x") ? value.dropFirst(2) : value
    let nibbles = digits.compactMap(\.hexDigitValue)
    guard nibbles.count == digits.count, nibbles.count % 2 == 0,
      lengths.contains(nibbles.count / 2)
    else {
      let wanted = lengths.map { String($0 * 2) }.joined(separator: " or ")
      throw EngineError(.syntax, "\(text): \(name)=\(value) is not \(wanted) hexadecimal digits")
    }
    return stride(from: 0, to: nibbles.count, by: 2).map {
      UInt8(nibbles[$0] << 4 | nibbles[$0 + 1])
    }
  }
}
