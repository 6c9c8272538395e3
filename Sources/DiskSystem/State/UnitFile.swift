import Glibc
import Uring

/// The file behind a unit before it is opened as a disk.
enum UnitFile {
  /// Makes the file with its size where there is none, all of it a hole, and checks the size of one
  /// that exists: what is in it is never cut or overwritten. A file that was served before and is gone
  /// is not made anew: its unit would keep its name and lose its content. Blocks.
  static func prepare(
    _ name: String, byteCount: UInt64?, unit: String, in state: StateDirectory
  ) throws(DiskSystemError) {
    if !name.hasPrefix("/"), let first = name.split(separator: "/").first(where: { $0 != "." }),
      StateDirectory.ownNames.contains(String(first))
    {
      throw .unit(
        name: unit,
        reason: "the state directory keeps the name \(first) for itself; choose another file")
    }
    let path = state.place(of: name)
    let served = try state.servedFile(of: unit)
    let status = state.files.open(path, flags: O_RDONLY | O_NONBLOCK, mode: 0)
    if status >= 0 {
      defer { state.files.close(status) }
      try check(status, path, byteCount: byteCount, unit: unit, state.files)
    } else if status == -ENOENT {
      if let served { throw gone(unit, path, served: state.place(of: served), state) }
      try make(path, byteCount: byteCount, unit: unit, state.files)
    }
    // Whatever else is wrong is found, and said, when the disk is opened.
  }

  /// Remembers the file, once it could be opened as the unit's disk. Blocks.
  static func remember(
    _ name: String, unit: String, in state: StateDirectory
  ) throws(DiskSystemError) {
    if try state.servedFile(of: unit) != name { try state.remember(file: name, of: unit) }
  }

  private static func check(
    _ file: Int32, _ path: String, byteCount: UInt64?, unit: String, _ files: FileSystem
  ) throws(DiskSystemError) {
    guard let status = try? files.status(file), status.kind == .regular, let byteCount,
      status.byteCount > byteCount
    else { return }
    throw .unit(
      name: unit,
      reason: "\(path) has \(ByteCountText.format(status.byteCount)), more than the size of "
        + "\(ByteCountText.format(byteCount)); write size: "
        + "\(ByteCountText.format(status.byteCount)), or move the file away")
  }

  private static func make(
    _ path: String, byteCount: UInt64?, unit: String, _ files: FileSystem
  ) throws(DiskSystemError) {
    guard let byteCount else {
      throw .unit(
        name: unit, reason: "there is no file \(path) yet; add size: 512 MiB to have it made")
    }
    let file = files.open(path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    guard file >= 0 else {
      throw .unit(name: unit, reason: "\(path): \(words(file, "open"))")
    }
    defer { files.close(file) }
    var result = files.truncate(file, to: byteCount)
    if result == 0 { result = files.synchronize(file) }
    guard result == 0 else {
      _ = files.remove(path)
      throw .unit(name: unit, reason: "\(path): \(words(result, "ftruncate"))")
    }
    do throws(DiskSystemError) {
      try StateDirectory.synchronizeDirectory(of: path, files)
    } catch {
      _ = files.remove(path)
      throw .unit(name: unit, reason: error.description)
    }
  }

  private static func gone(
    _ unit: String, _ path: String, served: String, _ state: StateDirectory
  ) -> DiskSystemError {
    let reason =
      served == path
      ? "\(path) was served before and is missing; mount its file system, or bring it back"
      : "it was served from \(served) before, and there is no \(path); move the file there"
    return .unit(
      name: unit,
      reason: "\(reason), or remove \(state.path)/units/\(unit) to have an empty one made")
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
