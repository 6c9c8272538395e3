import DiskSystem
import Glibc
import Uring

/// The file that `--config` names.
struct ConfigurationFile {
  let configuration: Configuration
  /// What is permitted and not wise.
  let warnings: [String]

  /// Reads and checks it, with the files of secrets that it names.
  static func read(
    _ path: String, portals: [SocketAddress]
  ) throws(Failure) -> ConfigurationFile {
    let (bytes, mode) = try load(path)
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    do throws(ConfigurationError) {
      let configuration = try Configuration(
        yaml: bytes, file: path, portals: portals.isEmpty ? nil : portals,
        secrets: { SecretFile.read($0, in: directory.isEmpty ? "/" : directory) })
      let isOpen = configuration.holdsSecrets && mode & 0o077 != 0
      return ConfigurationFile(
        configuration: configuration,
        warnings: isOpen
          ? ["\(path): holds secrets, and others may use it; say: chmod 600 \(path)"] : [])
    } catch {
      throw Failure(code: ExitStatus.syntax, message: error.description)
    }
  }

  private static func load(_ path: String) throws(Failure) -> (bytes: [UInt8], mode: mode_t) {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure(path, errno) }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw failure(path, errno) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    // One byte more than a configuration may have: enough to see that it is too long.
    while bytes.count <= Configuration.byteCountMaximum {
      let count = unsafe Glibc.read(file, &piece, piece.count)
      if count == 0 { break }
      if count > 0 {
        bytes += piece[..<count]
      } else if errno != EINTR {
        throw failure(path, errno)
      }
    }
    return (bytes, status.st_mode)
  }

  private static func failure(_ path: String, _ number: Int32) -> Failure {
    let words =
      switch number {
      case ENOENT, ENOTDIR: "there is no such file; begin with examples/lab.yaml"
      case EISDIR: "is a directory; name a file"
      case EACCES, EPERM: "this user may not read it; change its mode or owner"
      default: unsafe String(cString: strerror(number))
      }
    return Failure(code: ExitStatus.file, message: "\(path): \(words)")
  }
}

/// Why the program ends, and the code it ends with.
struct Failure: Error {
  var code: Int32
  var message: String
}
