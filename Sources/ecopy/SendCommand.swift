import ArgumentParser
import CopyEngine
import ExtendedCopy
import SCSI

/// `ecopy send`: plays the backup server.
struct SendCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send", abstract: "Send a parameter list to the copy manager of a disk system.",
    discussion: """
      Waits for as long as the copy takes. SIGINT ends it with COPY OPERATION ABORT, or with ABORT \
      TASK where the list has no identifier.

      Examples:
        ecopy send list.bin --target iscsi://disks.example.org/iqn.2026-11.org.example:disks/0
        ecopy send list.yaml --target iscsi://192.0.2.7/iqn.2026-11.org.example:disks/0
      """)

  @Argument(
    help: ArgumentHelp(
      "The list as bytes, or with .yaml or .json as encode reads it.", valueName: "list"))
  var list: String

  @Option(help: ArgumentHelp("The logical unit that gets it.", valueName: "url"))
  var target: String

  @Flag(name: .customLong("lid4"), help: "The bytes belong to EXTENDED COPY(LID4).")
  var isLID4 = false

  @Option(
    help: ArgumentHelp(
      "iSCSI name to log in with; else one made of the host's name.", valueName: "iqn"))
  var initiatorName: String?

  @Option(
    help:
      "Show progress: auto (a bar on a terminal, else json), json (a line a second), none.")
  var progress = ProgressStyle.auto

  @OptionGroup var output: FormatOption

  func run() async throws {
    let (bytes, action) = try read()
    var configuration = Engine.Configuration()
    configuration.initiatorName = initiatorName
    configuration.log = { if $0.isWarning { Output.note($0.text) } }
    let job = try Engine(configuration).send(
      SendRequest(bytes, serviceAction: action, to: target))
    let report = try await ProgressDisplay(style: progress, name: list).result(of: job)
    switch output.format {
    case .json: Output.line(report.json)
    case .text: report.printText()
    }
    guard report.status != .good else { return }
    if report.status == .taskAborted {
      Output.note("\(list): stopped as asked")
      throw Exit(code: ExitStatus.of(.cancelled))
    }
    Output.note("\(list): \(report.sense.map { "\($0)" } ?? "\(report.status)")")
    throw Exit(code: ExitStatus.of(report.status, report.sense))
  }

  private func read() throws -> ([UInt8], ServiceAction) {
    let bytes = try ListFile.read(list)
    guard [".yaml", ".yml", ".json"].contains(where: list.hasSuffix) else {
      return (bytes, isLID4 ? .lid4 : .lid1)
    }
    do throws(ListDocumentError) {
      let (list, format) = try ListDocument.parse(String(decoding: bytes, as: UTF8.self))
      return (list, format == .lid4 ? .lid4 : .lid1)
    } catch {
      throw ListFile.fail(
        "\(list):\(error.line):\(error.column): \(error.message)",
        error.isRefusal ? ListExit.illegalRequest : ListExit.syntax)
    }
  }
}

extension SendReport {
  var json: JSON {
    .object([
      ("status", .number(UInt64(status.rawValue))), ("sense", .hex(sense?.fixedBytes() ?? [])),
      ("message", sense.map { .string("\($0)") } ?? .null),
      ("segmentsProcessed", segmentsProcessed.map { .count($0) } ?? .null),
      ("bytesCopied", .optional(bytesCopied)), ("sentBytes", .count(sentBytes)),
      ("receivedBytes", .count(receivedBytes)), ("seconds", .real(seconds)),
    ])
  }

  func printText() {
    var text = status.description
    if let segmentsProcessed { text += ": \(Words.count(UInt64(segmentsProcessed), "segment"))" }
    if let bytesCopied { text += ", \(Words.grouped(bytesCopied)) bytes copied" }
    Output.line(text)
    Output.line(
      "sent \(Words.grouped(UInt64(sentBytes))) bytes, received "
        + "\(Words.grouped(UInt64(receivedBytes))) bytes on the server's connection")
  }
}
