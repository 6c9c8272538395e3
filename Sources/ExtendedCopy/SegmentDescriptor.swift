/// One step of a copy: a segment descriptor. SPC-4 6.4.6.
public struct SegmentDescriptor: Hashable, Sendable {
  /// What the segment does, with the fields of its descriptor. Lengths are in bytes where no unit is named.
  ///
  /// STREAM TRANSFER LENGTH (24 bits) is what one READ or WRITE asks of a stream device: bytes where its
  /// target descriptor says variable, blocks where it says fixed. Block counts are in blocks of the device
  /// they count on; a byte offset counts within the block at the LBA.
  public enum Operation: Hashable, Sendable {
    /// 00h, held: 0Bh. `blocks` of the source.
    case blockToStream(streamTransferLength: UInt32, blocks: UInt16, lba: UInt64)
    /// 01h, held: 0Ch. `blocks` of the destination.
    case streamToBlock(streamTransferLength: UInt32, blocks: UInt16, lba: UInt64)
    /// 02h, held: 0Dh. DC: `blocks` of the destination, otherwise of the source. FCO: only if it is fast.
    case blockToBlock(
      countsDestinationBlocks: Bool, fastCopyOnly: Bool, blocks: UInt16, sourceLBA: UInt64,
      destinationLBA: UInt64)
    /// 03h, held: 0Eh. Both transfer lengths have 24 bits.
    case streamToStream(
      sourceTransferLength: UInt32, destinationTransferLength: UInt32, byteCount: UInt32)
    /// 04h. `inlineOffset` from the start of the inline data.
    case inlineToStream(streamTransferLength: UInt32, inlineOffset: UInt32, byteCount: UInt32)
    /// 05h. At most 65,519 bytes of data.
    case embeddedToStream(streamTransferLength: UInt32, data: [UInt8])
    /// 06h, held: 0Fh.
    case streamToDiscard(streamTransferLength: UInt32, byteCount: UInt32)
    /// 07h.
    case verifyDevice(testUnitReady: Bool)
    /// 08h.
    case blockOffsetToStream(
      streamTransferLength: UInt32, byteCount: UInt32, lba: UInt64, byteOffset: UInt16)
    /// 09h.
    case streamToBlockOffset(
      streamTransferLength: UInt32, byteCount: UInt32, lba: UInt64, byteOffset: UInt16)
    /// 0Ah.
    case blockOffsetToBlockOffset(
      byteCount: UInt32, sourceLBA: UInt64, destinationLBA: UInt64, sourceByteOffset: UInt16,
      destinationByteOffset: UInt16)
    /// 10h. `count` has 24 bits; WSMK asks for setmarks instead.
    case writeFilemarks(immediate: Bool, setmarks: Bool, count: UInt32)
    /// 11h. CODE has three bits, COUNT 24 with sign.
    case space(code: UInt8, count: Int32)
    /// 12h. As LOCATE(10).
    case locate(blockAddress: UInt32)
    /// 13h. `count` consecutive filemarks end the copy, 0: none does.
    case tapeImageCopy(count: UInt32)
    /// 14h. PERSISTENT RESERVE OUT, REGISTER, at the destination.
    case registerKey(reservationKey: UInt64, serviceActionKey: UInt64)
    /// 15h. PERSISTENT RESERVE OUT, REGISTER AND MOVE, at the destination.
    case thirdPartyReservation(
      reservationKey: UInt64, serviceActionKey: UInt64, unregister: Bool,
      activatePersistThroughPowerLoss: Bool, relativeTargetPort: UInt16, transportID: [UInt8])
  }

  /// CAT: what does not fill a block is kept for the next segment.
  public var cat: Bool
  /// SOURCE TARGET DESCRIPTOR INDEX, since SPC-4 CSCD identifier; `nil` for a kind that has no source.
  public var source: UInt16?
  /// DESTINATION TARGET DESCRIPTOR INDEX; `nil` for a kind that has no destination.
  public var destination: UInt16?
  /// The bytes processed are also kept for the application client (0Bh to 0Fh).
  public var holdsData: Bool
  /// What the segment does.
  public var operation: Operation
  /// First byte in the list it was decoded from, else 0. Not compared.
  public var offset: Int

  /// A segment descriptor. A source or destination that the operation has and that is `nil` is written as 0.
  public init(
    cat: Bool = false, source: UInt16? = nil, destination: UInt16? = nil, holdsData: Bool = false,
    operation: Operation, offset: Int = 0
  ) {
    self.cat = cat
    self.source = source
    self.destination = destination
    self.holdsData = holdsData
    self.operation = operation
    self.offset = offset
  }

  /// DESCRIPTOR TYPE CODE; that of the kind that holds no data where none of it does.
  public var typeCode: UInt8 {
    switch operation {
    case .blockToStream: holdsData ? 0x0B : 0x00
    case .streamToBlock: holdsData ? 0x0C : 0x01
    case .blockToBlock: holdsData ? 0x0D : 0x02
    case .streamToStream: holdsData ? 0x0E : 0x03
    case .inlineToStream: 0x04
    case .embeddedToStream: 0x05
    case .streamToDiscard: holdsData ? 0x0F : 0x06
    case .verifyDevice: 0x07
    case .blockOffsetToStream: 0x08
    case .streamToBlockOffset: 0x09
    case .blockOffsetToBlockOffset: 0x0A
    case .writeFilemarks: 0x10
    case .space: 0x11
    case .locate: 0x12
    case .tapeImageCopy: 0x13
    case .registerKey: 0x14
    case .thirdPartyReservation: 0x15
    }
  }

  /// Every type code this module reads and writes, ascending: as OPERATING PARAMETERS reports them.
  public static let typeCodes: ClosedRange<UInt8> = 0x00...0x15

  static func hasSource(typeCode: UInt8) -> Bool {
    switch typeCode {
    case 0x04, 0x05, 0x10, 0x11, 0x12, 0x14, 0x15: false
    default: true
    }
  }

  static func hasDestination(typeCode: UInt8) -> Bool {
    switch typeCode {
    case 0x06, 0x07, 0x0F: false
    default: true
    }
  }

  /// Everything but `offset`.
  public static func == (one: SegmentDescriptor, other: SegmentDescriptor) -> Bool {
    one.cat == other.cat && one.source == other.source && one.destination == other.destination
      && one.holdsData == other.holdsData && one.operation == other.operation
  }

  /// Everything but `offset`.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(cat)
    hasher.combine(source)
    hasher.combine(destination)
    hasher.combine(operation)
  }
}
