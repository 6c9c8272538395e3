public import Digests

/// Algorithm of CHAP by its number. RFC 1994, RFC 7143 12.1.3 and the IANA registry of PPP.
public enum CHAPAlgorithm: UInt8, CaseIterable, Sendable {
  /// MD5.
  case md5 = 5
  /// SHA-1.
  case sha1 = 6
  /// SHA-256.
  case sha256 = 7
  /// SHA3-256.
  case sha3With256Bits = 8

  /// Strongest first, without those that are broken.
  public static let modern: [CHAPAlgorithm] = [.sha3With256Bits, .sha256]

  /// Strongest first; MD5 and SHA-1 only where `allowsLegacyAlgorithms`.
  public static func preferred(allowsLegacyAlgorithms: Bool) -> [CHAPAlgorithm] {
    allowsLegacyAlgorithms ? modern + [.sha1, .md5] : modern
  }

  /// The digest it is made of.
  public var digest: MessageDigest {
    switch self {
    case .md5: .md5
    case .sha1: .sha1
    case .sha256: .sha256
    case .sha3With256Bits: .sha3With256Bits
    }
  }

  /// Digest of identifier, secret and challenge. RFC 1994 4.1. Nil where libcrypto does not offer it.
  public func response(identifier: UInt8, secret: CHAPSecret, challenge: [UInt8]) -> [UInt8]? {
    digest.digest(of: [identifier] + secret.bytes + challenge)
  }
}

/// Whether both are equal, in a time that depends on their lengths only.
func isEqualInConstantTime(_ one: [UInt8], _ other: [UInt8]) -> Bool {
  guard one.count == other.count else { return false }
  var difference: UInt8 = 0
  for index in one.indices { difference |= one[index] ^ other[index] }
  return difference == 0
}
