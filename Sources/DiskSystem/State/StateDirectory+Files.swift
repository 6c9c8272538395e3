import Glibc
import Uring

/// How what is small is read and written: whole, and so that a power loss leaves the old or the new.
extension StateDirectory {
  /// Makes calls that block on a helper thread of a ring, and comes back.
  static func blocking<Success: Sendable>(
    on ring: Ring,
    _ body: @escaping @Sendable (FileSystem) throws(DiskSystemError) -> Success
  ) async throws(DiskSystemError) -> Success {
    try await ring.blocking { files in
      Result { () throws(DiskSystemError) in try body(files) }
    }.get()
  }

  /// Up to `count` bytes of a file; nil where there is none.
  static func read(
    _ path: String, _ count: Int, _ files: FileSystem
  ) throws(DiskSystemError) -> [UInt8]? {
    let file = files.open(path, flags: O_RDONLY, mode: 0)
    if file == -ENOENT { return nil }
    guard file >= 0 else { throw failure(path, "open", file) }
    defer { files.close(file) }
    do throws(SystemError) {
      return try files.read(file, count: count, at: 0)
    } catch {
      throw .state(path: path, reason: "read failed: \(error.description)")
    }
  }

  /// Writes a file anew; durable, and its name with it, when this returns. After a power loss before
  /// that it is the old one or the new one.
  ///
  /// - Throws: where only the last step failed, the name is the new file's already.
  static func replace(
    _ path: String, _ bytes: [UInt8], _ files: FileSystem
  ) throws(DiskSystemError) {
    // No unit has a name with a tilde, so none has this file as its own.
    let name = path.split(separator: "/").last ?? ""
    let fresh = "\(directory(of: path))/~\(name)"
    let file = files.open(fresh, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    guard file >= 0 else { throw failure(fresh, "open", file) }
    var result = files.write(file, bytes, at: 0)
    if result == 0 { result = files.synchronize(file) }
    files.close(file)
    guard result == 0 else {
      _ = files.remove(fresh)
      throw failure(fresh, "write", result)
    }
    result = files.rename(fresh, to: path)
    guard result == 0 else {
      _ = files.remove(fresh)
      throw failure(path, "rename", result)
    }
    try synchronizeDirectory(of: path, files)
  }

  /// Makes the names in the directory of `path` durable.
  static func synchronizeDirectory(
    of path: String, _ files: FileSystem
  ) throws(DiskSystemError) {
    let directory = directory(of: path)
    let file = files.open(directory, flags: O_RDONLY | O_DIRECTORY, mode: 0)
    guard file >= 0 else { throw failure(directory, "open", file) }
    defer { files.close(file) }
    let result = files.synchronize(file)
    guard result == 0 else { throw failure(directory, "fsync", result) }
  }

  private static func directory(of path: String) -> String {
    var path = path[...]
    while path.count > 1, path.last == "/" { path.removeLast() }
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The words for a call that failed.
  static func failure(_ path: String, _ call: String, _ result: Int32) -> DiskSystemError {
    let words = SystemError(errno: -result).description
    switch -result {
    case ENOENT:
      return .state(path: path, reason: "the directory it lies in is missing; make that first")
    case EACCES, EPERM:
      return .state(
        path: path, reason: "this user may not use it; change its mode or owner")
    case ENOTDIR:
      return .state(
        path: path, reason: "a file is where a directory is needed; name another --state")
    default: return .state(path: path, reason: "\(call) failed: \(words)")
    }
  }
}
