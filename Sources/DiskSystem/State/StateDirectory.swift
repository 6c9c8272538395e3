import Digests
import Glibc
import Uring

/// The directory in which a disk system keeps what it makes itself: files of units, who it is, and
/// persistent reservations. One process at a time uses it.
///
///     lock           held while a process uses the directory; its text is the process's number
///     identity       32 hexadecimal digits, made once: names of units are derived from them
///     ports          a line for each target port there ever was, with its relative identifier
///     reservations/  a file for each unit whose reservations outlive a power loss
///     units/         a file for each unit that is a file, with the name of that file
final class StateDirectory: Sendable {
  let path: String
  private let lock: Int32
  private let identity: [UInt8]
  let files: FileSystem

  /// Bytes of the seed of all names.
  static let identityByteCount = 16
  /// What it keeps for itself: no file of a unit has such a name.
  static let ownNames: Set<String> = ["lock", "identity", "ports", "reservations", "units"]

  /// Makes what is missing and takes the lock. Blocks.
  static func open(_ path: String, _ files: FileSystem) -> Result<StateDirectory, DiskSystemError> {
    do throws(DiskSystemError) {
      if try make(path, files) { try synchronizeDirectory(of: path, files) }
      for name in ["reservations", "units"] { _ = try make("\(path)/\(name)", files) }
      let lock = try takeLock(path + "/lock", files)
      do throws(DiskSystemError) {
        try synchronizeDirectory(of: path + "/lock", files)
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

  /// What initiator ports log in as where nothing else is said: of this directory alone, because two
  /// systems of one name would end each other's sessions (RFC 7143 6.3.5).
  var initiatorName: String {
    // No unit has an empty name.
    "iqn.2026-11.org.ecopy:system-" + String(number(of: ""), radix: 16)
  }

  // MARK: Opening

  /// Whether it made the directory.
  private static func make(_ path: String, _ files: FileSystem) throws(DiskSystemError) -> Bool {
    let made = files.makeDirectory(path, mode: 0o700)
    guard made == 0 || made == -EEXIST else { throw failure(path, "mkdir", made) }
    return made == 0
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
}
