import Devices

/// A device as a person names it: `disk.img`, `/dev/sdb`, `tape:DIRECTORY`, `/dev/nst0`,
/// `iscsi://host/target/lun`, with options behind commas.
///
/// It is read when it is used: `Engine` reports what it does not understand as a `syntax` error.
public struct DeviceSpecification: Sendable, Hashable, CustomStringConvertible,
  ExpressibleByStringLiteral
{
  /// As it was written, with passwords where it has some.
  public var text: String

  /// From its text.
  public init(_ text: String) { self.text = text }

  /// From its text.
  public init(stringLiteral text: String) { self.text = text }

  /// The device itself, without options and passwords: a comma in a name is written twice.
  public var name: String {
    var name = ""
    var rest = text[...]
    while let character = rest.popFirst() {
      if character == "," {
        guard rest.first == "," else { break }
        rest.removeFirst()
      }
      name.append(character)
    }
    return DeviceOptions.shown(name)
  }

  /// The same cartridge, standing at object `position`.
  public func positioned(at position: UInt64) -> DeviceSpecification {
    // A comma that is written twice leaves an empty part between two others.
    var parts: [Substring] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let belongsToName = parts.last?.isEmpty == true && parts.count > 1
      if !part.hasPrefix("position=") || belongsToName { parts.append(part) }
    }
    return DeviceSpecification(parts.joined(separator: ",") + ",position=\(position)")
  }

  /// Its text without passwords.
  public var description: String { DeviceOptions.shown(text) }
}
