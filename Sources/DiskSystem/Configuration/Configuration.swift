public import Fabric
public import Uring

/// What an administrator wrote down: where the disk system listens, which logical units it has, and
/// who may reach which of them.
///
/// It comes from one YAML file, is checked as a whole before anything is opened, and is never
/// written by the program.
public struct Configuration: Sendable, Equatable {
  /// Addresses to listen on, in the order of their portal group tags, which count from 1.
  public var portals: [SocketAddress]
  /// Bytes of pinned memory; nil: 64 MiB, or what the machine allows.
  public var arenaByteCount: Int?
  /// Logical units, in the order of the file.
  public var units: [UnitConfiguration]
  /// Targets, in the order of the file.
  public var targets: [TargetConfiguration]
  /// Its ports, their groups, and devices of other systems. The target ports are `portals`, in the
  /// same order.
  public var fabric: FabricPlan
  /// Whether the file itself has secrets in it, and so is nobody else's to read.
  public var holdsSecrets: Bool

  /// A longer file is refused.
  public static let byteCountMaximum = 1 << 20
  /// Portals of one disk system at most.
  public static let portalCountMaximum = 64
  /// Targets of one disk system at most: a discovery answer with all of them stays short.
  public static let targetCountMaximum = 256
  /// Logical units of one disk system at most: each has descriptors and a task set of its own.
  public static let unitCountMaximum = 1024
}

/// A logical unit and what stands behind it.
public struct UnitConfiguration: Sendable, Equatable {
  /// Where the blocks are.
  public enum Place: Sendable, Hashable {
    /// A file, made where there is none; a relative path lies in the state directory.
    case file(String)
    /// A block device of this machine.
    case device(String)
  }

  /// What targets call it; also the name of its file of reservations.
  public var name: String
  /// Where the blocks are.
  public var place: Place
  /// Bytes of a file; nil: as long as it is.
  public var byteCount: UInt64?
  /// Bytes of a block.
  public var blockLength: Int
  /// Whether blocks that are unmapped are given back to the file system.
  public var isThin: Bool
  /// Whether writes are refused.
  public var isReadOnly: Bool
  /// Whether initiators may eject the medium and load it again.
  public var isRemovable: Bool
}

/// A target and who may log in to it.
public struct TargetConfiguration: Sendable, Equatable {
  /// iSCSI name, normalised.
  public var name: String
  /// TargetAlias: for people. RFC 7143 13.12.
  public var alias: String?
  /// Rules, of which the first that fits an initiator counts; where none fits, it is refused.
  public var access: [AccessRule]
}

/// What some initiators may do with a target.
public struct AccessRule: Sendable, Equatable {
  /// Initiators by their iSCSI names.
  public enum Initiators: Sendable, Equatable {
    /// Every one.
    case any
    /// These, normalised.
    case named(Set<String>)

    /// Whether the rule is about `name`.
    public func contains(_ name: String) -> Bool {
      switch self {
      case .any: true
      case .named(let names): names.contains(name)
      }
    }
  }

  /// Whom it is about.
  public var initiators: Initiators
  /// Portal group tags through which it holds; nil: all.
  public var portals: Set<UInt16>?
  /// How they prove who they are.
  public var authentication: Authentication
  /// Logical unit numbers and the names of the units behind them.
  public var units: [UInt16: String]

  /// Logical unit numbers are below this: one byte in every addressing method. SAM-5 4.7.
  public static let logicalUnitNumberLimit: UInt16 = 256
  /// Initiators that one rule names at most.
  public static let initiatorCountMaximum = 4096

  /// Whether the rule is about this initiator at this portal.
  public func covers(_ initiator: String, portalGroupTag: UInt16) -> Bool {
    initiators.contains(initiator) && portals?.contains(portalGroupTag) != false
  }
}

/// How an initiator proves who it is.
public enum Authentication: Sendable, Equatable {
  /// It need not.
  case none
  /// CHAP. RFC 7143 12.1.
  case chap(ChallengeHandshake)
}

/// What both ends know for CHAP.
public struct ChallengeHandshake: Sendable, Equatable {
  /// A name and the secret that proves it.
  public struct Account: Sendable, Equatable {
    /// CHAP_N.
    public var user: String
    /// Never shown.
    public var secret: Secret
  }

  /// What the initiator proves.
  public var initiator: Account
  /// What the target proves in turn, where it is asked to; nil: it cannot.
  public var target: Account?
  /// Whether MD5 and SHA-1 are accepted too.
  public var allowsLegacy: Bool
}

/// Bytes that no message, log or dump shows.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The bytes.
  public let bytes: [UInt8]

  /// RFC 7143 9.2.1: 96 bits at least.
  public static let byteCountMinimum = 12
  /// More adds nothing to any of the hashes.
  public static let byteCountMaximum = 255

  /// Of bytes of a permitted length; nil where there are fewer or more.
  public init?(_ bytes: [UInt8]) {
    guard (Self.byteCountMinimum...Self.byteCountMaximum).contains(bytes.count) else { return nil }
    self.bytes = bytes
  }

  /// Says only that there is one.
  public var description: String { "(secret)" }
  /// Says only that there is one.
  public var debugDescription: String { description }
  /// Without children.
  public var customMirror: Mirror { Mirror(self, children: [(String?, Any)]()) }
}
