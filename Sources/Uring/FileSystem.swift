/// The door to files: calls that may block, so that a ring makes them through helper threads.
///
/// Safe to use from any thread. What moves payload is not here: that goes through the ring.
open class FileSystem: @unchecked Sendable {
  /// For subclasses.
  public init() {}

  /// Whether calls that may block run on helper threads; a simulation runs them in place.
  open var mayBlock: Bool { true }

  /// Opens `path`: a descriptor or -errno.
  open func open(_ path: String, flags: Int32, mode: UInt32) -> Int32 {
    preconditionFailure("a kernel opens files")
  }
  /// Closes a descriptor.
  open func close(_ file: Int32) {}
  /// What `file` is, or an errno.
  open func status(_ file: Int32) throws(SystemError) -> FileStatus {
    preconditionFailure("a kernel knows its files")
  }
  /// Cuts or lengthens. 0 or -errno.
  open func truncate(_ file: Int32, to byteCount: UInt64) -> Int32 {
    preconditionFailure("a kernel truncates files")
  }
  /// The start of the first data at or after `offset` (`hole` false) or of the first hole; nil
  /// where there is none, or where the file system does not tell.
  open func seek(_ file: Int32, from offset: UInt64, hole: Bool) -> UInt64? { nil }
  /// Reads up to `count` bytes at `offset`; for metadata. An errno where it fails.
  open func read(_ file: Int32, count: Int, at offset: UInt64) throws(SystemError) -> [UInt8] {
    preconditionFailure("a kernel reads files")
  }
  /// Writes all bytes at `offset`; for metadata. 0 or -errno.
  open func write(_ file: Int32, _ bytes: [UInt8], at offset: UInt64) -> Int32 {
    preconditionFailure("a kernel writes files")
  }
  /// Makes the content durable. 0 or -errno.
  open func synchronize(_ file: Int32) -> Int32 { preconditionFailure("a kernel has fsync") }
  /// Makes a directory. 0 or -errno.
  open func makeDirectory(_ path: String, mode: UInt32) -> Int32 {
    preconditionFailure("a kernel makes directories")
  }
  /// Renames within one file system, replacing what is there. 0 or -errno.
  open func rename(_ path: String, to newPath: String) -> Int32 {
    preconditionFailure("a kernel renames files")
  }
  /// Removes a name. 0 or -errno.
  open func remove(_ path: String) -> Int32 { preconditionFailure("a kernel removes files") }
  /// Takes an exclusive lock on a file for as long as it is open, without waiting. 0 or -errno.
  open func lock(_ file: Int32) -> Int32 { 0 }
}

/// An errno of a call on a file.
public struct SystemError: Error, Equatable, Sendable {
  /// The number.
  public var errno: Int32
  /// Of that number.
  public init(errno: Int32) { self.errno = errno }
  /// The system's own words.
  public var description: String { RingError.text(errno) }
}

/// What a file is.
public struct FileStatus: Sendable, Equatable {
  /// The kinds that matter here.
  public enum Kind: Sendable { case regular, directory, blockDevice, characterDevice, other }
  /// What it is.
  public var kind: Kind
  /// Bytes; of a block device too.
  public var byteCount: UInt64
  /// Smallest block of a block device in bytes; 0 for files.
  public var logicalBlockLength: UInt32
  /// Alignment for direct I/O of memory and of offset and length; 0 where it is not possible.
  public var directMemoryAlignment, directOffsetAlignment: UInt32
  /// Major and minor number of a device file, the identity of a file's disk otherwise.
  public var device: UInt64
  /// With `device`, the identity of a file.
  public var inode: UInt64

  /// All of it said.
  public init(
    kind: Kind, byteCount: UInt64, logicalBlockLength: UInt32 = 0,
    directMemoryAlignment: UInt32 = 0, directOffsetAlignment: UInt32 = 0,
    device: UInt64 = 0, inode: UInt64 = 0
  ) {
    self.kind = kind
    self.byteCount = byteCount
    self.logicalBlockLength = logicalBlockLength
    self.directMemoryAlignment = directMemoryAlignment
    self.directOffsetAlignment = directOffsetAlignment
    self.device = device
    self.inode = inode
  }
}
