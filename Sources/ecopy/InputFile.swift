import CopyEngine
import Glibc

/// A file, or with `-` standard input, read as a whole or up to a length.
enum InputFile {
  static func read(_ path: String, atMost length: Int) throws(EngineError) -> [UInt8] {
    let file = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw error(path, errno) }
    defer { if file != STDIN_FILENO { close(file) } }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < length {
      let count = unsafe Glibc.read(file, &piece, min(piece.count, length - bytes.count))
      if count == 0 { break }
      if count > 0 {
        bytes += piece[..<count]
      } else if errno != EINTR {
        throw error(path, errno)
      }
    }
    return bytes
  }

  private static func error(_ path: String, _ number: Int32) -> EngineError {
    switch number {
    case ENOENT, ENOTDIR:
      EngineError(.file, "\(path): there is no such file; check the name")
    case EISDIR: EngineError(.file, "\(path): is a directory; name a file")
    case EACCES, EPERM:
      EngineError(.file, "\(path): this user may not read it; change its mode or owner")
    default: EngineError(.file, "\(path): \(unsafe String(cString: strerror(number)))")
    }
  }
}
