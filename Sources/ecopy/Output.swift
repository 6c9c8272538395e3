import ArgumentParser
import CopyEngine
import Glibc

/// How results are printed.
enum Format: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

/// Where programs and people read.
enum Output {
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
        // Nobody reads any more.
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
  @Option(help: ArgumentHelp("Pinned memory, such as 64MiB.", valueName: "size"))
  var arena = ByteSize(32 << 20)

  @Option(
    help: ArgumentHelp("Reads, or writes to a disk, in flight at once: 1 to 64.", valueName: "n"))
  var depth: Int?

  @Flag(help: "Say what the machine gave.")
  var verbose = false

  func engine() throws(EngineError) -> Engine {
    var configuration = Engine.Configuration()
    configuration.arenaBytes = arena.count
    configuration.depth = depth
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
