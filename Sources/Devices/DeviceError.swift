import Glibc

/// Why a device cannot be used. Its description is one line that names the device and the way out.
public enum DeviceError: Error, Equatable, Sendable {
  /// There is no such file.
  case notFound(path: String)
  /// A folder where a file is needed, and not a cartridge.
  case isDirectory(path: String)
  /// Neither a file nor a block device.
  case notADisk(path: String)
  /// This user may not read, or not write.
  case permissionDenied(path: String, writing: Bool)
  /// On a file system that is mounted read-only.
  case readOnlyFileSystem(path: String)
  /// Mounted, or open in another program.
  case busy(path: String)
  /// No room for a new file.
  case noSpace(path: String)
  /// The block length does not divide the size.
  case sizeNotMultiple(path: String, byteCount: UInt64, blockLength: Int)
  /// A block length that is not a multiple of what the disk has, or out of range.
  case blockLength(path: String, blockLength: Int, smallest: Int)
  /// There is a cartridge at this place already.
  case cartridgeExists(path: String)
  /// A folder without an index of a cartridge.
  case notACartridge(path: String)
  /// Written by another version.
  case cartridgeVersion(path: String, version: UInt32)
  /// The index contradicts itself.
  case cartridgeDamaged(path: String, reason: String)
  /// Another process has it.
  case cartridgeInUse(path: String)
  /// The capacity, or the early-warning room of it, makes no sense.
  case capacity(path: String, capacity: UInt64, earlyWarning: UInt64)
  /// A start position behind the end of data.
  case position(path: String, position: UInt64, objectCount: UInt64)
  /// Not a drive of the st driver.
  case notATape(path: String)
  /// A drive without a tape in it.
  case noMedium(path: String)
  /// An image file of a tape that contradicts itself.
  case tapeImage(path: String, offset: UInt64, reason: String)
  /// A transfer between a tape and an image file ended early.
  case transfer(path: String, condition: Condition)
  /// Part of a device string that is not understood.
  case option(device: String, option: String, reason: String)
  /// The arena has no room for a buffer.
  case noMemory(path: String, byteCount: Int)
  /// Any other answer of the operating system.
  case system(path: String, call: String, errno: Int32)

  /// What a failed `open` of `path` means.
  static func opening(_ path: String, errno: Int32, writing: Bool) -> DeviceError {
    switch errno {
    case ENOENT, ENOTDIR: .notFound(path: path)
    case EACCES, EPERM: .permissionDenied(path: path, writing: writing)
    case EISDIR: .isDirectory(path: path)
    case EBUSY, ETXTBSY: .busy(path: path)
    case EROFS: .readOnlyFileSystem(path: path)
    case ENOSPC, EDQUOT: .noSpace(path: path)
    case ENOMEDIUM: .noMedium(path: path)
    default: .system(path: path, call: "open", errno: errno)
    }
  }
}
