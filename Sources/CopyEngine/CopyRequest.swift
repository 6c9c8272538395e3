/// A copy of whole devices: disk to tape, tape to disk, disk to disk, tape to tape.
public struct CopyRequest: Sendable, Equatable {
  /// What to do with a tape that holds data behind the place where it stands.
  public enum ExistingData: Sendable, Equatable {
    /// Refuse to write.
    case refuse
    /// Write behind the last object on the tape.
    case append
    /// Write from the start of the tape, or from `position=` where that was said.
    case overwrite
  }

  /// What is copied, one after another. From a tape the records up to the next filemark are read;
  /// for another tape all of them, with their filemarks.
  public var sources: [DeviceSpecification]
  /// Where it goes. A file is made or emptied; sources lie in it one behind the other.
  public var destination: DeviceSpecification
  /// Bytes of a record on a destination tape, 1 MiB where nil; of a source tape whose drive does not
  /// tell, the longest record expected, an eighth of the arena where nil.
  public var recordLength: Int?
  /// Whether the last record of a source is filled up with zeros.
  public var pads = false
  /// Whether a filemark is written behind each source.
  public var writesFilemark = false
  /// What to do with a tape that holds data.
  public var existingData = ExistingData.refuse
  /// Byte of the first source to start at, to go on where a tape was full.
  public var sourceOffset: UInt64 = 0
  /// Digests to compute of all source bytes in their order.
  public var digests: Set<Digest> = []
  /// Whether the destination is read back and its SHA-256 compared with the source's.
  public var verifies = false
  /// Bytes to have buffered before a tape drive is started, and again after it ran dry; nil: what
  /// suits the drive, 0: none.
  public var startThreshold: Int?

  /// A copy with the default for everything else.
  public init(from sources: [DeviceSpecification], to destination: DeviceSpecification) {
    self.sources = sources
    self.destination = destination
  }

  /// Digests that can be computed on the way.
  public enum Digest: String, Sendable, CaseIterable {
    /// SHA-256.
    case sha256
    /// CRC32C, the Castagnoli polynomial.
    case crc32c
  }

  /// Bytes of a record where nothing was said.
  public static let defaultRecordLength = 1 << 20
}
