import ISCSI
import ISCSIProtocol
import Uring

/// A target that a portal offers.
public struct RemoteTarget: Sendable, Equatable {
  /// Its iSCSI name.
  public var name: String
  /// Where it is reached, as `host:port,tag`; empty where the portal did not say, and is meant itself.
  public var addresses: [String]

  /// Both said.
  public init(name: String, addresses: [String]) {
    self.name = name
    self.addresses = addresses
  }
}

extension Engine {
  /// Asks the iSCSI portal at `place`, `[user%password@]host[:port]`, what targets it offers to this
  /// machine.
  public func discover(_ place: String) -> CopyJob<[RemoteTarget]> {
    start { context throws(EngineError) in
      let (portal, authentication) = try parse(place)
      var options = InitiatorOptions(
        initiatorName: context.initiatorName, targetName: nil, portal: portal)
      options.authentication = authentication
      do throws(InitiatorError) {
        let found = try await InitiatorDiscovery.targets(options, ring: context.ring)
        return found.map { target in
          RemoteTarget(name: "\(target.name)", addresses: target.addresses.map { "\($0)" })
        }
      } catch {
        throw EngineError(error)
      }
    }
  }
}

private func parse(
  _ place: String
) throws(EngineError) -> (PortalAddress, InitiatorCHAP?) {
  var host = place[...]
  if host.hasPrefix("iscsi://") { host = host.dropFirst(8) }
  var authentication: InitiatorCHAP?
  if let at = host.lastIndex(of: "@") {
    let login = host[..<at]
    host = host[host.index(after: at)...]
    guard let percent = login.firstIndex(of: "%") else {
      // What stands around an "@" may be a password.
      throw EngineError(.syntax, "a user needs a password; write USER%PASSWORD@HOST")
    }
    authentication = try InitiatorCHAP(
      user: String(login[..<percent]), password: String(login[login.index(after: percent)...]),
      at: String(host))
  }
  guard !host.contains(","), let portal = PortalAddress(String(host)) else {
    let shown = host.prefix { !"/?,%&=".contains($0) }
    throw EngineError(.syntax, "\(shown): is no portal; write host, host:port or [address]:port")
  }
  return (portal, authentication)
}
