/// EXTENDED COPY (83h). SPC-4 6.4; SPC-4 calls the operation code THIRD-PARTY COPY OUT.
public struct ExtendedCopyCommand: Hashable, Sendable {
  /// Operation code.
  public static let operationCode: UInt8 = 0x83

  /// What the command is to do; the low five bits of byte 1.
  public struct ServiceAction: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// Five bits.
    public let rawValue: UInt8

    /// The service action in the low five bits of `rawValue`.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue & 0x1F
    }

    /// EXTENDED COPY with a list identifier of one byte: the only one before SPC-4.
    public static let lid1 = ServiceAction(rawValue: 0x00)
    /// EXTENDED COPY with a list identifier of four bytes.
    public static let lid4 = ServiceAction(rawValue: 0x01)
    /// POPULATE TOKEN.
    public static let populateToken = ServiceAction(rawValue: 0x10)
    /// WRITE USING TOKEN.
    public static let writeUsingToken = ServiceAction(rawValue: 0x11)
    /// SET TAPE STREAM MIRRORING.
    public static let setTapeStreamMirroring = ServiceAction(rawValue: 0x16)
    /// COPY OPERATION ABORT.
    public static let copyOperationAbort = ServiceAction(rawValue: 0x1C)

    /// The standard's name.
    public var description: String {
      switch self {
      case .lid1: "EXTENDED COPY(LID1)"
      case .lid4: "EXTENDED COPY(LID4)"
      case .populateToken: "POPULATE TOKEN"
      case .writeUsingToken: "WRITE USING TOKEN"
      case .setTapeStreamMirroring: "SET TAPE STREAM MIRRORING"
      case .copyOperationAbort: "COPY OPERATION ABORT"
      default: "EXTENDED COPY service action \(hexadecimal(rawValue))"
      }
    }
  }

  /// What the command is to do.
  public var serviceAction: ServiceAction
  /// LIST IDENTIFIER, in the CDB only for 10h and 11h (bytes 6 to 9) and 1Ch (bytes 2 to 5).
  public var listIdentifier: UInt32
  /// PARAMETER LIST LENGTH in bytes; 0 means that there is nothing to do.
  public var parameterListLength: UInt32
  /// CONTROL.
  public var control: UInt8

  /// A command; `listIdentifier` counts only where the CDB of the service action has one.
  public init(
    serviceAction: ServiceAction = .lid1, listIdentifier: UInt32 = 0, parameterListLength: UInt32,
    control: UInt8 = 0
  ) {
    self.serviceAction = serviceAction
    self.listIdentifier = Self.listIdentifierOffset(serviceAction) == nil ? 0 : listIdentifier
    self.parameterListLength = serviceAction == .copyOperationAbort ? 0 : parameterListLength
    self.control = control
  }

  private static func listIdentifierOffset(_ action: ServiceAction) -> Int? {
    switch action {
    case .populateToken, .writeUsingToken: 6
    case .copyOperationAbort: 2
    default: nil
    }
  }

  /// Reads a CDB of 16 bytes or more; `nil` where it is shorter or has another operation code.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count >= 16, bytes[0] == Self.operationCode else { return nil }
    let reader = ByteReader(bytes.span)
    let action = ServiceAction(rawValue: bytes[1])
    guard let length = try? reader.uint32(at: 10),
      let identifier = try? reader.uint32(at: Self.listIdentifierOffset(action) ?? 2)
    else { return nil }
    self.init(
      serviceAction: action, listIdentifier: identifier, parameterListLength: length,
      control: bytes[15])
  }

  /// The CDB, 16 bytes.
  public var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 16)
    writer.append([Self.operationCode, serviceAction.rawValue])
    if let offset = Self.listIdentifierOffset(serviceAction) {
      writer.pad(to: offset)
      writer.uint32(listIdentifier)
    }
    writer.pad(to: 10)
    writer.uint32(parameterListLength)
    writer.append([0, control])
    return writer.bytes
  }
}

/// RECEIVE COPY RESULTS (84h). SPC-4 6.18 and after; SPC-4 calls the operation code THIRD-PARTY COPY IN.
public struct ReceiveCopyResultsCommand: Hashable, Sendable {
  /// Operation code.
  public static let operationCode: UInt8 = 0x84

  /// What is asked for; the low five bits of byte 1.
  public struct ServiceAction: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// Five bits.
    public let rawValue: UInt8

    /// The service action in the low five bits of `rawValue`.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue & 0x1F
    }

    /// COPY STATUS (LID1).
    public static let copyStatus = ServiceAction(rawValue: 0x00)
    /// RECEIVE DATA (LID1).
    public static let receiveData = ServiceAction(rawValue: 0x01)
    /// OPERATING PARAMETERS.
    public static let operatingParameters = ServiceAction(rawValue: 0x03)
    /// FAILED SEGMENT DETAILS (LID1).
    public static let failedSegmentDetails = ServiceAction(rawValue: 0x04)
    /// RECEIVE COPY STATUS (LID4).
    public static let copyStatusLID4 = ServiceAction(rawValue: 0x05)
    /// RECEIVE COPY DATA (LID4).
    public static let receiveDataLID4 = ServiceAction(rawValue: 0x06)
    /// RECEIVE ROD TOKEN INFORMATION.
    public static let rodTokenInformation = ServiceAction(rawValue: 0x07)
    /// REPORT ALL ROD TOKENS.
    public static let reportAllRODTokens = ServiceAction(rawValue: 0x08)
    /// REPORT TAPE STREAM MIRRORING.
    public static let reportTapeStreamMirroring = ServiceAction(rawValue: 0x16)

    /// The standard's name.
    public var description: String {
      switch self {
      case .copyStatus: "RECEIVE COPY STATUS(LID1)"
      case .receiveData: "RECEIVE COPY DATA(LID1)"
      case .operatingParameters: "RECEIVE COPY OPERATING PARAMETERS"
      case .failedSegmentDetails: "RECEIVE COPY FAILURE DETAILS(LID1)"
      case .copyStatusLID4: "RECEIVE COPY STATUS(LID4)"
      case .receiveDataLID4: "RECEIVE COPY DATA(LID4)"
      case .rodTokenInformation: "RECEIVE ROD TOKEN INFORMATION"
      case .reportAllRODTokens: "REPORT ALL ROD TOKENS"
      case .reportTapeStreamMirroring: "REPORT TAPE STREAM MIRRORING"
      default: "RECEIVE COPY RESULTS service action \(hexadecimal(rawValue))"
      }
    }

    /// The list identifier has four bytes (2 to 5), otherwise one (byte 2).
    public var hasLongListIdentifier: Bool {
      (0x05...0x07).contains(rawValue)
    }
  }

  /// What is asked for.
  public var serviceAction: ServiceAction
  /// LIST IDENTIFIER: one byte, or four where `serviceAction.hasLongListIdentifier`.
  public var listIdentifier: UInt32
  /// ALLOCATION LENGTH in bytes.
  public var allocationLength: UInt32
  /// CONTROL.
  public var control: UInt8

  /// A command; only the low byte of `listIdentifier` counts where the CDB has one byte for it.
  public init(
    serviceAction: ServiceAction, listIdentifier: UInt32 = 0, allocationLength: UInt32,
    control: UInt8 = 0
  ) {
    self.serviceAction = serviceAction
    self.listIdentifier =
      serviceAction.hasLongListIdentifier ? listIdentifier : listIdentifier & 0xFF
    self.allocationLength = allocationLength
    self.control = control
  }

  /// Reads a CDB of 16 bytes or more; `nil` where it is shorter or has another operation code.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count >= 16, bytes[0] == Self.operationCode else { return nil }
    let reader = ByteReader(bytes.span)
    let action = ServiceAction(rawValue: bytes[1])
    guard let long = try? reader.uint32(at: 2), let length = try? reader.uint32(at: 10) else {
      return nil
    }
    self.init(
      serviceAction: action,
      listIdentifier: action.hasLongListIdentifier ? long : long >> 24,
      allocationLength: length, control: bytes[15])
  }

  /// The CDB, 16 bytes.
  public var bytes: [UInt8] {
    var writer = ByteWriter(capacity: 16)
    writer.append([Self.operationCode, serviceAction.rawValue])
    if serviceAction.hasLongListIdentifier {
      writer.uint32(listIdentifier)
    } else {
      writer.uint8(UInt8(truncatingIfNeeded: listIdentifier))
    }
    writer.pad(to: 10)
    writer.uint32(allocationLength)
    writer.append([0, control])
    return writer.bytes
  }
}
