import Digests
public import Uring

/// Digests of a stream of payloads, computed where they pass.
public final class Digester {
  private var sha256: SHA256?
  private var crc32c: CRC32C?

  /// For the digests that are wanted.
  public init(sha256: Bool, crc32c: Bool) {
    self.sha256 = sha256 ? SHA256() : nil
    self.crc32c = crc32c ? CRC32C() : nil
  }

  /// Adds the bytes of `payload`. Reads them, and copies nothing.
  public func update(_ payload: borrowing Payload) {
    unsafe payload.forEachRange { range in
      unsafe sha256?.update(UnsafeRawBufferPointer(range))
      unsafe crc32c?.update(UnsafeRawBufferPointer(range))
    }
  }

  /// Ends the digests: 32 bytes of SHA-256, and the CRC32C.
  public func finish() -> (sha256: [UInt8]?, crc32c: UInt32?) {
    let digest: [UInt8]?
    if let finished = sha256.take() { digest = finished.finalize() } else { digest = nil }
    return (digest, crc32c?.value)
  }
}
