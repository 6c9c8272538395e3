import ArgumentParser
import CopyEngine
import Glibc

/// The command line: arguments in, one job of the engine, exit code out.
struct Ecopy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ecopy",
    abstract: "Copies disks to tapes by executing SCSI EXTENDED COPY itself.",
    discussion: """
      A device is a path (file or block device), tape:DIR (a virtual cartridge) or /dev/nst0 (a \
      tape drive), with options behind commas: disk.img,block=512 or tape:DIR,position=7.

      \(ExitStatus.table)
      """,
    version: "0.1.0",
    subcommands: [
      CopyCommand.self, RunCommand.self, ListCommand.self, TapeCommand.self, DoctorCommand.self,
    ])

  /// Does what the arguments say, and ends the process.
  @concurrent
  static func runToExit() async {
    Glibc.exit(await perform(Array(CommandLine.arguments.dropFirst())))
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
      return ExitStatus.of(error.kind)
    } catch let exit as Exit {
      return exit.code
    } catch let exit as ExitCode {
      return exit.rawValue
    } catch {
      return report(error, arguments)
    }
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
    Output.note("\(text) (see ecopy \((verbs + ["--help"]).joined(separator: " ")))")
    return ExitStatus.syntax
  }
}
