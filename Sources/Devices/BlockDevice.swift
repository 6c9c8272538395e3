public import Uring

/// A device of equal blocks that are read and written in any order: file, raw disk, logical unit.
///
/// Operations on one device may be in flight together and complete in any order. Offsets and lengths
/// are multiples of `blockLength` and lie inside the device; the caller has checked that.
open class BlockDevice {
  /// What to call it in messages.
  public let name: String
  /// Bytes of a block.
  public let blockLength: Int
  /// Number of blocks. A file that may grow as it is written says `UInt64.max / blockLength`.
  public let blockCount: UInt64
  /// Whether writes are refused.
  public let isReadOnly: Bool
  /// Equal for two devices that show the same bytes, so that overlapping copies are recognised.
  public let identity: DeviceIdentity
  /// Memory for direct I/O starts and ends on multiples of this; 1 where it does not matter.
  public let memoryAlignment: Int

  /// For subclasses.
  public init(
    name: String, blockLength: Int, blockCount: UInt64, isReadOnly: Bool,
    identity: DeviceIdentity, memoryAlignment: Int
  ) {
    self.name = name
    self.blockLength = blockLength
    self.blockCount = blockCount
    self.isReadOnly = isReadOnly
    self.identity = identity
    self.memoryAlignment = memoryAlignment
  }

  /// Fills `payload` from byte `offset`.
  open func read(
    at offset: UInt64, into payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    preconditionFailure("a block device reads")
  }

  /// Writes `payload` at byte `offset`.
  open func write(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    preconditionFailure("a block device writes")
  }

  /// Writes `payload` at byte `offset`; when it completes, these bytes are durable, whatever is
  /// flushed later (SBC-3 FUA).
  open func writeThrough(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    preconditionFailure("a block device that a logical unit serves writes through its cache")
  }

  /// Gives the storage of a range back, as far as the device can; the range reads as zeros
  /// afterwards in any case.
  open func discard(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    preconditionFailure("a block device that a logical unit serves discards")
  }

  /// Leaves a range that reads as zeros, and its storage where it is.
  open func writeZeros(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    preconditionFailure("a block device that a logical unit serves writes zeros")
  }

  /// Makes every write that has completed durable.
  open func flush() async -> DeviceStatus { preconditionFailure("a block device flushes") }

  /// The run of equal kind that starts at byte `offset`: a hole reads as zeros and need not be
  /// read. Devices that cannot tell answer one run of data.
  open func extent(at offset: UInt64) async -> Extent {
    Extent(isHole: false, end: blockCount.multipliedReportingOverflow(by: UInt64(blockLength)).0)
  }

  /// Ends the use of the device; nothing is in flight.
  open func close() async {}
}

/// What makes two device objects the same device.
public struct DeviceIdentity: Hashable, Sendable {
  /// Number of the disk or of the file system, and of the file in it.
  public var device, inode: UInt64

  /// Both said.
  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// A run of bytes of a block device that are all data or all hole.
public struct Extent: Equatable, Sendable {
  /// Whether it reads as zeros without being stored.
  public var isHole: Bool
  /// The byte offset behind it.
  public var end: UInt64

  /// Both said.
  public init(isHole: Bool, end: UInt64) {
    self.isHole = isHole
    self.end = end
  }
}
