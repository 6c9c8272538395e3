import CUring
import Glibc

/// The files of this machine.
public final class LinuxFileSystem: FileSystem, @unchecked Sendable {
  /// Opens a file; -EINTR is not returned.
  public override func open(_ path: String, flags: Int32, mode: UInt32) -> Int32 {
    Self.retrying { unsafe Glibc.open(path, flags | O_CLOEXEC, mode) }
  }

  /// Closes a descriptor.
  public override func close(_ file: Int32) { _ = Glibc.close(file) }

  /// Reads what the file is and how direct I/O to it must be aligned.
  public override func status(_ file: Int32) throws(SystemError) -> FileStatus {
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw SystemError(errno: errno) }
    var alignment = cu_alignment()
    _ = unsafe cu_direct_alignment(file, &alignment)
    var result = FileStatus(
      kind: .other, byteCount: UInt64(max(0, status.st_size)),
      directMemoryAlignment: alignment.memory, directOffsetAlignment: alignment.offset,
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    switch status.st_mode & S_IFMT {
    case S_IFREG: result.kind = .regular
    case S_IFDIR: result.kind = .directory
    case S_IFCHR:
      result.kind = .characterDevice
      result.device = UInt64(status.st_rdev)
    case S_IFBLK:
      result.kind = .blockDevice
      result.device = UInt64(status.st_rdev)
      let size = cu_block_device_size(file)
      guard size >= 0 else { throw SystemError(errno: Int32(-size)) }
      result.byteCount = UInt64(size)
      result.logicalBlockLength = UInt32(max(0, cu_block_device_logical_block(file)))
      if alignment.offset == 0 {
        result.directMemoryAlignment = result.logicalBlockLength
        result.directOffsetAlignment = result.logicalBlockLength
      }
    default: break
    }
    return result
  }

  /// Cuts or lengthens.
  public override func truncate(_ file: Int32, to byteCount: UInt64) -> Int32 {
    Self.retrying { ftruncate(file, off_t(clamping: byteCount)) }
  }

  /// SEEK_DATA and SEEK_HOLE.
  public override func seek(_ file: Int32, from offset: UInt64, hole: Bool) -> UInt64? {
    let found = lseek(file, off_t(clamping: offset), hole ? cu_seek_hole : cu_seek_data)
    return found < 0 ? nil : UInt64(found)
  }

  /// Reads until `count` or the end of the file.
  public override func read(_ file: Int32, count: Int, at offset: UInt64)
    throws(SystemError) -> [UInt8]
  {
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let result = unsafe pread(
          file, buffer.baseAddress.map { unsafe $0 + filled }, count - filled,
          off_t(clamping: offset) + filled)
        if result < 0, errno == EINTR { continue }
        if result < 0 { failure = errno }
        if result <= 0 { break }
        filled += result
      }
    }
    if failure != 0 { throw SystemError(errno: failure) }
    return bytes
  }

  /// Writes all bytes.
  public override func write(_ file: Int32, _ bytes: [UInt8], at offset: UInt64) -> Int32 {
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let result = unsafe pwrite(
          file, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done,
          off_t(clamping: offset) + done)
        if result < 0, errno == EINTR { continue }
        if result < 0 { return -errno }
        done += result
      }
      return 0
    }
  }

  /// fsync.
  public override func synchronize(_ file: Int32) -> Int32 { Self.retrying { fsync(file) } }

  /// mkdir.
  public override func makeDirectory(_ path: String, mode: UInt32) -> Int32 {
    Self.retrying { unsafe mkdir(path, mode) }
  }

  /// rename.
  public override func rename(_ path: String, to newPath: String) -> Int32 {
    Self.retrying { unsafe Glibc.rename(path, newPath) }
  }

  /// unlink.
  public override func remove(_ path: String) -> Int32 { Self.retrying { unsafe unlink(path) } }

  /// flock, exclusive, without waiting.
  public override func lock(_ file: Int32) -> Int32 {
    Self.retrying { flock(file, LOCK_EX | LOCK_NB) }
  }

  private static func retrying(_ call: () -> Int32) -> Int32 {
    while true {
      let result = call()
      if result >= 0 { return result }
      if errno != EINTR { return -errno }
    }
  }
}
