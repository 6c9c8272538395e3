/// What a copy manager accepts in one parameter list; reported in OPERATING PARAMETERS.
public struct ListLimits: Equatable, Sendable {
  /// MAXIMUM CSCD COUNT, in descriptors.
  public var targets: Int
  /// MAXIMUM SEGMENT COUNT, in descriptors.
  public var segments: Int
  /// MAXIMUM DESCRIPTOR LIST LENGTH: target and segment descriptors together, in bytes.
  public var descriptorListBytes: Int
  /// MAXIMUM INLINE DATA LENGTH, in bytes.
  public var inlineBytes: Int
  /// IMPLEMENTED DESCRIPTOR LIST: type codes of segment and target descriptors, ascending.
  public var typeCodes: [UInt8]

  /// Limits; one that is greater than what the header can say has no effect.
  public init(
    targets: Int = ListLimits.standardTargets, segments: Int = ListLimits.standardSegments,
    descriptorListBytes: Int = ListLimits.standardDescriptorListBytes,
    inlineBytes: Int = ListLimits.standardInlineBytes,
    typeCodes: [UInt8] = ListLimits.standardTypeCodes
  ) {
    self.targets = targets
    self.segments = segments
    self.descriptorListBytes = descriptorListBytes
    self.inlineBytes = inlineBytes
    self.typeCodes = typeCodes
  }

  /// The target list length has 16 bits, 2,047 descriptors of 32 bytes: one fewer, so that an initiator
  /// which sends one too many can still be told so.
  public static let standardTargets = 2_046
  /// More than the 10,000 extents of a fragmented disk image, and less than a segment number can say.
  public static let standardSegments = 16_384
  /// One target or one segment too many must fit, so that the count and not the length is what is refused
  /// (2,047 × 32 + 28 and 32 + 16,385 × 28 bytes do); the rest is room for embedded data.
  public static let standardDescriptorListBytes = 1 << 20
  /// Byte 12 of a 16-byte header must be zero for the header to be told from the 12-byte ones.
  public static let standardInlineBytes = 0xFF_FFFF

  /// Every type code that this module reads.
  public static let standardTypeCodes =
    Array(SegmentDescriptor.typeCodes) + Array(TargetDescriptor.typeCodes)

  /// What `ecopy` accepts.
  public static let standard = ListLimits()
}
