/// What INQUIRY data is made of. SPC-4 6.6.
enum InquiryData {
  /// VERSION: SPC-4.
  static let version: UInt8 = 0x06

  /// Left-aligned ASCII, filled with blanks.
  static func ascii(_ text: String, count: Int) -> [UInt8] {
    let bytes = text.utf8.prefix(count).map { (0x20...0x7E).contains($0) ? $0 : 0x20 }
    return bytes + [UInt8](repeating: 0x20, count: count - bytes.count)
  }
}
