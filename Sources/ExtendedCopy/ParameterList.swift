public import SCSI

/// Which EXTENDED COPY a parameter list belongs to.
public typealias ServiceAction = ExtendedCopyCommand.ServiceAction

/// What a copy manager shall do: the parameter list of EXTENDED COPY. SPC-4 6.4.
public struct ParameterList: Hashable, Sendable {
  /// LIST ID USAGE: what becomes of the results. Before SPC-3 NRCR, which only says hold or discard.
  public enum ListIDUsage: UInt8, Hashable, Sendable, CaseIterable {
    /// Held for RECEIVE COPY RESULTS.
    case hold = 0b00
    /// Not a value the standards define.
    case reserved = 0b01
    /// May be discarded.
    case discard = 0b10
    /// There is no list identifier.
    case disabled = 0b11
  }

  /// The form the list was read from, or is to be written in.
  public var format: ListFormat
  /// LIST IDENTIFIER: one byte, four in LID4.
  public var listIdentifier: UInt32
  /// STR: the references to disks are sequential, striped over several.
  public var sequentialStriped: Bool
  /// LIST ID USAGE.
  public var listIDUsage: ListIDUsage
  /// PRIORITY, 0 the highest to 7; 1 is that of other commands.
  public var priority: UInt8
  /// IMMED, LID4 only: the answer comes when the list has been read.
  public var immediate: Bool
  /// G_SENSE, LID4 only: sense data is wanted with GOOD too.
  public var generateSense: Bool
  /// The ends of the copy.
  public var targets: [TargetDescriptor]
  /// The steps of the copy, in order.
  public var segments: [SegmentDescriptor]
  /// What inline segments (04h) write.
  public var inlineData: [UInt8]

  /// A parameter list; held results, priority 0, and nothing to do unless said.
  public init(
    format: ListFormat = .lid1, listIdentifier: UInt32 = 0, sequentialStriped: Bool = false,
    listIDUsage: ListIDUsage = .hold, priority: UInt8 = 0, immediate: Bool = false,
    generateSense: Bool = false, targets: [TargetDescriptor] = [],
    segments: [SegmentDescriptor] = [], inlineData: [UInt8] = []
  ) {
    self.format = format
    self.listIdentifier = listIdentifier
    self.sequentialStriped = sequentialStriped
    self.listIDUsage = listIDUsage
    self.priority = priority
    self.immediate = immediate
    self.generateSense = generateSense
    self.targets = targets
    self.segments = segments
    self.inlineData = inlineData
  }

  /// What each descriptor number stands for: the index in `targets`, or `nil` for the second half of a
  /// descriptor of 64 bytes. A number that is not below the count names no descriptor.
  public var targetIndices: [Int?] {
    var indices: [Int?] = []
    indices.reserveCapacity(targets.count)
    for (index, target) in targets.enumerated() {
      indices.append(index)
      if target.slots == 2 { indices.append(nil) }
    }
    return indices
  }
}
