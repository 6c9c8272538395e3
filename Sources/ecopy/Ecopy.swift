import ArgumentParser
import CopyEngine
import Glibc

/// The command line: arguments in, one job of the engine, exit code out.
struct Ecopy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ecopy",
    abstract: "Copies disks to tapes by executing SCSI EXTENDED COPY itself.",
    discussion: """
      A device is a path (file or block device), tape:DIR (a virtual cartridge), /dev/nst0 (a \
      tape drive) or iscsi://[user%password@]host[:port]/target/lun (a disk or tape drive of another \
      machine), with options behind commas: disk.img,block=512 or tape:DIR,position=7.

      A size is a number of bytes: 512, 64K or 64KiB (powers of 1024), 64kB (of 1000), up to P.

      OPTIONS OF A DEVICE
        block=SIZE           bytes of a block of a disk
        position=N           object at which a cartridge, or a tape over iSCSI, stands;
                             position=end: behind its data
        naa=HEX, wwn=HEX, lun=N  what descriptors of a list name it by
        readonly             refuse writes
        drive=lto-9          the timing of a tape drive, or its speeds: drive=400MB/177MB
        rate=400MB           at most so many bytes a second
        delay=5ms            longer for each operation
        stall=2s/10s         nothing in the last 2 of every 10 seconds
        fault=KIND@PLACE     goes wrong at a block or object; with /once behind it once only

      OPTIONS OF A URL, as in iscsi://…/1?header-digest=crc32c&data-digest=crc32c
        header-digest=crc32c, data-digest=crc32c  checksums on the way
        target-user=NAME, target-password=SECRET  who the target has to prove to be (mutual CHAP)

      \(ExitStatus.table)
      """,
    version: "0.1.0",
    subcommands: [
      CopyCommand.self, RunCommand.self, SendCommand.self, ResultsCommand.self, ListCommand.self,
      TapeCommand.self, DiscoverCommand.self, DoctorCommand.self,
    ])

  /// Does what the arguments say, and ends the process.
  @concurrent
  static func runToExit() async {
    var code = await perform(Array(CommandLine.arguments.dropFirst()))
    if let failure = Output.failure {
      Output.note("standard output: \(failure)")
      if code == 0 { code = ExitStatus.of(.file) }
    }
    Glibc.exit(code)
  }

  private static func perform(_ arguments: [String]) async -> Int32 {
    do {
      var command = try parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return 0
    } catch let error as EngineError {
      Output.note(error.message)
      tellJSON(arguments, error.kind == .cancelled ? "cancelled" : "failed", error.message)
      return ExitStatus.of(error.kind)
    } catch let exit as Exit {
      return exit.code
    } catch let exit as ExitCode {
      return exit.rawValue
    } catch {
      return report(error, arguments)
    }
  }

  /// With --format json a program also reads why a copy or a verb of cartridges did not begin.
  private static func tellJSON(_ arguments: [String], _ status: String, _ message: String) {
    let verbs = ["copy", "tape", "discover", "send", "results"]
    guard let verb = arguments.first, verbs.contains(verb) else { return }
    let isAsked =
      arguments.contains("--format=json")
      || zip(arguments, arguments.dropFirst()).contains { $0 == "--format" && $1 == "json" }
    guard isAsked else { return }
    let object = JSON.object([("status", .string(status)), ("message", .string(message))])
    let isData = arguments.dropFirst().first == "cat"
    Output.write(object.text + "\n", to: isData ? STDERR_FILENO : STDOUT_FILENO)
  }

  /// What the parser throws: help, a version, or a mistake.
  private static func report(_ error: any Error, _ arguments: [String]) -> Int32 {
    if exitCode(for: error) == .success {
      Output.line(fullMessage(for: error))
      return 0
    }
    let verbs = arguments.prefix { !$0.hasPrefix("-") }.prefix(
      ["tape", "list"].contains(arguments.first) ? 2 : 1)
    let text = message(for: error).split(separator: "\n").joined(separator: " ")
    tellJSON(arguments, "failed", text)
    Output.note("\(text) (see ecopy \((verbs + ["--help"]).joined(separator: " ")))")
    return ExitStatus.syntax
  }
}
