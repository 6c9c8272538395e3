import ArgumentParser
import CopyEngine

/// `ecopy tape`: virtual cartridges.
struct TapeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tape", abstract: "Make, list, verify, import, export and read cartridges.",
    discussion: """
      A cartridge is a directory: DIR here, tape:DIR where a device is named. Objects are records \
      and filemarks, counted from 0; files are what stands between filemarks, counted from 1.
      """,
    subcommands: [
      TapeCreate.self, TapeList.self, TapeVerify.self, TapeImport.self, TapeExport.self,
      TapeCat.self,
    ])
}

/// The directory of a cartridge, with or without `tape:`.
struct CartridgeArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("The cartridge.", valueName: "dir"))
  var cartridge: String

  var directory: String {
    cartridge.hasPrefix("tape:") ? String(cartridge.dropFirst(5)) : cartridge
  }

  func validate() throws {
    if directory.isEmpty { throw ValidationError("name the directory of the cartridge") }
  }
}

/// An engine for verbs that look at one cartridge; how fast its memory is does not matter to them.
/// Those that read no records need little of it.
func tapeEngine(readsRecords: Bool) throws(EngineError) -> Engine {
  var configuration = Engine.Configuration()
  if !readsRecords { configuration.arenaBytes = 2 << 20 }
  return try Engine(configuration)
}

struct TapeCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make an empty cartridge.")

  @OptionGroup var tape: CartridgeArgument

  @Option(
    help: ArgumentHelp(
      "Most bytes of records; filemarks are free. (default: what the file system holds)",
      valueName: "size"))
  var capacity: ByteSize?

  @Option(
    help: ArgumentHelp(
      "A record that leaves less room than this is written and reports end of medium.",
      valueName: "size"))
  var earlyWarning = ByteSize(0)

  @Flag(help: "Refuse writes from the start.")
  var writeProtect = false

  @OptionGroup var output: FormatOption

  func run() async throws {
    try await tapeEngine(readsRecords: false).createTape(
      at: tape.directory, capacity: capacity?.bytes ?? .max, earlyWarning: earlyWarning.bytes,
      isWriteProtected: writeProtect
    ).result
    switch output.format {
    case .text: Output.line("made tape:\(tape.directory)")
    case .json:
      Output.line(
        .object([
          ("device", .string("tape:" + tape.directory)),
          ("capacity", .optional(capacity?.bytes)), ("earlyWarning", .number(earlyWarning.bytes)),
          ("writeProtected", .bool(writeProtect)),
        ]))
    }
  }
}

struct TapeVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read every record of a cartridge.")

  @OptionGroup var tape: CartridgeArgument
  @OptionGroup var output: FormatOption

  func run() async throws {
    let job = try tapeEngine(readsRecords: true).verifyTape(at: tape.directory)
    let result = try await ProgressDisplay(style: .none, name: tape.directory).result(of: job)
    try result.print(as: output.format, of: tape.directory, done: "read")
  }
}

struct TapeImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Write a tape image onto a cartridge.",
    discussion: "The cartridge is made where there is none.")

  @OptionGroup var tape: CartridgeArgument

  @Argument(help: "The file to import.")
  var file: String

  @OptionGroup var image: ImageOption

  @Option(help: ArgumentHelp("Length of the records of a raw file.", valueName: "size"))
  var blockSize = ByteSize(1 << 20)

  @Flag(help: "Write behind the data that the tape holds.")
  var append = false

  @Flag(help: "Lose the data that the tape holds.")
  var overwrite = false

  @OptionGroup var output: FormatOption

  func validate() throws {
    if append, overwrite { throw ValidationError("--append and --overwrite exclude each other") }
  }

  func run() async throws {
    let job = try tapeEngine(readsRecords: true).importTape(
      from: file, as: image.format(file, recordLength: blockSize.count), to: tape.directory,
      existingData: append ? .append : overwrite ? .overwrite : .refuse)
    let result = try await ProgressDisplay(style: .none, name: file).result(of: job)
    try result.print(as: output.format, of: tape.directory, done: "imported")
  }
}

struct TapeExport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a cartridge into a tape image.")

  @OptionGroup var tape: CartridgeArgument

  @Argument(help: "The file to write.")
  var file: String

  @OptionGroup var image: ImageOption

  @Option(
    name: .customLong("file"),
    help: ArgumentHelp("Only this file of the tape, counted from 1; raw only.", valueName: "n"))
  var number: UInt64?

  @OptionGroup var output: FormatOption

  func run() async throws {
    let format = image.format(file, recordLength: 1)
    if number != nil, format == .simh {
      throw ValidationError("--file goes with --as raw: a SIMH image holds the whole tape")
    }
    let job = try tapeEngine(readsRecords: true).exportTape(
      at: tape.directory, file: number, as: format, to: file)
    let result = try await ProgressDisplay(style: .none, name: file).result(of: job)
    try result.print(as: output.format, of: tape.directory, done: "exported")
  }
}

struct TapeCat: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat", abstract: "Write the bytes of records to standard output.",
    discussion: "With --format json what was written is told on standard error.")

  @OptionGroup var tape: CartridgeArgument

  @Option(
    name: .customLong("file"),
    help: ArgumentHelp("Only this file of the tape, counted from 1.", valueName: "n"))
  var number: UInt64?

  @OptionGroup var output: FormatOption

  func run() async throws {
    let job = try tapeEngine(readsRecords: true).writeTape(at: tape.directory, file: number, to: 1)
    let result = try await ProgressDisplay(style: .none, name: tape.directory).result(of: job)
    if output.format == .json { Output.write(result.json.text + "\n", to: 2) }
    guard let failure = result.failure else { return }
    Output.note(failure.message)
    throw Exit(code: ExitStatus.of(failure.kind))
  }
}

/// How a tape is kept in a file.
struct ImageOption: ParsableArguments {
  enum Name: String, ExpressibleByArgument, CaseIterable { case simh, raw }

  @Option(
    name: .customLong("as"),
    help: "How the file holds the tape. (default: simh where its name ends with .tap, else raw)")
  var name: Name?

  func format(_ file: String, recordLength: Int) -> TapeImageFormat {
    switch name ?? (file.hasSuffix(".tap") ? .simh : .raw) {
    case .simh: .simh
    case .raw: .raw(recordLength: recordLength)
    }
  }
}

extension TapeTransfer {
  var json: JSON {
    .object([
      ("status", .string(failure == nil ? "complete" : "failed")),
      ("records", .number(recordCount)), ("bytes", .number(byteCount)),
      ("filemarks", .number(filemarkCount)),
      ("message", failure.map { .string($0.message) } ?? .null),
    ])
  }

  func print(as format: Format, of directory: String, done: String) throws {
    switch format {
    case .json: Output.line(json)
    case .text:
      Output.line(
        "tape:\(directory): \(done) \(Words.count(recordCount, "record")) with "
          + "\(Words.grouped(byteCount)) bytes, and \(Words.count(filemarkCount, "filemark"))")
    }
    guard let failure else { return }
    Output.note(failure.message)
    throw Exit(code: ExitStatus.of(failure.kind))
  }
}
