import ISCSIProtocol

/// iSCSI names as a configuration compares them.
enum ISCSINames {
  /// The normal form of a name; nil where `text` is none.
  static func normalise(_ text: String) -> String? { (try? ISCSIName(text))?.description }

  /// Why it is none, and what to write instead.
  static func complaint(about text: String) -> String {
    do throws(NameError) {
      return try ISCSIName(text).description
    } catch {
      return "\(text.quoted): \(error); write one such as iqn.2026-01.org.example:host1"
    }
  }
}
