import ArgumentParser
import CopyEngine
import Glibc
import Synchronization

/// How results are printed.
enum Format: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

/// Where programs and people read.
enum Output {
  private static let failed = Atomic<Int32>(0)

  /// Why not everything could be written to standard output; nil where it could.
  static var failure: String? {
    let number = failed.load(ordering: .relaxed)
    return number == 0 ? nil : unsafe String(cString: strerror(number))
  }

  /// Keeps files that are opened later away from the numbers of the standard streams that the
  /// caller closed; writing to one stays an error.
  static func occupyClosedStreams() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) < 0 {
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// A line on standard output.
  static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
  static func line(_ json: JSON) { line(json.text) }

  /// A line on standard error.
  static func note(_ text: String) { write("ecopy: \(text)\n", to: STDERR_FILENO) }

  static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
      }
      if written < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        // A reader that has seen enough, as head, is no failure.
        if descriptor == STDOUT_FILENO, errno != EPIPE { failed.store(errno, ordering: .relaxed) }
        return
      }
      bytes = bytes.dropFirst(written)
    }
  }
}

/// Options of every verb.
struct FormatOption: ParsableArguments {
  @Option(help: "Print the result as text or as JSON.")
  var format = Format.text
}

/// Options of verbs that move data.
struct EngineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Pinned memory, such as 1GiB; else 32MiB, or what may be locked.", valueName: "size"))
  var arena: ByteSize?

  @Option(
    help: ArgumentHelp("Reads, or writes to a disk, in flight at once: 1 to 64.", valueName: "n"))
  var depth: Int?

  @Option(
    help: ArgumentHelp(
      "iSCSI name to log in with; else one made of the host's name.", valueName: "iqn"))
  var initiatorName: String?

  @Flag(help: "Say what the machine gave.")
  var verbose = false

  func engine(largestRecord: Int) throws(EngineError) -> Engine {
    var configuration = Engine.Configuration()
    configuration.arenaBytes = arena?.count
    configuration.largestRecord = largestRecord
    configuration.depth = depth
    configuration.initiatorName = initiatorName
    let isVerbose = verbose
    configuration.log = { line in
      if line.isWarning {
        Output.note("warning: " + line.text)
      } else if isVerbose {
        Output.note(line.text)
      }
    }
    return try Engine(configuration)
  }
}
