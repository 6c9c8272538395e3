import Glibc
import SCSI
import Uring

/// Zeros are made by punching holes, by marking extents, or by writing them: the first of these that
/// the file system, or the block device, can do.
extension FileDisk {
  struct Zeroing {
    var canPunch = true
    var canMark = true
  }

  /// Bytes of one write of zeros, where nothing better is left.
  private static let zeroWriteByteCount: UInt64 = 1 << 20

  /// Punches a hole; a raw device is asked to unmap.
  func punch(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    guard byteCount > 0 else { return .good() }
    if zeroing.canPunch {
      let result = await file.zero(from: offset, byteCount: byteCount, punching: true)
      guard Self.isUnsupported(result) else { return status(result, at: offset) }
      zeroing.canPunch = false
    }
    return await zero(at: offset, byteCount: byteCount)
  }

  /// Marks the range as zeros where the file system can, else writes them.
  func zero(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    guard byteCount > 0 else { return .good() }
    if zeroing.canMark {
      let result = await file.zero(from: offset, byteCount: byteCount, punching: false)
      guard Self.isUnsupported(result) else { return status(result, at: offset) }
      zeroing.canMark = false
    }
    var done: UInt64 = 0
    while done < byteCount {
      let count = min(byteCount - done, Self.zeroWriteByteCount)
      let zeros = file.ring.arena.zeros(Int(count))
      let status = await write(at: offset + done, from: zeros).status
      guard status.isSuccess, status.byteCount == Int(count) else { return status }
      done += count
    }
    return .good()
  }

  private static func isUnsupported(_ result: Int32) -> Bool {
    result == -EOPNOTSUPP || result == -ENOSYS || result == -ENODEV || result == -EINVAL
  }

  private func status(_ result: Int32, at offset: UInt64) -> DeviceStatus {
    guard result < 0 else { return .good() }
    let block = offset / UInt64(blockLength)
    failed?(DiskFailure(.zero, block: block, errno: -result))
    return .check(.disk(errno: -result, writing: true, block: block))
  }
}
