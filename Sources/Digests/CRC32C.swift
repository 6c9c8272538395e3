import CDigests

/// CRC32C, the Castagnoli polynomial of RFC 3720 B.4 and of logical block protection.
public struct CRC32C: Equatable, Sendable {
  /// The checksum of the bytes seen so far; 0 before the first.
  public private(set) var value: UInt32

  /// Starts a checksum, or goes on from one computed earlier.
  public init(continuing value: UInt32 = 0) {
    self.value = value
  }

  /// Adds bytes. Cost: about 0.05 s per GiB.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    unsafe value = cd_crc32c(value, bytes.baseAddress, bytes.count)
  }

  /// Adds bytes of an array; for metadata, not for payload.
  public mutating func update(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe update($0) }
  }
}
