public import SCSI

/// RECEIVE COPY STATUS(LID4) (84h/05h): how a copy is getting on. SPC-4 6.24.
public struct CopyStatusLID4: Hashable, Sendable {
  /// COPY OPERATION STATUS.
  public struct State: RawRepresentable, Hashable, Sendable {
    /// One byte.
    public let rawValue: UInt8

    /// The state with this byte; every byte is a state, known or not.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    /// Ended without errors.
    public static let completed = State(rawValue: 0x01)
    /// Ended with errors.
    public static let completedWithErrors = State(rawValue: 0x02)
    /// Ended without errors, with a ROD token still to be fetched.
    public static let completedWithToken = State(rawValue: 0x03)
    /// Ended without errors, with residual data.
    public static let completedWithResidual = State(rawValue: 0x04)
    /// In progress; in the foreground or in the background is not known.
    public static let inProgress = State(rawValue: 0x10)
    /// In progress in the foreground.
    public static let inProgressForeground = State(rawValue: 0x11)
    /// In progress in the background.
    public static let inProgressBackground = State(rawValue: 0x12)
    /// Ended by COPY OPERATION ABORT or by task management.
    public static let aborted = State(rawValue: 0x60)
  }

  /// RESPONSE TO SERVICE ACTION: that of the EXTENDED COPY command.
  public var respondedServiceAction: ExtendedCopyCommand.ServiceAction
  /// COPY OPERATION STATUS.
  public var state: State
  /// OPERATION COUNTER.
  public var operationCounter: UInt16
  /// ESTIMATED STATUS UPDATE DELAY in milliseconds, FFFFFFFFh where nobody knows.
  public var estimatedUpdateDelayMilliseconds: UInt32
  /// EXTENDED COPY COMPLETION STATUS, where the copy has ended.
  public var completionStatus: Status
  /// TRANSFER COUNT, eight bytes, with its units.
  public var transferCount: TransferCount
  /// SEGMENTS PROCESSED.
  public var segmentsProcessed: UInt16
  /// The sense data of the copy, at most 255 bytes.
  public var sense: [UInt8]

  /// A status; a delay nobody knows and GOOD unless said.
  public init(
    respondedServiceAction: ExtendedCopyCommand.ServiceAction = .lid4, state: State,
    operationCounter: UInt16 = 0, estimatedUpdateDelayMilliseconds: UInt32 = .max,
    completionStatus: Status = .good, transferCount: TransferCount, segmentsProcessed: UInt16,
    sense: [UInt8] = []
  ) {
    self.respondedServiceAction = respondedServiceAction
    self.state = state
    self.operationCounter = operationCounter
    self.estimatedUpdateDelayMilliseconds = estimatedUpdateDelayMilliseconds
    self.completionStatus = completionStatus
    self.transferCount = transferCount
    self.segmentsProcessed = segmentsProcessed
    self.sense = sense
  }

  /// The answer, 32 bytes and the sense data.
  public func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 32 + sense.count)
    encode(into: &writer, following: 0)
    return writer.bytes
  }

  func encode(into writer: inout ByteWriter, following: Int) {
    let kept = sense.prefix(Int(UInt8.max))
    writer.uint32(UInt32(clamping: 28 + kept.count + following))
    writer.append([respondedServiceAction.rawValue, state.rawValue])
    writer.uint16(operationCounter)
    writer.uint32(estimatedUpdateDelayMilliseconds)
    writer.append([
      completionStatus.rawValue, UInt8(kept.count), UInt8(kept.count), transferCount.units,
    ])
    writer.uint64(transferCount.count)
    writer.uint16(segmentsProcessed)
    writer.pad(to: 32)
    writer.append(kept)
  }

  /// Reads an answer with all its sense data.
  public static func decode(_ bytes: [UInt8]) throws(CopyResultsError) -> CopyStatusLID4 {
    let reader = ByteReader(bytes.span)
    do {
      return try decode(reader)
    } catch {
      throw CopyResultsError(error)
    }
  }

  static func decode(_ reader: borrowing ByteReader) throws(ByteReaderError) -> CopyStatusLID4 {
    let field = try reader.uint8(at: 13)
    let length = min(field, try reader.uint8(at: 14))
    return CopyStatusLID4(
      respondedServiceAction: .init(rawValue: try reader.uint8(at: 4)),
      state: State(rawValue: try reader.uint8(at: 5)),
      operationCounter: try reader.uint16(at: 6),
      estimatedUpdateDelayMilliseconds: try reader.uint32(at: 8),
      completionStatus: Status(rawValue: try reader.uint8(at: 12)),
      transferCount: TransferCount(
        units: try reader.uint8(at: 15), count: try reader.uint64(at: 16)),
      segmentsProcessed: try reader.uint16(at: 24),
      sense: try reader.array(at: 32, count: Int(length)))
  }
}

/// RECEIVE COPY DATA(LID4) (84h/06h): the status, and what segments kept for the application client.
/// SPC-4 6.18.
///
/// Behind the sense data stand a length of four bytes and the held data, laid out like the tokens of RECEIVE
/// ROD TOKEN INFORMATION; this was not checked against the text of the standard.
public struct HeldDataLID4: Hashable, Sendable {
  /// How the copy is getting on.
  public var status: CopyStatusLID4
  /// The bytes that were held.
  public var data: [UInt8]

  /// An answer with these bytes.
  public init(status: CopyStatusLID4, data: [UInt8]) {
    self.status = status
    self.data = data
  }

  /// The answer.
  public func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 36 + status.sense.count + data.count)
    status.encode(into: &writer, following: 4 + data.count)
    writer.uint32(UInt32(clamping: data.count))
    writer.append(data)
    return writer.bytes
  }

  /// Reads an answer; held data that the allocation length cut short gives the bytes that are there.
  public static func decode(_ bytes: [UInt8]) throws(CopyResultsError) -> HeldDataLID4 {
    let reader = ByteReader(bytes.span)
    do {
      let status = try CopyStatusLID4.decode(reader)
      let start = 32 + Int(try reader.uint8(at: 13))
      let length = Int(try reader.uint32(at: start))
      return HeldDataLID4(
        status: status,
        data: try reader.array(at: start + 4, count: min(length, reader.count - start - 4)))
    } catch {
      throw CopyResultsError(error)
    }
  }
}
