/// Where the FIELD POINTER of the sense-key specific bytes points.
public struct ModelFieldPointer: Equatable, Sendable {
  /// Bytes from the start of the parameter list, or of the segment descriptor.
  public var offset: Int
  /// The SD bit: whether `offset` counts from the start of the failed segment descriptor.
  public var inSegment: Bool

  /// A pointer to the byte at an offset.
  public init(offset: Int, inSegment: Bool) {
    self.offset = offset
    self.inSegment = inSegment
  }
}

/// Where a source tape may stand when the destination failed in the middle of a segment.
public struct ModelPositions: Equatable, Sendable {
  /// The index of the source tape.
  public var device: Int
  /// From where the segment began to where the segment would have ended reading.
  public var range: ClosedRange<Int>
}

/// How an EXTENDED COPY ended and what it left behind.
public struct ModelResult: Equatable, Sendable {
  /// GOOD (0) or CHECK CONDITION (2).
  public var status: UInt8 = 0
  /// The sense key; 0 with GOOD.
  public var senseKey: UInt8 = 0
  /// The additional sense code.
  public var asc: UInt8 = 0
  /// The additional sense code qualifier.
  public var ascq: UInt8 = 0
  /// The number of the segment that failed, from 0; nil when no segment had started.
  public var segmentNumber: Int?
  /// INFORMATION: what of the failed segment was not written, in blocks of a disk or of a tape in
  /// fixed mode, in bytes on a tape in variable mode; nil when VALID is 0.
  public var information: UInt64?
  /// What the source answered, when that is what failed.
  public var sourceSense: ModelSense?
  /// What the destination answered, when that is what failed.
  public var destinationSense: ModelSense?
  /// The field in error.
  public var fieldPointer: ModelFieldPointer?
  /// What RECEIVE COPY RESULTS (RECEIVE DATA) delivers.
  public var heldData: [UInt8] = []
  /// HDD: held data was dropped.
  public var heldDataDiscarded = false
  /// Segments begun, the failed one included.
  public var segmentsProcessed = 0
  /// Bytes that sources delivered.
  public var bytesRead = 0
  /// Bytes that destinations took, padding included.
  public var bytesWritten = 0
  /// The devices afterwards.
  public var devices: [ModelDevice]
  /// Set when the destination failed while the source was a tape: the standard does not say how
  /// far the source has been read then. `devices` shows the end of the range.
  public var loosePosition: ModelPositions?
  /// Set when a segment that holds data failed: the standard does not say how much of that
  /// segment's data is held then. `heldData` shows all of it that was read.
  public var heldDataIsLoose = false
}
