import Glibc

extension SecretFile {
  /// Reads the file of a secret, which nobody but its owner may read or write. A relative `path` is
  /// taken from `directory`. Blocks.
  public static func read(_ path: String, in directory: String) -> SecretFile {
    let full = path.hasPrefix("/") ? path : "\(directory)/\(path)"
    let file = unsafe open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      let words = unsafe String(cString: strerror(errno))
      return .refused("\(full): \(words); make it with: openssl rand -hex 16 > \(path)")
    }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return .refused("\(full): is not a file")
    }
    guard status.st_mode & 0o077 == 0 else {
      return .refused("\(full): others may use it; say: chmod 600 \(full)")
    }
    // One byte more than a secret with a line feed: enough to see that it is too long.
    var bytes = [UInt8](repeating: 0, count: Secret.byteCountMaximum + 2)
    let count = unsafe Glibc.read(file, &bytes, bytes.count)
    guard count >= 0 else {
      return .refused("\(full): \(unsafe String(cString: strerror(errno)))")
    }
    return .bytes(Array(bytes[..<count]))
  }
}
