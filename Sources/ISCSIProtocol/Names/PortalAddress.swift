/// Where a target listens: `host[:port][,tag]`. RFC 7143 13.8.
public struct PortalAddress: Hashable, Sendable, CustomStringConvertible {
  /// The port IANA assigned.
  public static let defaultPort: UInt16 = 3260
  /// Most bytes of a host: a domain name.
  public static let maximumHostByteCount = 255

  /// IPv4 address, IPv6 address without brackets, or domain name.
  public let host: String
  /// TCP port, not 0.
  public let port: UInt16
  /// Target portal group tag, where one is told.
  public let portalGroupTag: UInt16?

  /// Checks the form of `host`; nil where it is neither an address nor a domain name.
  public init?(host: String, port: UInt16 = Self.defaultPort, portalGroupTag: UInt16? = nil) {
    guard (1...Self.maximumHostByteCount).contains(host.utf8.count), port != 0 else { return nil }
    let isIPv6 = host.utf8.contains(UInt8(ascii: ":"))
    for byte in host.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): continue
      case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): continue
      case UInt8(ascii: ":") where isIPv6: continue
      case UInt8(ascii: "g")...UInt8(ascii: "z"), UInt8(ascii: "G")...UInt8(ascii: "Z"),
        UInt8(ascii: "-"):
        if isIPv6 { return nil }
      case UInt8(ascii: "_") where !isIPv6: continue
      default: return nil
      }
    }
    self.host = host
    self.port = port
    self.portalGroupTag = portalGroupTag
  }

  /// Reads the value of TargetAddress, or what a person wrote. Nil where it has another form.
  public init?(_ text: String) {
    guard text.utf8.count <= Self.maximumHostByteCount + 20 else { return nil }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard let address = parts.first, parts.count <= 2 else { return nil }
    var tag: UInt16?
    if parts.count == 2 {
      guard let number = TextValue.number(String(parts[1])), number <= 0xFFFF else { return nil }
      tag = UInt16(number)
    }
    let host: Substring
    let behind: Substring
    if address.hasPrefix("[") {
      guard let end = address.firstIndex(of: "]") else { return nil }
      host = address[address.index(after: address.startIndex)..<end]
      behind = address[address.index(after: end)...]
      guard host.contains(":") else { return nil }
    } else {
      let end = address.firstIndex(of: ":") ?? address.endIndex
      host = address[..<end]
      behind = address[end...]
    }
    var port = Self.defaultPort
    if !behind.isEmpty {
      guard behind.hasPrefix(":"), let number = TextValue.number(String(behind.dropFirst())),
        number <= 0xFFFF
      else { return nil }
      port = UInt16(number)
    }
    self.init(host: String(host), port: port, portalGroupTag: tag)
  }

  /// The value of TargetAddress.
  public var description: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return "\(shown):\(port)" + (portalGroupTag.map { ",\($0)" } ?? "")
  }
}
