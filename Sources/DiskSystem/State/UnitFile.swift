import Glibc
import Uring

/// The file behind a unit before it is opened as a disk.
enum UnitFile {
  /// Makes the file with its size where there is none, all of it a hole, and checks the size of one
  /// that exists: what is in it is never cut or overwritten. Blocks.
  static func prepare(
    _ path: String, byteCount: UInt64?, unit: String, _ files: FileSystem
  ) -> DiskSystemError? {
    let existing = files.open(path, flags: O_RDONLY | O_NONBLOCK, mode: 0)
    if existing >= 0 {
      defer { files.close(existing) }
      guard let status = try? files.status(existing), status.kind == .regular, let byteCount,
        status.byteCount > byteCount
      else { return nil }
      return .unit(
        name: unit,
        reason: "\(path) has \(ByteCountText.format(status.byteCount)), more than the size of "
          + "\(ByteCountText.format(byteCount)); write size: "
          + "\(ByteCountText.format(status.byteCount)), or move the file away")
    }
    // Whatever else is wrong is found, and said, when the disk is opened.
    guard existing == -ENOENT else { return nil }
    guard let byteCount else {
      return .unit(
        name: unit, reason: "there is no file \(path) yet; add size: 512 MiB to have it made")
    }
    let file = files.open(path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    guard file >= 0 else { return .unit(name: unit, reason: "\(path): \(words(file, "open"))") }
    defer { files.close(file) }
    var result = files.truncate(file, to: byteCount)
    if result == 0 { result = files.synchronize(file) }
    guard result == 0 else {
      _ = files.remove(path)
      return .unit(name: unit, reason: "\(path): \(words(result, "ftruncate"))")
    }
    return nil
  }

  private static func words(_ result: Int32, _ call: String) -> String {
    switch -result {
    case ENOENT: "the directory it is to be made in is missing; make that first"
    case EACCES, EPERM: "this user may not make it; change the mode or owner of its directory"
    case ENOSPC, EDQUOT, EFBIG: "its file system has no room for a file of that size"
    default: "\(call) failed: \(SystemError(errno: -result).description)"
    }
  }
}
