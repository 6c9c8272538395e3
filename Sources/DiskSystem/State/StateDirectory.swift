import Digests
import Glibc
import Uring

/// The directory in which a disk system keeps what it makes itself: files of units, who it is, and
/// persistent reservations. One process at a time uses it.
///
///     lock           held while a process uses the directory; its text is the process's number
///     identity       32 hexadecimal digits, made once: names of units are derived from them
///     reservations/  a file for each unit whose reservations outlive a power loss
final class StateDirectory: Sendable {
  let path: String
  private let lock: Int32
  private let identity: [UInt8]
  private let files: FileSystem

  /// Bytes of the seed of all names.
  static let identityByteCount = 16
  /// No file of reservations is longer: 1024 registrations with names of the greatest length fit.
  static let reservationsByteCountMaximum = 1 << 20

  /// Makes what is missing and takes the lock. Blocks.
  static func open(_ path: String, _ files: FileSystem) -> Result<StateDirectory, DiskSystemError> {
    do throws(DiskSystemError) {
      try make(path, files)
      try make(path + "/reservations", files)
      let lock = try takeLock(path + "/lock", files)
      do throws(DiskSystemError) {
        let identity = try readIdentity(path + "/identity", files)
        return .success(
          StateDirectory(path: path, lock: lock, identity: identity, files: files))
      } catch {
        files.close(lock)
        throw error
      }
    } catch {
      return .failure(error)
    }
  }

  private init(path: String, lock: Int32, identity: [UInt8], files: FileSystem) {
    self.path = path
    self.lock = lock
    self.identity = identity
    self.files = files
  }

  /// Gives the lock back. Blocks.
  func close() {
    _ = files.truncate(lock, to: 0)
    files.close(lock)
  }

  /// Where a file of a unit lies.
  func place(of file: String) -> String { file.hasPrefix("/") ? file : "\(path)/\(file)" }

  /// 64 bits that belong to the unit `name` of this directory, always the same.
  func number(of name: String) -> UInt64 {
    var digest = SHA256()
    let bytes = identity + Array(name.utf8)
    unsafe bytes.withUnsafeBytes { unsafe digest.update($0) }
    return digest.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  // MARK: Reservations

  /// The reservations of a unit as they were stored last; nil where none were. Blocks.
  func reservations(of unit: String) throws(DiskSystemError) -> [UInt8]? {
    let file = reservationsPath(unit)
    let bytes = try Self.read(file, Self.reservationsByteCountMaximum + 1, files)
    guard let bytes, bytes.count <= Self.reservationsByteCountMaximum else {
      guard bytes == nil else {
        throw .state(path: file, reason: "is longer than any file of reservations; remove it")
      }
      return nil
    }
    return bytes
  }

  /// Stores the reservations of a unit, or with nil removes them; durable when it returns true.
  /// Blocks.
  func store(reservations bytes: [UInt8]?, of unit: String) -> Bool {
    let file = reservationsPath(unit)
    guard let bytes else {
      let removed = files.remove(file)
      return (removed == 0 || removed == -ENOENT) && synchronizeDirectory(of: file)
    }
    do throws(DiskSystemError) {
      try Self.replace(file, bytes, files)
    } catch {
      return false
    }
    return synchronizeDirectory(of: file)
  }

  private func reservationsPath(_ unit: String) -> String { "\(path)/reservations/\(unit)" }

  private func synchronizeDirectory(of file: String) -> Bool {
    let directory = files.open("\(path)/reservations", flags: O_RDONLY | O_DIRECTORY, mode: 0)
    guard directory >= 0 else { return false }
    defer { files.close(directory) }
    return files.synchronize(directory) == 0
  }

  // MARK: Files

  private static func make(_ path: String, _ files: FileSystem) throws(DiskSystemError) {
    let made = files.makeDirectory(path, mode: 0o700)
    guard made < 0, made != -EEXIST else { return }
    throw failure(path, "mkdir", made)
  }

  private static func takeLock(
    _ path: String, _ files: FileSystem
  ) throws(DiskSystemError) -> Int32 {
    let file = files.open(path, flags: O_RDWR | O_CREAT, mode: 0o600)
    guard file >= 0 else { throw failure(path, "open", file) }
    guard files.lock(file) == 0 else {
      let holder = try? files.read(file, count: 16, at: 0)
      files.close(file)
      let number = String(decoding: (holder ?? []).prefix { 0x30...0x39 ~= $0 }, as: UTF8.self)
      throw .stateInUse(path: path, process: number)
    }
    _ = files.truncate(file, to: 0)
    _ = files.write(file, Array("\(getpid())\n".utf8), at: 0)
    return file
  }

  private static func readIdentity(
    _ path: String, _ files: FileSystem
  ) throws(DiskSystemError) -> [UInt8] {
    guard let text = try read(path, 64, files) else {
      var random = SystemRandomNumberGenerator()
      let seed = (0..<identityByteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
      try replace(path, Array((hexadecimal(seed) + "\n").utf8), files)
      return seed
    }
    let digits = text.last == 0x0A ? text.dropLast() : text[...]
    let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count == 2 * identityByteCount, values.count == digits.count else {
      throw .state(
        path: path,
        reason: "is not \(2 * identityByteCount) hexadecimal digits; restore it from a backup, "
          + "or remove it and let initiators find new units")
    }
    return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Up to `count` bytes of a file; nil where there is none.
  private static func read(
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

  /// Writes a file anew: after a power loss it is the old one or the new one.
  private static func replace(
    _ path: String, _ bytes: [UInt8], _ files: FileSystem
  ) throws(DiskSystemError) {
    let fresh = path + ".new"
    let file = files.open(fresh, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    guard file >= 0 else { throw failure(fresh, "open", file) }
    var result = files.write(file, bytes, at: 0)
    if result == 0 { result = files.synchronize(file) }
    files.close(file)
    guard result == 0 else { throw failure(fresh, "write", result) }
    result = files.rename(fresh, to: path)
    guard result == 0 else { throw failure(path, "rename", result) }
  }

  private static func failure(_ path: String, _ call: String, _ result: Int32) -> DiskSystemError {
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
