import CDigests

/// A digest of a short message at once, by libcrypto.
public enum MessageDigest: String, CaseIterable, Sendable {
  /// MD5, 16 bytes. Broken; only for peers that have nothing better.
  case md5 = "MD5"
  /// SHA-1, 20 bytes. Broken; only for peers that have nothing better.
  case sha1 = "SHA1"
  /// SHA-256, 32 bytes.
  case sha256 = "SHA256"
  /// SHA3-256, 32 bytes.
  case sha3With256Bits = "SHA3-256"

  /// Bytes of the digest.
  public var byteCount: Int {
    switch self {
    case .md5: 16
    case .sha1: 20
    case .sha256, .sha3With256Bits: 32
    }
  }

  /// The digest of `message`, or nil where libcrypto was told not to offer the algorithm.
  public func digest(of message: [UInt8]) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: byteCount)
    // Both arrays are valid for the time of the call, and the digest's room is told.
    let count = unsafe rawValue.withCString { name in
      unsafe message.withUnsafeBytes { bytes in
        unsafe digest.withUnsafeMutableBufferPointer { room in
          unsafe cd_digest(name, bytes.baseAddress, bytes.count, room.baseAddress, room.count)
        }
      }
    }
    return count == byteCount ? digest : nil
  }
}

/// Bytes nobody can foresee, from the kernel.
public func secureRandom(byteCount: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: byteCount)
  let result = unsafe bytes.withUnsafeMutableBytes { room in
    unsafe cd_random(room.baseAddress, room.count)
  }
  guard result == 0 else { fatalError("the kernel has no random bytes: getrandom failed") }
  return bytes
}
