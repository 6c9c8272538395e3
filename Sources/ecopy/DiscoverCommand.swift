import ArgumentParser
import CopyEngine

/// `ecopy discover`: what targets a portal offers.
struct DiscoverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discover", abstract: "List the iSCSI targets that a portal offers.",
    discussion: """
      Each line is a target and where it is reached. Behind iscsi://HOST/TARGET/ comes the number of \
      a logical unit.

      Examples:
        ecopy discover tapes.example.org
        ecopy discover backup%secret@192.0.2.7:3260 --format json
      """)

  @Argument(
    help: ArgumentHelp(
      "The portal; port 3260 where none is said.", valueName: "[user%password@]host[:port]"))
  var portal: String

  @Option(
    help: ArgumentHelp(
      "iSCSI name to log in with; else one made of the host's name.", valueName: "iqn"))
  var initiatorName: String?

  @OptionGroup var output: FormatOption

  func run() async throws {
    var configuration = Engine.Configuration()
    // Logins need a few pages.
    configuration.arenaBytes = 2 << 20
    configuration.initiatorName = initiatorName
    let engine = try Engine(configuration)
    let targets = try await engine.discover(portal).result
    switch output.format {
    case .text:
      for target in targets {
        Output.line(([target.name] + target.addresses).joined(separator: " "))
      }
    case .json:
      Output.line(
        .object([
          ("status", .string("complete")),
          (
            "targets",
            .array(
              targets.map {
                .object([
                  ("name", .string($0.name)),
                  ("addresses", .array($0.addresses.map { .string($0) })),
                ])
              })
          ),
        ]))
    }
  }
}
