internal import SCSI

/// OPERATING PARAMETERS (84h/03h): what a copy manager can do. SPC-4 6.21.
public struct OperatingParameters: Hashable, Sendable {
  /// SNLID: LIST ID USAGE 11b is supported.
  public var supportsNoListIdentifier: Bool
  /// MAXIMUM CSCD COUNT.
  public var maximumTargets: UInt16
  /// MAXIMUM SEGMENT COUNT.
  public var maximumSegments: UInt16
  /// MAXIMUM DESCRIPTOR LIST LENGTH: targets and segments, embedded data included, inline data not.
  public var maximumDescriptorListBytes: UInt32
  /// MAXIMUM SEGMENT LENGTH in bytes, 0: no limit.
  public var maximumSegmentBytes: UInt32
  /// MAXIMUM INLINE DATA LENGTH in bytes, 0 where 04h is not supported.
  public var maximumInlineBytes: UInt32
  /// HELD DATA LIMIT in bytes.
  public var heldDataLimitBytes: UInt32
  /// MAXIMUM STREAM DEVICE TRANSFER SIZE in bytes.
  public var maximumStreamTransferBytes: UInt32
  /// TOTAL CONCURRENT COPIES: with and without list identifier.
  public var totalConcurrentCopies: UInt16
  /// MAXIMUM CONCURRENT COPIES.
  public var maximumConcurrentCopies: UInt8
  /// DATA SEGMENT GRANULARITY as a power of two bytes.
  public var dataSegmentGranularity: UInt8
  /// INLINE DATA GRANULARITY as a power of two bytes.
  public var inlineDataGranularity: UInt8
  /// HELD DATA GRANULARITY as a power of two bytes.
  public var heldDataGranularity: UInt8
  /// IMPLEMENTED DESCRIPTOR LIST: the type codes of segments and targets, ascending; at most 255.
  public var typeCodes: [UInt8]

  /// What a copy manager can do; everything that is not named is 0.
  public init(
    supportsNoListIdentifier: Bool = true, maximumTargets: UInt16, maximumSegments: UInt16,
    maximumDescriptorListBytes: UInt32, maximumSegmentBytes: UInt32 = 0,
    maximumInlineBytes: UInt32 = 0, heldDataLimitBytes: UInt32 = 0,
    maximumStreamTransferBytes: UInt32 = 0, totalConcurrentCopies: UInt16 = 0,
    maximumConcurrentCopies: UInt8 = 0, dataSegmentGranularity: UInt8 = 0,
    inlineDataGranularity: UInt8 = 0, heldDataGranularity: UInt8 = 0, typeCodes: [UInt8]
  ) {
    self.supportsNoListIdentifier = supportsNoListIdentifier
    self.maximumTargets = maximumTargets
    self.maximumSegments = maximumSegments
    self.maximumDescriptorListBytes = maximumDescriptorListBytes
    self.maximumSegmentBytes = maximumSegmentBytes
    self.maximumInlineBytes = maximumInlineBytes
    self.heldDataLimitBytes = heldDataLimitBytes
    self.maximumStreamTransferBytes = maximumStreamTransferBytes
    self.totalConcurrentCopies = totalConcurrentCopies
    self.maximumConcurrentCopies = maximumConcurrentCopies
    self.dataSegmentGranularity = dataSegmentGranularity
    self.inlineDataGranularity = inlineDataGranularity
    self.heldDataGranularity = heldDataGranularity
    self.typeCodes = typeCodes
  }

  /// The answer, 44 bytes and the type codes.
  public func encode() -> [UInt8] {
    let codes = typeCodes.prefix(Int(UInt8.max))
    var writer = ByteWriter(capacity: 44 + codes.count)
    writer.uint32(UInt32(40 + codes.count))
    writer.append([supportsNoListIdentifier ? 0x01 : 0, 0, 0, 0])
    writer.uint16(maximumTargets)
    writer.uint16(maximumSegments)
    writer.uint32(maximumDescriptorListBytes)
    writer.uint32(maximumSegmentBytes)
    writer.uint32(maximumInlineBytes)
    writer.uint32(heldDataLimitBytes)
    writer.uint32(maximumStreamTransferBytes)
    writer.uint16(0)
    writer.uint16(totalConcurrentCopies)
    writer.append([
      maximumConcurrentCopies, dataSegmentGranularity, inlineDataGranularity, heldDataGranularity,
      0, 0, 0, UInt8(codes.count),
    ])
    writer.append(codes)
    return writer.bytes
  }

  /// Reads an answer with all its type codes.
  public static func decode(_ bytes: [UInt8]) throws(CopyResultsError) -> OperatingParameters {
    let reader = ByteReader(bytes.span)
    do {
      return OperatingParameters(
        supportsNoListIdentifier: try reader.uint8(at: 4) & 0x01 != 0,
        maximumTargets: try reader.uint16(at: 8), maximumSegments: try reader.uint16(at: 10),
        maximumDescriptorListBytes: try reader.uint32(at: 12),
        maximumSegmentBytes: try reader.uint32(at: 16),
        maximumInlineBytes: try reader.uint32(at: 20),
        heldDataLimitBytes: try reader.uint32(at: 24),
        maximumStreamTransferBytes: try reader.uint32(at: 28),
        totalConcurrentCopies: try reader.uint16(at: 34),
        maximumConcurrentCopies: try reader.uint8(at: 36),
        dataSegmentGranularity: try reader.uint8(at: 37),
        inlineDataGranularity: try reader.uint8(at: 38),
        heldDataGranularity: try reader.uint8(at: 39),
        typeCodes: try reader.array(at: 44, count: Int(try reader.uint8(at: 43))))
    } catch {
      throw CopyResultsError(error)
    }
  }
}
