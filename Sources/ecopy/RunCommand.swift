import ArgumentParser
import CopyEngine
import ExtendedCopy
import SCSI

/// `ecopy run`: a parameter list of EXTENDED COPY.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Execute a parameter list of EXTENDED COPY.",
    discussion: """
      Devices are found by what the descriptors of the list name: naa= for an NAA designator, \
      wwn= with lun= for a port name and LUN; or by the number of a descriptor. A descriptor that nothing matches is unreachable.

      A list writes where the tape stands: at object 0 unless position= says otherwise. What the \
      tape holds from there on is lost, without a further question.

      Options of a device: block=N, naa=HEX, wwn=HEX, lun=N, position=N or position=end (where a \
      cartridge stands at the start, in records and filemarks), readonly. A comma in a name is \
      written twice.

      Examples:
        ecopy run list.bin --device disk.img,block=512,naa=600140500000000000000000000d15c0 \\
          --device tape:DIR,naa=500140500000ca55
        ecopy run list.bin --cscd 0=disk.img --cscd 1=tape:DIR --format json
        ecopy run list.bin --cscd 0=disk.img --cscd 1=iscsi://tapes/iqn.2026-11.org.example:drive1/1
      """)

  @Argument(help: ArgumentHelp("The file that holds the list.", valueName: "list.bin"))
  var list: String

  @Flag(name: .customLong("lid4"), help: "The list belongs to EXTENDED COPY(LID4).")
  var isLID4 = false

  @Option(
    name: .customLong("device"), parsing: .singleValue,
    help: ArgumentHelp("A device that descriptors name.", valueName: "device,option…"))
  var devices: [DeviceArgument] = []

  @Option(
    name: .customLong("cscd"), parsing: .singleValue,
    help: ArgumentHelp("A device for the descriptor with this number.", valueName: "n=device"))
  var descriptors: [DescriptorArgument] = []

  @Option(
    help:
      "Show progress: auto (a bar on a terminal, else json), json (a line a second), none.")
  var progress = ProgressStyle.auto

  @OptionGroup var engineOptions: EngineOptions
  @OptionGroup var output: FormatOption

  func run() async throws {
    let bytes = try InputFile.read(list, atMost: ListFile.maximumLength + 1)
    let request = ListRequest(
      bytes, serviceAction: isLID4 ? .lid4 : .lid1,
      devices: devices.map(\.binding) + descriptors.map(\.binding))
    let job = try engineOptions.engine(largestRecord: request.largestTransfer).submit(request)
    let report = try await ProgressDisplay(style: progress, name: list).result(of: job)
    switch output.format {
    case .json: Output.line(report.json)
    case .text: report.printText()
    }
    guard report.status != .good else { return }
    guard report.status != .taskAborted else {
      Output.note("\(list): stopped as asked")
      throw Exit(code: ExitStatus.of(.cancelled))
    }
    Output.note("\(list): \(report.message ?? "\(report.status)")")
    throw Exit(code: ExitStatus.of(report.status, report.sense))
  }
}

/// The value of `--device`.
struct DeviceArgument: ExpressibleByArgument {
  var binding: ListRequest.Binding
  init?(argument: String) { binding = .init(DeviceSpecification(argument)) }
}

/// The value of `--cscd`.
struct DescriptorArgument: ExpressibleByArgument {
  var binding: ListRequest.Binding

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), let number = UInt16(argument[..<equals]) else {
      return nil
    }
    let device = argument[argument.index(after: equals)...]
    guard !device.isEmpty else { return nil }
    binding = .init(DeviceSpecification(String(device)), descriptor: Int(number))
  }
}

extension ListReport {
  /// What RECEIVE COPY RESULTS would tell, and what it cost.
  var json: JSON {
    var members: [(String, JSON)] = [
      ("status", .number(UInt64(status.rawValue))), ("sense", .hex(sense?.fixedBytes() ?? [])),
      ("message", message.map { .string($0) } ?? .null),
      ("listID", .number(UInt64(listIdentifier))), ("heldData", .hex(heldData)),
      ("heldDataDiscarded", .bool(heldDataDiscarded)),
      ("segmentsProcessed", .count(segmentsProcessed)),
    ]
    members += counters.members
    members += [
      ("seconds", .real(seconds)),
      (
        "devices",
        .array(
          devices.map { device in
            .object([
              ("device", .string(device.device.name)), ("position", .optional(device.position)),
            ])
          })
      ),
      ("arena", arena.json),
    ]
    return .object(members)
  }

  func printText() {
    let failed = status == .good || segmentsProcessed == 0 ? "" : ", the last one failed"
    Output.line("\(status): \(Words.count(UInt64(segmentsProcessed), "segment"))\(failed)")
    Output.line(
      "\(Words.grouped(counters.bytesRead)) bytes read, \(Words.grouped(counters.bytesWritten)) "
        + "written in \(Words.decimal(seconds, 2)) s; "
        + "\(Words.grouped(counters.payloadBytesCopied)) payload bytes copied in user space")
    for device in devices {
      if let position = device.position {
        Output.line("\(device.device.name) stands at object \(position)")
      }
    }
    if !heldData.isEmpty {
      Output.line(
        "held data\(heldDataDiscarded ? ", older bytes were discarded" : ""): \(Words.hex(heldData))"
      )
    }
    if let sense { Output.line("sense \(Words.hex(sense.fixedBytes()))") }
  }
}
