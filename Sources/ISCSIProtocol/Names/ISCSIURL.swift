/// Why a URL is none.
public enum URLError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Not `iscsi://`, or over 4096 bytes.
  case notISCSI
  /// Host or port.
  case badPortal
  /// The target's name.
  case badTarget(NameError)
  /// The logical unit number, 0 to 16383.
  case badLogicalUnit
  /// A `%` without two hexadecimal digits, or not UTF-8.
  case badEscape
  /// An option that is not known, or with a value that it cannot have.
  case badOption(String)

  /// For a person.
  public var description: String {
    switch self {
    case .notISCSI: "write iscsi://[user[%password]@]host[:port]/target/lun"
    case .badPortal: "the host or port of the URL is wrong"
    case .badTarget(let error): "the target of the URL: \(error)"
    case .badLogicalUnit: "the URL ends with a logical unit number, 0 to 16383"
    case .badEscape: "a % of the URL is not followed by two hexadecimal digits"
    case .badOption(let name): "the option \(name) of the URL is unknown or has a wrong value"
    }
  }
}

/// `iscsi://[user[%password]@]host[:port]/target/lun`, as libiscsi writes it, with options behind
/// `?`: `header-digest` and `data-digest` are `crc32c` or `none`, `target-user` and
/// `target-password` are for mutual CHAP.
///
/// Escapes `%41` are read in the target and the options; the password is taken as it stands, up to
/// the last `@` before the path.
public struct ISCSIURL: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// Where.
  public let portal: PortalAddress
  /// The target.
  public let targetName: ISCSIName
  /// Logical unit number.
  public let logicalUnit: UInt16
  /// CHAP user.
  public let user: String?
  /// CHAP password; never shown.
  public let password: String?
  /// `header-digest`, where it is given.
  public private(set) var headerDigest: DigestKind?
  /// `data-digest`, where it is given.
  public private(set) var dataDigest: DigestKind?
  /// `target-user`.
  public private(set) var targetUser: String?
  /// `target-password`; never shown.
  public private(set) var targetPassword: String?

  /// Reads what a person wrote.
  public init(_ text: String) throws(URLError) {
    guard text.utf8.count <= 4096, text.hasPrefix("iscsi://") else { throw .notISCSI }
    let whole = text.dropFirst(8)
    let question = whole.firstIndex(of: "?") ?? whole.endIndex
    let address = whole[..<question]
    let slash = address.firstIndex(of: "/") ?? address.endIndex
    let authority = address[..<slash]
    var host = authority
    var user: String?
    var password: String?
    if let at = authority.lastIndex(of: "@") {
      host = authority[authority.index(after: at)...]
      let login = authority[..<at]
      if let percent = login.firstIndex(of: "%") {
        user = String(login[..<percent])
        password = String(login[login.index(after: percent)...])
      } else {
        user = String(login)
      }
    }
    guard !host.contains(","), let portal = PortalAddress(String(host)) else { throw .badPortal }
    let path = address[slash...].split(separator: "/", omittingEmptySubsequences: false)
    guard path.count == 3 else { throw .notISCSI }
    let name = try Self.unescape(path[1])
    do throws(NameError) {
      targetName = try ISCSIName(name)
    } catch {
      throw .badTarget(error)
    }
    guard path[2].utf8.count <= 5, path[2].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let unit = UInt16(path[2]), unit < 16384
    else { throw .badLogicalUnit }
    self.portal = portal
    self.user = user
    self.password = password
    logicalUnit = unit
    for option in whole[question...].dropFirst().split(separator: "&") { try set(option) }
  }

  private mutating func set(_ option: Substring) throws(URLError) {
    let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard parts.count == 2 else { throw .badOption(name) }
    let value = try Self.unescape(parts[1])
    switch name {
    case "header-digest": headerDigest = try Self.digest(value, name)
    case "data-digest": dataDigest = try Self.digest(value, name)
    case "target-user": targetUser = value
    case "target-password": targetPassword = value
    default: throw .badOption(name)
    }
  }

  private static func digest(_ value: String, _ name: String) throws(URLError) -> DigestKind {
    switch value {
    case "crc32c": .crc32c
    case "none": .none
    default: throw .badOption(name)
    }
  }

  private static func unescape(_ text: Substring) throws(URLError) -> String {
    var bytes: [UInt8] = []
    var rest = Substring(text).utf8
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(TextValue.hexadecimal),
        let low = rest.popFirst().flatMap(TextValue.hexadecimal)
      else { throw .badEscape }
      bytes.append(high << 4 | low)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .badEscape }
    return decoded
  }

  /// The URL without passwords and options.
  public var description: String {
    let login = user.map { password == nil ? "\($0)@" : "\($0)%…@" } ?? ""
    return "iscsi://\(login)\(portal)/\(targetName)/\(logicalUnit)"
  }

  /// The URL without passwords and options.
  public var debugDescription: String { description }

  /// Never the passwords.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
