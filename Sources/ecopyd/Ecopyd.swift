import ArgumentParser
import DiskSystem
import Glibc
import Uring

/// The command line of the daemon: configuration in, disks on the network, exit code out.
struct Ecopyd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ecopyd",
    abstract: "Serves disks over iSCSI, on io_uring.",
    discussion: """
      The configuration says where to listen, which files or devices are logical units, and which \
      initiators may log in to them; examples/lab.yaml shows every part of it. The state directory \
      holds what the program makes itself: files of units, their names and their reservations.

      When it is ready it prints a line for each address: ecopyd: listening on ADDR:PORT. What \
      happens then is told on standard error, a line for each event. SIGINT and SIGTERM close the \
      sessions, flush every unit and end the program; a second one ends it at once.

      \(ExitStatus.table)
      """,
    version: "0.1.0")

  @Option(help: ArgumentHelp("The configuration, in YAML.", valueName: "file"))
  var config: String

  @Option(
    help: ArgumentHelp(
      "Directory of what the program keeps; made where there is none.", valueName: "dir"))
  var state: String?

  @Option(
    help: ArgumentHelp(
      "Listen here instead of at the portals of the configuration; may be given several times. "
        + "Port 0 takes a free one.", valueName: "addr:port"))
  var listen: [PortalArgument] = []

  @Flag(help: "Check the configuration, say what it means, and end.")
  var check = false

  @Flag(help: "Say what the machine gave, and more about each session.")
  var verbose = false

  func validate() throws {
    if state == nil, !check {
      throw ValidationError("Missing expected argument '--state <dir>'")
    }
    let fixed = listen.map(\.address).filter { $0.port != 0 }
    if Set(fixed).count < fixed.count {
      throw ValidationError("The same address stands twice behind '--listen <addr:port>'")
    }
  }

  func run() async throws {
    let file = try ConfigurationFile.read(config, portals: listen.map(\.address))
    for warning in file.warnings { Output.note("warning: \(warning)") }
    if check {
      for line in file.configuration.summary { Output.line(line) }
      return
    }
    guard let state else { return }
    DescriptorLimit.raise()
    let isVerbose = verbose
    let system = DiskSystem(file.configuration, state: state) { event in
      switch event.kind {
      case .warning: Output.note("warning: \(event.text)")
      case .event: Output.note(event.text)
      case .detail: if isVerbose { Output.note(event.text) }
      }
    }
    let manager = ServiceManager()
    let addresses: [SocketAddress]
    do {
      addresses = try await system.start()
    } catch {
      manager?.tell(["STATUS=\(error)"])
      throw error
    }
    for address in addresses { Output.line("ecopyd: listening on \(address)") }
    await Self.tellReady(manager, system, file.configuration, addresses)
    await Signals.stopRequest()
    Output.note("stopping")
    manager?.tell(["STOPPING=1", "STATUS=closing sessions and flushing units"])
    guard await system.stop() else { throw Failure(code: 98, message: "not all was flushed") }
    Output.note("stopped")
  }

  private static func tellReady(
    _ manager: ServiceManager?, _ system: DiskSystem, _ configuration: Configuration,
    _ addresses: [SocketAddress]
  ) async {
    guard let manager else { return }
    let units = configuration.units.count
    let status =
      "STATUS=serving \(units) \(units == 1 ? "unit" : "units") at "
      + addresses.map(\.description).joined(separator: ", ")
    manager.tell(["READY=1", status])
    guard let microseconds = ServiceManager.watchdogMicroseconds else { return }
    // Twice as often as it must be. A beat that waited for the manager would stop what it watches.
    let milliseconds = min(max(1, microseconds / 2000), 1 << 32)
    await system.beat(everyNanoseconds: milliseconds * 1_000_000) { sessions in
      manager.tell(
        ["WATCHDOG=1", "\(status), \(sessions) \(sessions == 1 ? "session" : "sessions")"],
        waits: false)
    }
  }

  /// Does what the arguments say, and ends the process.
  @concurrent
  static func runToExit() async {
    Glibc.exit(await perform(Array(CommandLine.arguments.dropFirst())))
  }

  private static func perform(_ arguments: [String]) async -> Int32 {
    do {
      guard var command = try parseAsRoot(arguments) as? any AsyncParsableCommand else {
        return report(CleanExit.helpRequest())
      }
      try await command.run()
      return 0
    } catch let failure as Failure {
      Output.note(failure.message)
      return failure.code
    } catch let error as DiskSystemError {
      Output.note(error.description)
      return ExitStatus.of(error)
    } catch {
      return report(error)
    }
  }

  /// What the parser throws: help, a version, or a mistake.
  private static func report(_ error: any Error) -> Int32 {
    if exitCode(for: error) == .success {
      Output.line(fullMessage(for: error))
      return 0
    }
    let text = message(for: error).split(separator: "\n").joined(separator: " ")
    Output.note("\(text) (see ecopyd --help)")
    return ExitStatus.syntax
  }
}

/// The address of a portal as an argument.
struct PortalArgument: ExpressibleByArgument {
  let address: SocketAddress

  init?(argument: String) {
    guard let address = SocketAddress(portal: argument) else { return nil }
    self.address = address
  }
}
