public import ExtendedCopy
public import SCSI
import Transfer

/// What the copy manager of a disk system takes on, as OPERATING PARAMETERS and VPD page 8Fh say it.
public enum CopyLimits {
  /// MAXIMUM CSCD COUNT: every logical unit of a large volume group, and few enough to be looked up
  /// one by one.
  public static let targets = 64
  /// MAXIMUM SEGMENT COUNT: with 65,535 blocks of 512 bytes each, 8 GiB in one command.
  public static let segments = 256
  /// MAXIMUM DESCRIPTOR LIST LENGTH in bytes: as many targets and as many segments of the longest
  /// kind as there may be, and of each one too many, so that the count is what is refused.
  public static let descriptorListBytes = 16 << 10
  /// The longest parameter list in bytes: the longest header, and no inline data.
  public static let parameterListBytes = 48 + descriptorListBytes
  /// HELD DATA LIMIT in bytes of one copy.
  public static let heldBytes = 64 << 10
  /// MAXIMUM CONCURRENT COPIES, those included that wait for their turn.
  public static let copies = 255
  /// Copies that move data at the same time: more would only divide the same memory and disks.
  public static let activeCopies = 4
  /// Bytes of memory below which one copy is slower than two are fast.
  static let bytesPerCopy = 4 << 20

  /// IMPLEMENTED DESCRIPTOR LIST: without an initiator port in reach only logical units of the disk
  /// system itself can be copied, so block types alone are offered and accepted.
  public static let typeCodes: [UInt8] = [0x02, 0x07, 0x0A, 0x0D, 0xE4]

  /// What is accepted in one parameter list.
  public static let list = ListLimits(
    targets: targets, segments: segments, descriptorListBytes: descriptorListBytes,
    inlineBytes: 0, typeCodes: typeCodes)

  /// With an initiator port in reach every segment that the copy manager executes, and every way to
  /// name a device that leads somewhere.
  public static let reachingTypeCodes: [UInt8] =
    SegmentDescriptor.typeCodes.filter { $0 < 0x14 } + [0xE0, 0xE4, 0xE5, 0xEA]

  /// What is accepted in one parameter list where an initiator port is in reach.
  public static let reachingList = ListLimits(typeCodes: reachingTypeCodes)

  /// Bytes of all parameter lists that wait or are executed; more are BUSY.
  public static let listBytesOfAllCopies = 64 << 20

  /// Bytes of the longest parameter list of an offer, where no more than `maximum` can be received.
  static func parameterListBytes(of offer: ListLimits, maximum: Int) -> Int {
    min(48 + offer.descriptorListBytes + offer.inlineBytes, maximum)
  }

  /// The service actions of EXTENDED COPY, ascending.
  public static let extendedCopyActions: [ExtendedCopyCommand.ServiceAction] = [
    .lid1, .lid4, .copyOperationAbort,
  ]

  /// The service actions of RECEIVE COPY RESULTS, ascending.
  public static let receiveCopyResultsActions: [ReceiveCopyResultsCommand.ServiceAction] = [
    .copyStatus, .receiveData, .operatingParameters, .failedSegmentDetails, .copyStatusLID4,
    .receiveDataLID4,
  ]

  /// The answer to OPERATING PARAMETERS for what is offered.
  static func operatingParameters(of offer: ListLimits) -> OperatingParameters {
    var parameters = OperatingParameters(
      maximumTargets: UInt16(clamping: offer.targets),
      maximumSegments: UInt16(clamping: offer.segments),
      maximumDescriptorListBytes: UInt32(clamping: offer.descriptorListBytes),
      heldDataLimitBytes: UInt32(heldBytes), totalConcurrentCopies: UInt16(copies),
      maximumConcurrentCopies: UInt8(copies), typeCodes: offer.typeCodes)
    parameters.maximumInlineBytes = UInt32(clamping: offer.inlineBytes)
    return parameters
  }

  /// How many copies move data at a time with `memoryBytes` for all of them.
  static func activeCopies(memoryBytes: Int) -> Int {
    max(1, min(activeCopies, memoryBytes / bytesPerCopy))
  }

  /// What one of them may use.
  static func transfer(memoryBytes: Int) -> TransferLimits {
    var limits = TransferLimits(arenaBytes: memoryBytes / activeCopies(memoryBytes: memoryBytes))
    limits.heldBytes = heldBytes
    return limits
  }
}
