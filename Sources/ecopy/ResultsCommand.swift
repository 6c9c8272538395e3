import ArgumentParser
import CopyEngine
import ExtendedCopy
import SCSI

/// `ecopy results`: RECEIVE COPY RESULTS.
struct ResultsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "results", abstract: "Ask a copy manager for its limits, or for results.",
    discussion: """
      Results belong to the initiator port that sent the list; ecopyd forgets them with its session.
      """)

  @Option(help: ArgumentHelp("The logical unit that is asked.", valueName: "url"))
  var target: String

  @Option(help: ArgumentHelp("The copy with this list identifier.", valueName: "n"))
  var listID: UInt32?

  @Flag(help: "The data it held.")
  var data = false

  @Flag(help: "How it failed.")
  var failed = false

  @Flag(name: .customLong("lid4"), help: "It is an EXTENDED COPY(LID4).")
  var isLID4 = false

  @Flag(help: "What the copy manager can do.")
  var limits = false

  @Option(
    help: ArgumentHelp(
      "iSCSI name to log in with; else one made of the host's name.", valueName: "iqn"))
  var initiatorName: String?

  @OptionGroup var output: FormatOption

  func validate() throws {
    guard limits == (listID == nil) else {
      throw ValidationError("say either --list-id N or --limits")
    }
    if data && failed || limits && (data || failed) {
      throw ValidationError("say one of --data, --failed and --limits")
    }
    if failed && isLID4 { throw ValidationError("the status of --lid4 tells how it failed") }
    if let listID, !isLID4, listID > 255 {
      throw ValidationError("--list-id is at most 255 without --lid4")
    }
  }

  func run() async throws {
    var configuration = Engine.Configuration()
    configuration.arenaBytes = 8 << 20
    configuration.initiatorName = initiatorName
    let question: ResultsQuestion =
      listID.map { data ? .data($0) : failed ? .failure($0) : .status($0) } ?? .limits
    let answer = try await Engine(configuration).results(
      of: target, question, serviceAction: isLID4 ? .lid4 : .lid1
    ).result
    let members = answer.members
    switch output.format {
    case .json: Output.line(.object(members))
    case .text:
      for (name, value) in members { Output.line("\(name): \(value.text)") }
    }
  }
}

extension ResultsAnswer {
  /// Field by field.
  var members: [(String, JSON)] {
    switch self {
    case .status(let status):
      [
        ("state", .number(UInt64(status.state.rawValue))),
        ("segmentsProcessed", .number(UInt64(status.segmentsProcessed))),
        ("transferCount", .number(status.transferCount.count)),
        ("transferCountUnits", .number(UInt64(status.transferCount.units))),
        ("heldDataDiscarded", .bool(status.heldDataDiscarded)),
      ]
    case .statusLID4(let status):
      [
        ("state", .number(UInt64(status.state.rawValue))),
        ("completionStatus", .string(status.completionStatus.description)),
        ("segmentsProcessed", .number(UInt64(status.segmentsProcessed))),
        ("transferCount", .number(status.transferCount.count)),
        ("transferCountUnits", .number(UInt64(status.transferCount.units))),
        ("sense", Self.words(status.sense)),
      ]
    case .data(let bytes): [("heldData", .hex(bytes))]
    case .failure(let details):
      [
        ("status", details.map { .string($0.status.description) } ?? .null),
        ("sense", details.map { Self.words($0.sense) } ?? .null),
      ]
    case .limits(let limits):
      [
        ("maximumTargets", .number(UInt64(limits.maximumTargets))),
        ("maximumSegments", .number(UInt64(limits.maximumSegments))),
        ("maximumDescriptorListBytes", .number(UInt64(limits.maximumDescriptorListBytes))),
        ("maximumSegmentBytes", .number(UInt64(limits.maximumSegmentBytes))),
        ("maximumInlineBytes", .number(UInt64(limits.maximumInlineBytes))),
        ("heldDataLimitBytes", .number(UInt64(limits.heldDataLimitBytes))),
        ("maximumStreamTransferBytes", .number(UInt64(limits.maximumStreamTransferBytes))),
        ("totalConcurrentCopies", .number(UInt64(limits.totalConcurrentCopies))),
        ("maximumConcurrentCopies", .number(UInt64(limits.maximumConcurrentCopies))),
        ("typeCodes", .array(limits.typeCodes.map { .string(hexadecimal($0)) })),
      ]
    }
  }

  private static func words(_ sense: [UInt8]) -> JSON {
    (try? SenseData.decode(sense)).map { .string($0.description) } ?? .null
  }
}
