/// Sense data that could not be read.
public enum SenseError: Error, Equatable, Sendable {
  /// Fewer bytes than the part that begins at `offset` needs.
  case truncated(offset: Int, needed: Int, count: Int)
  /// RESPONSE CODE is not one of 70h, 71h, 72h, 73h.
  case responseCode(UInt8)
}

/// Why a command ended with CHECK CONDITION. SPC-4 4.5; for copies SPC-4 5.16.7.
public struct SenseData: Hashable, Sendable {
  /// Where a field is that was not accepted: sense key specific data of ILLEGAL REQUEST and COPY ABORTED.
  public struct FieldPointer: Hashable, Sendable {
    /// FIELD POINTER: first byte of the field.
    public var offset: UInt16
    /// SD: the offset counts from the start of the segment descriptor `copySegment` names, otherwise
    /// from the start of the parameter list.
    public var inSegment: Bool
    /// C/D: the offset counts from the start of the CDB. Never together with `inSegment`.
    public var inCommand: Bool
    /// BIT POINTER, 0…7, where BPV is one.
    public var bitPointer: UInt8?

    /// A pointer to a field; only the low three bits of `bitPointer` are used.
    public init(
      offset: UInt16, inSegment: Bool = false, inCommand: Bool = false, bitPointer: UInt8? = nil
    ) {
      self.offset = offset
      self.inSegment = inSegment
      self.inCommand = inCommand
      self.bitPointer = bitPointer.map { $0 & 0x07 }
    }
  }

  /// Sense data that a copy source or destination gave the copy manager.
  public struct ForwardedSense: Hashable, Sendable {
    /// Which end of the segment it came from.
    public enum Origin: UInt8, Hashable, Sendable {
      case source = 1
      case destination = 2
    }

    /// Which end of the segment it came from.
    public var origin: Origin
    /// The status that the device's command ended with.
    public var status: Status
    /// The device's sense data; cut short where the whole would pass `SenseData.maximumLength`.
    public var sense: [UInt8]
    /// FSDT: `sense` was cut short. Only the descriptor format can say so.
    public var truncated: Bool

    /// What a device answered.
    public init(origin: Origin, status: Status, sense: [UInt8], truncated: Bool = false) {
      self.origin = origin
      self.status = status
      self.sense = sense
      self.truncated = truncated
    }
  }

  /// Sense data is never longer than this many bytes. SPC-4 4.5.1.
  public static let maximumLength = 252

  /// SENSE KEY.
  public var key: SenseKey
  /// ADDITIONAL SENSE CODE and QUALIFIER.
  public var additional: AdditionalSense
  /// INFORMATION where VALID is one: an LBA, or a residual (two's complement where negative).
  public var information: UInt64?
  /// FILEMARK.
  public var filemark: Bool
  /// EOM: end of medium, or early warning.
  public var endOfMedium: Bool
  /// ILI: incorrect length indicator.
  public var incorrectLength: Bool
  /// The error belongs to a command that has ended already (71h, 73h).
  public var deferred: Bool
  /// Sense key specific data, for ILLEGAL REQUEST and COPY ABORTED.
  public var fieldPointer: FieldPointer?
  /// PROGRESS INDICATION, of 65,536: sense key specific data of NO SENSE and NOT READY.
  public var progress: UInt16?
  /// Command-specific information of a copy: the number of the segment descriptor, from 0. Decoded only
  /// where the key is COPY ABORTED or `fieldPointer` counts from a segment.
  public var copySegment: UInt16?
  /// What the devices answered: at most one for the source and one for the destination.
  public var forwarded: [ForwardedSense]

  /// Sense data; everything but the key and the additional sense code is optional.
  public init(
    key: SenseKey, additional: AdditionalSense, information: UInt64? = nil, filemark: Bool = false,
    endOfMedium: Bool = false, incorrectLength: Bool = false, deferred: Bool = false,
    fieldPointer: FieldPointer? = nil, progress: UInt16? = nil, copySegment: UInt16? = nil,
    forwarded: [ForwardedSense] = []
  ) {
    self.key = key
    self.additional = additional
    self.information = information
    self.filemark = filemark
    self.endOfMedium = endOfMedium
    self.incorrectLength = incorrectLength
    self.deferred = deferred
    self.fieldPointer = fieldPointer
    self.progress = progress
    self.copySegment = copySegment
    self.forwarded = forwarded
  }

  /// Reads sense data of either format.
  ///
  /// Bytes beyond ADDITIONAL SENSE LENGTH are ignored, and so are descriptors of other kinds. Fixed-format
  /// data may end anywhere from byte 8 on, as old devices have it; what is missing reads as zero.
  public static func decode(_ bytes: [UInt8]) throws(SenseError) -> SenseData {
    guard let first = bytes.first else {
      throw .truncated(offset: 0, needed: 1, count: 0)
    }
    do {
      let reader = ByteReader(bytes.span)
      switch first & 0x7F {
      case 0x70, 0x71: return try decodeFixed(reader)
      case 0x72, 0x73: return try decodeDescriptors(reader)
      default: break
      }
    } catch {
      throw .truncated(offset: error.offset, needed: error.length, count: error.count)
    }
    throw .responseCode(first & 0x7F)
  }
}
