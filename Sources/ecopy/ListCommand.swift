import ArgumentParser
import ExtendedCopy
import Glibc

/// `ecopy list`: parameter lists as bytes and as text.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Show and write parameter lists of EXTENDED COPY.",
    subcommands: [ListDecode.self, ListEncode.self])
}

/// The exit codes of `ecopy list`, those of sg3_utils.
enum ListExit {
  /// The YAML, or the command line, is not understood.
  static let syntax = ExitCode(1)
  /// The list is one that a copy manager refuses with ILLEGAL REQUEST.
  static let illegalRequest = ExitCode(5)
  /// A file cannot be read or written.
  static let file = ExitCode(15)
}

/// The files of `ecopy list`.
enum ListFile {
  /// No list that is accepted is longer: inline data, descriptors, and the header.
  static let maximumLength =
    ListLimits.standardInlineBytes + ListLimits.standardDescriptorListBytes + 48

  /// The bytes of the file at `path`, or of standard input for `-`.
  static func read(_ path: String) throws -> [UInt8] {
    // One byte more than is accepted, so that a longer file is refused for its length and not read whole.
    try InputFile.read(path, atMost: maximumLength + 1)
  }

  /// Writes `bytes` to the file at `path`, or to standard output for `-`.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let file =
      path == "-"
      ? STDOUT_FILENO : unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw fail("\(path): \(reason(errno))", ListExit.file) }
    defer { if file != STDOUT_FILENO { close(file) } }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        let name = path == "-" ? "standard output" : path
        throw fail("\(name): \(reason(errno))", ListExit.file)
      }
    }
  }

  private static func reason(_ number: Int32) -> String {
    switch number {
    case ENOENT: "the directory it is to be made in is missing; make that first"
    case EISDIR: "is a directory; name a file"
    case EACCES, EPERM: "this user may not write it; change its mode or owner"
    default: unsafe String(cString: strerror(number))
    }
  }

  /// One line on standard error, and the code to exit with.
  static func fail(_ message: String, _ code: ExitCode) -> ExitCode {
    Output.note(message)
    return code
  }
}
