import CDigests

/// An SHA-256 digest computed piece by piece, by libcrypto.
@safe
public struct SHA256: ~Copyable {
  private let state: UnsafeMutableRawPointer

  /// Starts a digest.
  public init() {
    guard let state = unsafe cd_sha256_new() else {
      fatalError("libcrypto has no memory for a SHA-256 state of a few hundred bytes")
    }
    unsafe self.state = state
  }

  deinit {
    unsafe cd_sha256_free(state)
  }

  /// Adds bytes. Cost: 0.5 to 3 s per GiB, as the processor has SHA instructions or not.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    unsafe cd_sha256_update(state, bytes.baseAddress, bytes.count)
  }

  /// Ends the digest and returns its 32 bytes.
  public consuming func finalize() -> [UInt8] {
    let state = unsafe self.state
    return unsafe [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
      if let start = digest.baseAddress { unsafe cd_sha256_final(state, start) }
      count = 32
    }
  }
}
