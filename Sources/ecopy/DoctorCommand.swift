import ArgumentParser
import CopyEngine

/// `ecopy doctor`: what this machine gives to the engine.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what this machine gives, and how to mend what it does not.",
    discussion: "Exit code 0 where everything that is needed is there, else 1.")

  @Argument(help: "A file, device or directory whose direct I/O is looked at.")
  var path = "."

  @Option(help: ArgumentHelp("Pinned memory that is wanted.", valueName: "size"))
  var arena = ByteSize(32 << 20)

  @OptionGroup var output: FormatOption

  func run() async throws {
    let findings = await Diagnosis.examine(path: path, arenaBytes: arena.count)
    switch output.format {
    case .text:
      for finding in findings {
        let verdict = finding.verdict.rawValue
        Output.line("\(verdict)  \(finding.subject): \(finding.found)")
        if let fix = finding.fix { Output.line("      \(fix)") }
      }
    case .json:
      Output.line(
        .object([
          ("ok", .bool(!findings.contains { $0.verdict == .fail })),
          (
            "findings",
            .array(
              findings.map {
                .object([
                  ("verdict", .string($0.verdict.rawValue)), ("subject", .string($0.subject)),
                  ("found", .string($0.found)), ("fix", $0.fix.map { .string($0) } ?? .null),
                ])
              })
          ),
        ]))
    }
    if findings.contains(where: { $0.verdict == .fail }) { throw Exit(code: 1) }
  }
}
