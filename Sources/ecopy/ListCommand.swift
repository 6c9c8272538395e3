import ArgumentParser
import ExtendedCopy
import Foundation

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
    do {
      if path == "-" {
        try FileHandle.standardOutput.write(contentsOf: Data(bytes))
      } else {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
      }
    } catch {
      throw fail("\(path): \(reason(error))", ListExit.file)
    }
  }

  private static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    guard let underlying, underlying.domain == NSPOSIXErrorDomain else {
      return error.localizedDescription
    }
    return unsafe String(cString: strerror(CInt(truncatingIfNeeded: underlying.code)))
  }

  /// One line on standard error, and the code to exit with.
  static func fail(_ message: String, _ code: ExitCode) -> ExitCode {
    FileHandle.standardError.write(Data("ecopy: \(message)\n".utf8))
    return code
  }
}
