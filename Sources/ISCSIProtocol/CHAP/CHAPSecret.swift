/// Why a set-up of CHAP is refused.
public enum CHAPPolicyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A secret of fewer than 12 bytes.
  case secretTooShort(byteCount: Int)
  /// A secret of no or over 1024 bytes.
  case badSecretLength(byteCount: Int)
  /// A user name of no or over 255 bytes.
  case badUserLength(byteCount: Int)
  /// The same secret for both directions.
  case sameSecretBothWays

  /// For a person.
  public var description: String {
    switch self {
    case .secretTooShort(let count):
      "a CHAP secret has at least 96 bits, 12 bytes, not \(count) bytes (RFC 7143 9.2.1); choose a "
        + "longer one, or allow short secrets where the peer has one already"
    case .badSecretLength(let count): "a CHAP secret has 1 to 1024 bytes, not \(count)"
    case .badUserLength(let count): "a CHAP user name has 1 to 255 bytes, not \(count)"
    case .sameSecretBothWays:
      "initiator and target have the same CHAP secret; each direction needs its own"
    }
  }
}

/// A secret of CHAP, which is never shown.
public struct CHAPSecret: Equatable, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible, CustomReflectable
{
  /// Fewest bytes: 96 bits. RFC 7143 9.2.1.
  public static let minimumByteCount = 12
  /// Most bytes, far over what any peer takes.
  public static let maximumByteCount = 1024

  let bytes: [UInt8]

  /// Checks the length; `allowsShort` is for peers that are set up with a short secret already.
  public init(_ bytes: [UInt8], allowsShort: Bool = false) throws(CHAPPolicyError) {
    guard (1...Self.maximumByteCount).contains(bytes.count) else {
      throw .badSecretLength(byteCount: bytes.count)
    }
    guard allowsShort || bytes.count >= Self.minimumByteCount else {
      throw .secretTooShort(byteCount: bytes.count)
    }
    self.bytes = bytes
  }

  /// Never the secret.
  public var description: String { "…" }
  /// Never the secret.
  public var debugDescription: String { "…" }
  /// Never the secret.
  public var customMirror: Mirror { Mirror(self, children: [:]) }

  /// In a time that does not tell where they differ.
  public static func == (one: CHAPSecret, other: CHAPSecret) -> Bool {
    isEqualInConstantTime(one.bytes, other.bytes)
  }
}

/// A user name and its secret.
public struct CHAPCredential: Equatable, Sendable {
  /// CHAP_N, 1 to 255 bytes.
  public let user: String
  /// The secret.
  public let secret: CHAPSecret

  /// Checks the length of `user`.
  public init(user: String, secret: CHAPSecret) throws(CHAPPolicyError) {
    guard (1...TextLimits.valueByteCount).contains(user.utf8.count) else {
      throw .badUserLength(byteCount: user.utf8.count)
    }
    self.user = user
    self.secret = secret
  }
}

/// What we ask a peer: an identifier and random bytes, for one login only.
public struct CHAPChallenge: Equatable, Sendable {
  /// Bytes of our challenges, as many as the strongest digest has.
  public static let byteCount = 32
  /// Most bytes of a peer's challenge and response. RFC 7143 12.1.3.
  public static let maximumByteCount = 1024

  /// CHAP_I.
  public let identifier: UInt8
  /// CHAP_C.
  public let bytes: [UInt8]

  /// A challenge of random bytes: one for the identifier, at least 16 for the challenge. Use
  /// `secureRandom(byteCount: 33)` of Digests, and each result once.
  public init(random: [UInt8]) {
    precondition(random.count >= 17, "a challenge has at least 16 bytes")
    identifier = random[0]
    bytes = Array(random.dropFirst().prefix(Self.byteCount))
  }
}
