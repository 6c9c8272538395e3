public import SCSI

/// An answer of RECEIVE COPY RESULTS that could not be read: it ends too early for what it says.
public struct CopyResultsError: Error, Equatable, Sendable {
  /// How many bytes are needed.
  public let needed: Int
  /// How many bytes there are.
  public let count: Int

  init(_ error: ByteReaderError) {
    needed = error.offset + error.length
    count = error.count
  }
}

/// How much was copied, in the units an answer can say it in. SPC-4 table 356.
public struct TransferCount: Hashable, Sendable {
  /// TRANSFER COUNT UNITS: 0 bytes, 1 to 6 KiB to EiB, F1h blocks.
  public var units: UInt8
  /// TRANSFER COUNT in those units.
  public var count: UInt64

  /// A count in these units.
  public init(units: UInt8, count: UInt64) {
    self.units = units
    self.count = count
  }

  /// `bytes` in the smallest units in which four bytes hold the count, rounded down.
  public init(bytes: UInt64) {
    units = 0
    count = bytes
    while count > UInt64(UInt32.max) {
      units += 1
      count >>= 10
    }
  }
}

/// COPY STATUS (84h/00h): how a copy is getting on. SPC-4 6.17.
public struct CopyStatus: Hashable, Sendable {
  /// COPY COMMAND STATUS, seven bits.
  public struct State: RawRepresentable, Hashable, Sendable {
    /// Seven bits.
    public let rawValue: UInt8

    /// The state in the low seven bits of `rawValue`.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue & 0x7F
    }

    /// The copy is in progress.
    public static let inProgress = State(rawValue: 0)
    /// The copy has ended without errors.
    public static let completed = State(rawValue: 1)
    /// The copy has ended with errors.
    public static let completedWithErrors = State(rawValue: 2)
  }

  /// HDD: held data was discarded.
  public var heldDataDiscarded: Bool
  /// COPY COMMAND STATUS.
  public var state: State
  /// SEGMENTS PROCESSED, the one in progress included.
  public var segmentsProcessed: UInt16
  /// TRANSFER COUNT with its units; four bytes on the wire, a greater count is written as FFFFFFFFh.
  public var transferCount: TransferCount

  /// A status.
  public init(
    heldDataDiscarded: Bool = false, state: State, segmentsProcessed: UInt16,
    transferCount: TransferCount
  ) {
    self.heldDataDiscarded = heldDataDiscarded
    self.state = state
    self.segmentsProcessed = segmentsProcessed
    self.transferCount = transferCount
  }

  /// The answer, 12 bytes.
  public func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 12)
    writer.uint32(8)
    writer.uint8((heldDataDiscarded ? 0x80 : 0) | state.rawValue)
    writer.uint16(segmentsProcessed)
    writer.uint8(transferCount.units)
    writer.uint32(UInt32(clamping: transferCount.count))
    return writer.bytes
  }

  /// Reads an answer of at least 12 bytes.
  public static func decode(_ bytes: [UInt8]) throws(CopyResultsError) -> CopyStatus {
    let reader = ByteReader(bytes.span)
    do {
      let status = try reader.uint8(at: 4)
      return CopyStatus(
        heldDataDiscarded: status & 0x80 != 0, state: State(rawValue: status),
        segmentsProcessed: try reader.uint16(at: 5),
        transferCount: TransferCount(
          units: try reader.uint8(at: 7), count: UInt64(try reader.uint32(at: 8))))
    } catch {
      throw CopyResultsError(error)
    }
  }
}

/// RECEIVE DATA (84h/01h): what segments kept for the application client. SPC-4 6.19.
public struct HeldData: Hashable, Sendable {
  /// The bytes that were held.
  public var data: [UInt8]

  /// An answer with these bytes.
  public init(data: [UInt8]) {
    self.data = data
  }

  /// The answer: the length, then the bytes.
  public func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 4 + data.count)
    writer.uint32(UInt32(clamping: data.count))
    writer.append(data)
    return writer.bytes
  }

  /// Reads an answer; one that the allocation length cut short gives the bytes that are there.
  public static func decode(_ bytes: [UInt8]) throws(CopyResultsError) -> HeldData {
    let reader = ByteReader(bytes.span)
    do {
      let available = Int(try reader.uint32(at: 0))
      return HeldData(data: try reader.array(at: 4, count: min(available, reader.count - 4)))
    } catch {
      throw CopyResultsError(error)
    }
  }
}

/// FAILED SEGMENT DETAILS (84h/04h): how a copy failed. SPC-4 6.20.
public struct FailedSegmentDetails: Hashable, Sendable {
  /// EXTENDED COPY COMMAND STATUS: how the command ended.
  public var status: Status
  /// The sense data that went with it.
  public var sense: [UInt8]

  /// The details of a failed copy; `sense` has at most 65,535 bytes.
  public init(status: Status, sense: [UInt8]) {
    self.status = status
    self.sense = sense
  }

  /// The answer where a copy has no failed segment.
  public static let none: [UInt8] = [0, 0, 0, 0]

  /// The answer, 60 bytes and the sense data.
  public func encode() -> [UInt8] {
    let kept = sense.prefix(Int(UInt16.max))
    var writer = ByteWriter(capacity: 60 + kept.count)
    writer.uint32(UInt32(56 + kept.count))
    writer.pad(to: 56)
    writer.append([status.rawValue, 0])
    writer.uint16(UInt16(kept.count))
    writer.append(kept)
    return writer.bytes
  }

  /// Reads an answer; `nil` where the copy has no failed segment.
  public static func decode(_ bytes: [UInt8]) throws(CopyResultsError) -> FailedSegmentDetails? {
    let reader = ByteReader(bytes.span)
    do {
      if try reader.uint32(at: 0) == 0 { return nil }
      return FailedSegmentDetails(
        status: Status(rawValue: try reader.uint8(at: 56)),
        sense: try reader.array(at: 60, count: Int(try reader.uint16(at: 58))))
    } catch {
      throw CopyResultsError(error)
    }
  }
}
