/// What a block logical unit takes in one command, as it says in VPD page B0. SBC-3 6.6.4.
///
/// All counts are logical blocks.
public struct BlockLimits: Equatable, Sendable {
  /// MAXIMUM TRANSFER LENGTH: what one READ or WRITE moves through the buffers.
  public var transferBlocks: UInt32
  /// OPTIMAL TRANSFER LENGTH.
  public var optimalTransferBlocks: UInt32
  /// MAXIMUM COMPARE AND WRITE LENGTH; the field has one byte.
  public var compareAndWriteBlocks: UInt8
  /// MAXIMUM UNMAP BLOCK DESCRIPTOR COUNT.
  public var unmapDescriptors: UInt32
  /// OPTIMAL UNMAP GRANULARITY: a physical block.
  public var physicalBlocks: UInt32
  /// MAXIMUM WRITE SAME LENGTH.
  public var writeSameBlocks: UInt64

  /// A WRITE SAME of zeros has its blocks to itself: what waits for them does not wait for more than
  /// this.
  static let writeSameByteCountMaximum = 16 << 20
  /// Longest transfer: large enough that more would not be faster, small enough that a few of them
  /// do not take all buffers.
  public static let transferByteCountMaximum = 8 << 20
  /// Several transfers of the greatest length fit the buffers at once.
  static let shareOfBuffers = 4
  /// One parameter list of UNMAP is about a page.
  static let unmapDescriptorsMaximum: UInt32 = 256

  /// The limits of a unit whose buffers have `bufferByteCount` bytes.
  init(blockLength: Int, physicalBlockExponent: Int, bufferByteCount: Int) {
    let bytes = min(Self.transferByteCountMaximum, bufferByteCount / Self.shareOfBuffers)
    let transfer = max(1, bytes / blockLength)
    transferBlocks = UInt32(clamping: transfer)
    optimalTransferBlocks = UInt32(clamping: max(1, min(transfer, (1 << 20) / blockLength)))
    compareAndWriteBlocks = UInt8(clamping: max(1, transfer / 2))
    unmapDescriptors = Self.unmapDescriptorsMaximum
    writeSameBlocks = UInt64(Self.writeSameByteCountMaximum / blockLength)
    physicalBlocks = 1 << UInt32(physicalBlockExponent)
  }
}
