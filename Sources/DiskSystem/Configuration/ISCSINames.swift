/// iSCSI names as this program compares them.
enum ISCSINames {
  /// The normal form of an `iqn.`, `eui.` or `naa.` name; nil where `text` is none.
  static func normalise(_ text: String) -> String? {
    let name = text.lowercased()
    guard name.utf8.count <= 223,
      name.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "_") })
    else { return nil }
    return ["iqn.", "eui.", "naa."].contains { name.hasPrefix($0) } ? name : nil
  }
}
