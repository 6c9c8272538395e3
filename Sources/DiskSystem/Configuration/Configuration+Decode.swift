import Fabric
import ISCSIProtocol
public import Uring
import Yams

extension Configuration {
  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - bytes: the file; at most 1 MiB of UTF-8.
  ///   - file: what to call it in messages.
  ///   - portals: addresses to listen on instead of those in the file; nil: those in the file.
  ///   - secrets: the bytes of the file of a secret, or the reason why they may not be used.
  /// - Throws: the first thing that is not as it should be.
  public init(
    yaml bytes: [UInt8], file: String, portals: [SocketAddress]? = nil,
    secrets: @escaping (String) -> SecretFile
  ) throws(ConfigurationError) {
    do throws(ConfigurationError) {
      self = try Self.decode(bytes, portals, secrets)
    } catch {
      var error = error
      error.file = file
      throw error
    }
  }

  private static func decode(
    _ bytes: [UInt8], _ override: [SocketAddress]?,
    _ secrets: @escaping (String) -> SecretFile
  ) throws(ConfigurationError) -> Configuration {
    let root = try ConfigurationText.compose(bytes)
    var document = try ConfigurationMapping(root, "the configuration")
    var ports = try PortContext(&document, listen: override)
    let arenaByteCount = try document.take("memory").map { node throws(ConfigurationError) in
      try decodeMemory(node)
    }
    let groups = try InitiatorGroups(document.take("initiators"))
    let units = try UnitConfiguration.decodeAll(
      document.require("units", "units: {disk: {file: disk.img, size: 512 MiB}}"))
    var context = TargetContext(
      ports: ports, groups: groups, unitNames: Set(units.map(\.name)), secrets: secrets)
    let targets = try context.decodeTargets(
      document.require("targets", "targets: [{name: iqn…, access: […]}]"))
    let devices = try FabricDevice.decodeAll(document.take("devices"), ports.fabric, secrets)
    ports.fabric.devices = devices.values
    ports.fabric.aliases = try WorldWideName.decodeAliases(
      document.take("aliases"),
      of: targets.map(\.name) + devices.values.map(\.targetName.description))
    try document.finish()
    return Configuration(
      portals: ports.portals, arenaByteCount: arenaByteCount, units: units, targets: targets,
      fabric: ports.fabric,
      holdsSecrets: context.handshakes.hasMetSecrets || devices.holdsSecrets)
  }

  private static func decodeMemory(_ node: Node) throws(ConfigurationError) -> Int {
    let byteCount = try node.byteCount()
    guard (16 << 20...1 << 40).contains(byteCount) else {
      throw ConfigurationError("pinned memory of 16 MiB to 1 TiB belongs here", at: node)
    }
    return Int(byteCount)
  }
}

/// What became of reading the file of a secret.
public enum SecretFile: Sendable, Equatable {
  /// Its bytes; a line feed at the end does not belong to the secret.
  case bytes([UInt8])
  /// Why it is not used, and the way out.
  case refused(String)
}

extension SocketAddress {
  /// Port of iSCSI. RFC 7143 4.2.7.1.
  public static let iSCSIPort: UInt16 = 3260

  /// Reads the address of a portal: in digits, IPv6 in brackets, with the port behind a colon unless
  /// it is 3260. nil where `text` is anything else.
  public init?(portal text: String) {
    var host = text[...]
    var port = Self.iSCSIPort
    let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map(text.index(after:)) : nil
    if let colon = text[(end ?? text.startIndex)...].firstIndex(of: ":") {
      let digits = text[text.index(after: colon)...]
      guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt16(digits) else {
        return nil
      }
      port = number
      host = text[..<colon]
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":"),
        host.allSatisfy({ $0.isASCII && ($0.isHexDigit || ":.".contains($0)) })
      else { return nil }
    } else {
      let parts = host.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil && $0.first != "+" }) else {
        return nil
      }
    }
    // Digits are not looked up: nothing waits here.
    guard
      let found = try? SocketAddress.resolve(host: String(host), port: port, isPassive: true),
      let address = found.first
    else { return nil }
    self = address
  }
}
