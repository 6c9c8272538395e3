/// A target as SendTargets tells it. RFC 7143 appendix C.
public struct DiscoveredTarget: Equatable, Sendable {
  /// Its name.
  public let name: ISCSIName
  /// Where it is reached; empty means where the discovery was made.
  public var addresses: [PortalAddress]

  /// A target and where it is reached.
  public init(name: ISCSIName, addresses: [PortalAddress]) {
    self.name = name
    self.addresses = addresses
  }
}

/// Why a discovery answer was refused.
public enum DiscoveryError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is not text.
  case text(TextError)
  /// A name that is none.
  case name(NameError)
  /// An address that is none, or one before the first name.
  case badAddress
  /// Over `SendTargets.maximumTargetCount` targets, or addresses of one target.
  case tooMany
  /// A key other than TargetName and TargetAddress.
  case unexpectedKey(String)

  /// For a log or a person.
  public var description: String {
    switch self {
    case .text(let error): "\(error)"
    case .name(let error): "a discovered target has a bad name: \(error)"
    case .badAddress: "a discovered target has a bad address"
    case .tooMany: "more than \(SendTargets.maximumTargetCount) targets or addresses"
    case .unexpectedKey(let key): "\(key) in the answer to SendTargets"
    }
  }
}

/// The request and the answer of discovery. RFC 7143 appendix C.
public enum SendTargets {
  /// What is asked for.
  public enum Query: Equatable, Sendable {
    /// All targets; only in a discovery session.
    case all
    /// This target.
    case one(ISCSIName)
    /// The target of the session.
    case current

    /// Of the value of SendTargets; nil where it is none of them.
    public init?(_ value: String) {
      switch value {
      case "All": self = .all
      case "": self = .current
      default:
        guard let name = try? ISCSIName(value) else { return nil }
        self = .one(name)
      }
    }

    /// The value of SendTargets.
    public var value: String {
      switch self {
      case .all: "All"
      case .one(let name): "\(name)"
      case .current: ""
      }
    }
  }

  /// Most targets, and most addresses of one, that an answer may have: what fits in 64 KiB.
  public static let maximumTargetCount = 1024

  /// The text of an answer; the caller cuts it with `TextCutter`.
  public static func encode(_ targets: [DiscoveredTarget]) -> [UInt8] {
    var keys = TextKeys()
    for target in targets {
      keys.append("TargetName", "\(target.name)")
      for address in target.addresses { keys.append("TargetAddress", "\(address)") }
    }
    return keys.encode()
  }

  /// Reads an answer that was put together.
  public static func decode(_ bytes: [UInt8]) throws(DiscoveryError) -> [DiscoveredTarget] {
    let keys: TextKeys
    do throws(TextError) {
      keys = try TextKeys(parsing: bytes, allowsRepeats: true)
    } catch {
      throw .text(error)
    }
    var targets: [DiscoveredTarget] = []
    for pair in keys.pairs {
      switch pair.key {
      case "TargetName":
        guard targets.count < maximumTargetCount else { throw .tooMany }
        do throws(NameError) {
          targets.append(DiscoveredTarget(name: try ISCSIName(pair.value), addresses: []))
        } catch {
          throw .name(error)
        }
      case "TargetAddress":
        guard !targets.isEmpty, let address = PortalAddress(pair.value) else { throw .badAddress }
        let last = targets.count - 1
        guard targets[last].addresses.count < maximumTargetCount else { throw .tooMany }
        targets[last].addresses.append(address)
      default: throw .unexpectedKey(pair.key)
      }
    }
    return targets
  }
}
