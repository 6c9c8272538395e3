/// A command descriptor block: at most 32 bytes, without allocation.
public struct CommandDescriptorBlock: Sendable {
  /// Longest CDB that is taken; longer ones have no command here.
  public static let capacity = 32

  private var bytes: InlineArray<32, UInt8>
  /// Number of bytes. A CDB of 6, 10 or 12 bytes comes in 16 on iSCSI; its operation code tells its length.
  public private(set) var count: Int

  /// No bytes.
  public init() {
    bytes = InlineArray(repeating: 0)
    count = 0
  }

  /// Of the bytes given, of which only the first 32 are kept.
  public init(_ given: [UInt8]) {
    self.init()
    for byte in given.prefix(Self.capacity) { append(byte) }
  }

  /// Adds a byte; beyond the capacity it is dropped.
  public mutating func append(_ byte: UInt8) {
    guard count < Self.capacity else { return }
    bytes[count] = byte
    count += 1
  }

  /// The byte at `index`; zero behind the end, as a short CDB reads.
  public subscript(index: Int) -> UInt8 {
    index >= 0 && index < Self.capacity ? bytes[index] : 0
  }

  /// OPERATION CODE.
  public var operationCode: UInt8 { bytes[0] }

  /// The two bytes at `offset`.
  public func uint16(at offset: Int) -> UInt16 {
    UInt16(self[offset]) << 8 | UInt16(self[offset + 1])
  }

  /// The three bytes at `offset`.
  public func uint24(at offset: Int) -> UInt32 {
    UInt32(self[offset]) << 16 | UInt32(uint16(at: offset + 1))
  }

  /// The four bytes at `offset`.
  public func uint32(at offset: Int) -> UInt32 {
    UInt32(uint16(at: offset)) << 16 | UInt32(uint16(at: offset + 2))
  }

  /// The eight bytes at `offset`.
  public func uint64(at offset: Int) -> UInt64 {
    UInt64(uint32(at: offset)) << 32 | UInt64(uint32(at: offset + 4))
  }

  /// All bytes, for what is not the data path.
  public var array: [UInt8] { (0..<count).map { bytes[$0] } }
}

/// How a task stands to the others of its task set. SAM-5 8.9, RFC 7143 11.3.1.
public enum TaskAttribute: UInt8, Sendable {
  /// The transport did not say: as simple.
  case untagged = 0
  /// Any order.
  case simple = 1
  /// After all older ones, before all younger ones.
  case ordered = 2
  /// Before all that have not begun.
  case headOfQueue = 3
  /// Auto contingent allegiance: not supported, refused.
  case automaticContingentAllegiance = 4
}

/// A SCSI command from its arrival to its end.
///
/// The transport owns it and may use the object again after `CommandClient.complete`.
public final class Command {
  /// Through which nexus it came.
  public var nexus: Nexus
  /// LUN: the eight bytes as they came. SAM-5 4.6.
  public var logicalUnit: UInt64 = 0
  /// The transport's tag, unique in the nexus.
  public var tag: UInt64 = 0
  /// Task attribute.
  public var attribute = TaskAttribute.simple
  /// The CDB.
  public var cdb = CommandDescriptorBlock()
  /// Bytes the initiator says it will send and can take; a transfer never goes beyond.
  public var expectedDataOut = 0, expectedDataIn = 0
  /// Whether a task management function or the loss of the nexus ended it: whoever executes it stops
  /// soon.
  public private(set) var isAborted = false

  /// An empty command of a nexus.
  public init(nexus: Nexus) {
    self.nexus = nexus
  }

  /// Makes the object ready for another command.
  public func reset(nexus: Nexus) {
    self.nexus = nexus
    logicalUnit = 0
    tag = 0
    attribute = .simple
    cdb = CommandDescriptorBlock()
    expectedDataOut = 0
    expectedDataIn = 0
    isAborted = false
  }

  /// Marks it aborted; for task routers.
  public func markAborted() { isAborted = true }
}
