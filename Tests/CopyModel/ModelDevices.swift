/// A disk as a plain array of bytes.
public struct ModelDisk: Equatable, Sendable {
  /// Bytes in one logical block.
  public var blockLength: Int
  /// The whole medium; a part of a block at the end is not addressable.
  public var bytes: [UInt8]
  /// Whether writes are refused with DATA PROTECT.
  public var readOnly: Bool

  /// A disk that holds these bytes.
  public init(blockLength: Int, bytes: [UInt8], readOnly: Bool = false) {
    self.blockLength = blockLength
    self.bytes = bytes
    self.readOnly = readOnly
  }
}

/// A tape as an array of objects and a position in it.
public struct ModelTape: Equatable, Sendable {
  /// What stands on a tape.
  public enum Object: Equatable, Sendable {
    /// A logical block with its bytes.
    case record([UInt8])
    /// A filemark.
    case filemark
  }

  /// Everything from the beginning of the medium to end of data.
  public var objects: [Object]
  /// The number of objects before the position.
  public var position: Int
  /// Whether writes are refused with DATA PROTECT.
  public var readOnly: Bool
  /// How many record bytes fit; filemarks take no room. nil: no limit.
  public var capacity: Int?
  /// A write that leaves less room than this, in bytes, answers NO SENSE with EOM.
  public var earlyWarning: Int

  /// A tape that holds these objects.
  public init(
    objects: [Object] = [], position: Int = 0, readOnly: Bool = false, capacity: Int? = nil,
    earlyWarning: Int = 0
  ) {
    self.objects = objects
    self.position = position
    self.readOnly = readOnly
    self.capacity = capacity
    self.earlyWarning = earlyWarning
  }
}

/// What a target descriptor names.
public enum ModelDevice: Equatable, Sendable {
  /// A direct access block device (peripheral device type 00h).
  case disk(ModelDisk)
  /// A sequential access device (peripheral device type 01h).
  case tape(ModelTape)
  /// Nothing that can be reached.
  case missing
}

/// The status and sense data with which a device answered a command.
public struct ModelSense: Error, Equatable, Sendable {
  /// The SCSI status: 02h, CHECK CONDITION.
  public var status: UInt8 = 2
  /// The sense key.
  public var senseKey: UInt8
  /// The additional sense code.
  public var asc: UInt8
  /// The additional sense code qualifier.
  public var ascq: UInt8
  /// FILEMARK.
  public var filemark = false
  /// EOM.
  public var endOfMedium = false
  /// ILI.
  public var incorrectLength = false
  /// INFORMATION as a signed number (on the wire: two's complement); nil when VALID is 0.
  public var information: Int64?

  static func blankCheck(_ information: Int64?) -> ModelSense {
    ModelSense(senseKey: 0x8, asc: 0x00, ascq: 0x05, information: information)
  }
  static func filemarkDetected(_ information: Int64) -> ModelSense {
    ModelSense(senseKey: 0, asc: 0x00, ascq: 0x01, filemark: true, information: information)
  }
  static func beginningOfPartition(_ information: Int64) -> ModelSense {
    ModelSense(senseKey: 0, asc: 0x00, ascq: 0x04, endOfMedium: true, information: information)
  }
  static func incorrectLength(_ information: Int64) -> ModelSense {
    ModelSense(senseKey: 0, asc: 0, ascq: 0, incorrectLength: true, information: information)
  }
  static func volumeOverflow(_ information: Int64) -> ModelSense {
    ModelSense(
      senseKey: 0xD, asc: 0x00, ascq: 0x02, endOfMedium: true, information: information)
  }
  static let earlyWarning = ModelSense(senseKey: 0, asc: 0x00, ascq: 0x02, endOfMedium: true)
  static let writeProtected = ModelSense(senseKey: 0x7, asc: 0x27, ascq: 0x00)
  static let invalidFieldInCDB = ModelSense(senseKey: 0x5, asc: 0x24, ascq: 0x00)

  /// A write that ended so has written everything.
  var isEarlyWarning: Bool { self == .earlyWarning }
}
