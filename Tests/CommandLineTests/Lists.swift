/// Parameter lists written by hand, byte for byte.
enum Lists {
  static let diskNAA = "600140500000000000000000000d15c0"
  static let tapeNAA = "500140500000ca55"

  static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }

  static func bigEndian(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
  }

  /// E4h descriptors: a disk with blocks of 512 bytes, and a tape.
  static var designators: [UInt8] {
    bytes("e4000000 01030010 \(diskNAA) 00000000 00000200")
      + bytes("e4010000 01030008 \(tapeNAA) 000000000000000000000000 00000000")
  }

  /// E0h descriptors of the same: a port name and a LUN, as it is encoded.
  static func ports(disk: String, diskLUN: String, tape: String, tapeLUN: String) -> [UInt8] {
    bytes("e0000000 \(diskLUN) \(disk) 0000000000000000 00000200")
      + bytes("e0010000 \(tapeLUN) \(tape) 0000000000000000 00000000")
  }

  /// 00h: `blocks` from `lba` on, in records of `recordLength`.
  static func copy(blocks: Int, lba: Int, recordLength: Int, cat: Bool = false) -> [UInt8] {
    [0x00, cat ? 1 : 0, 0x00, 0x14, 0, 0, 0, 1, 0] + bigEndian(recordLength, 3) + [0, 0]
      + bigEndian(blocks, 2) + bigEndian(lba, 8)
  }

  /// 10h: one filemark.
  static let filemark = bytes("10000008 00000001 00000001")

  /// The 12-byte header of a backup server: the segment list length stands at byte 8.
  static func vendor(_ identifier: UInt8, _ targets: [UInt8], _ segments: [UInt8]) -> [UInt8] {
    [identifier, 0x10] + bigEndian(targets.count, 2) + [0, 0, 0, 0]
      + bigEndian(segments.count, 4) + targets + segments
  }

  /// The 16-byte header of SPC-2.
  static func spc2(_ identifier: UInt8, _ targets: [UInt8], _ segments: [UInt8]) -> [UInt8] {
    [identifier, 0x10] + bigEndian(targets.count, 2) + [0, 0, 0, 0]
      + bigEndian(segments.count, 4) + [0, 0, 0, 0] + targets + segments
  }
}
