import ArgumentParser
import CopyEngine

/// `ecopy copy`: whole devices in every direction.
struct CopyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy", abstract: "Copy disks and tapes, in every direction.",
    usage: "ecopy copy [<options>] <source> ... <destination>",
    discussion: """
      A disk goes to a tape in records of --block-size, holes are not read. A tape goes to a disk \
      up to its next filemark, to another tape with all its filemarks. A file that is the \
      destination is made or emptied. Success means that everything is durable.

      A size is 512, 64K, 1MiB (powers of 1024) or 1MB (of 1000). Options of a device stand behind \
      commas: block=, position=, readonly, and for trials fault=, delay=, rate=, stall=, drive=; \
      ecopy help explains them.

      Warning: the image of a disk that is in use is only as consistent as the disk would be after \
      a power cut. Unmount it, freeze it (fsfreeze), or copy a snapshot.

      Examples:
        ecopy copy /dev/sdb tape:/srv/tapes/A00001 --filemark --verify
        ecopy copy tape:/srv/tapes/A00001 restored.img
        ecopy copy --source-offset 1073741824 /dev/sdb tape:/srv/tapes/A00002
        ecopy copy disk.img iscsi://backup%secret@tapes:3260/iqn.2026-11.org.example:drive1/1
      """)

  @Argument(
    help: ArgumentHelp(
      "What to copy, one after another, and last where it goes.", valueName: "device"))
  var devices: [String]

  @Option(
    help: ArgumentHelp(
      "Length of the records on the destination tape; of a source drive, the longest expected. "
        + "(default: 1MiB)", valueName: "size"))
  var blockSize: ByteSize?

  @Option(
    help: ArgumentHelp("Compute a digest on the way: sha256 or crc32c. Can be repeated."))
  var digest: [DigestName] = []

  @Flag(help: "Read the destination back and compare its SHA-256.")
  var verify = false

  @Flag(help: "Write a filemark behind each source.")
  var filemark = false

  @Flag(help: "Write behind the data that the tape holds.")
  var append = false

  @Flag(help: "Lose the data that the tape holds.")
  var overwrite = false

  @Flag(help: "Fill the last record up with zeros instead of writing it short.")
  var pad = false

  @Option(
    help: ArgumentHelp(
      "Byte of the first source to start at, to go on where a tape was full.", valueName: "n"))
  var sourceOffset = ByteSize(0)

  @Option(
    help: ArgumentHelp(
      "Bytes to buffer before a tape drive is started, and again when it ran dry; 0: none.",
      valueName: "size"))
  var startThreshold: ByteSize?

  @Option(
    help:
      "Show progress: auto (a bar on a terminal, else json), json (a line a second), none.")
  var progress = ProgressStyle.auto

  @OptionGroup var engineOptions: EngineOptions
  @OptionGroup var output: FormatOption

  func validate() throws {
    guard devices.count >= 2 else {
      throw ValidationError("name at least one source and the destination")
    }
    if append, overwrite { throw ValidationError("--append and --overwrite exclude each other") }
    if let blockSize, !(1...(1 << 24) - 1).contains(blockSize.bytes) {
      throw ValidationError("--block-size is from 1 to 16777215")
    }
    if let depth = engineOptions.depth, !(1...64).contains(depth) {
      throw ValidationError("--depth is from 1 to 64")
    }
  }

  func run() async throws {
    let engine = try engineOptions.engine(largestRecord: blockSize?.count ?? 0)
    let job = engine.submit(request)
    let display = ProgressDisplay(style: progress, name: devices.last ?? "")
    let report = try await display.result(of: job)
    let printer = CopyPrinter(request: request, report: report)
    switch output.format {
    case .text: printer.printText()
    case .json: Output.line(printer.json)
    }
    if let failure = report.failure {
      Output.note(printer.explanation(of: failure))
      throw Exit(code: ExitStatus.of(failure.kind))
    }
  }

  private var request: CopyRequest {
    var request = CopyRequest(
      from: devices.dropLast().map { DeviceSpecification($0) },
      to: DeviceSpecification(devices.last ?? ""))
    request.recordLength = blockSize?.count
    request.pads = pad
    request.writesFilemark = filemark
    request.existingData = append ? .append : overwrite ? .overwrite : .refuse
    request.sourceOffset = sourceOffset.bytes
    request.digests = Set(digest.map(\.digest))
    request.verifies = verify
    request.startThreshold = startThreshold?.count
    return request
  }
}

/// Names of digests.
enum DigestName: String, ExpressibleByArgument, CaseIterable {
  case sha256, crc32c

  var digest: CopyRequest.Digest {
    switch self {
    case .sha256: .sha256
    case .crc32c: .crc32c
    }
  }
}
