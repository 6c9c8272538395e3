import CopyManager
import Devices
import SCSI
import Transfer
import Uring

extension CopyRun {
  /// Opens sources and destination, and moves tapes to where the copy starts. Nothing of the
  /// destination is changed before everything that can be refused has been.
  func open() async throws(EngineError) {
    guard !request.sources.isEmpty else {
      throw EngineError(.syntax, "no source was named")
    }
    guard recordLength >= 1, recordLength <= context.limits.reservoirBytes / 2 else {
      throw EngineError(
        .illegalRequest,
        "records of \(recordLength) bytes are not possible with an arena of "
          + "\(context.ring.arena.facts.byteCount) bytes; say a smaller --block-size")
    }
    try await refuseContradictions()
    try await refuseCopyOntoItself()
    for specification in request.sources {
      sources.append(try await openSource(specification))
    }
    try await openDestination()
    let total = totalBytes
    context.state.update { $0.totalBytes = total }
  }

  private var totalBytes: UInt64? {
    var total: UInt64 = 0
    for source in sources {
      guard let end = source.end else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(end - source.start)
      if overflow { return nil }
      total = sum
    }
    return total
  }

  /// A file that is the destination is emptied: whoever says --append did not mean that.
  private func refuseContradictions() async throws(EngineError) {
    let destination = try DeviceOptions(request.destination)
    guard !destination.readOnly else {
      throw EngineError(
        .dataProtect,
        "\(request.destination): a destination is written and cannot be readonly; leave that out")
    }
    switch destination.kind {
    case .disk: break
    case .cartridge, .tape: return
    case .remote: if case .tape = try await opener.kind(of: request.destination) { return }
    }
    var options: [String] = []
    if request.existingData == .append { options.append("--append") }
    if request.existingData == .overwrite { options.append("--overwrite") }
    if request.writesFilemark { options.append("--filemark") }
    if request.pads { options.append("--pad") }
    guard !options.isEmpty else { return }
    throw EngineError(
      .contradiction,
      "\(request.destination): \(options.joined(separator: ", ")) "
        + "\(options.count == 1 ? "applies" : "apply") to tapes only, and this is a file or disk; "
        + "leave that out, or name a tape (tape:DIR or /dev/nst0)")
  }

  private func refuseCopyOntoItself() async throws(EngineError) {
    guard let end = await opener.identity(of: request.destination) else { return }
    for source in request.sources where await opener.identity(of: source) == end {
      throw EngineError(
        .contradiction,
        "\(request.destination): is also the source \(source); name another destination")
    }
  }

  private func openSource(_ specification: DeviceSpecification) async throws(EngineError) -> Source
  {
    let device = try await opener.open(specification, for: .copySource)
    let offset = sources.isEmpty ? request.sourceOffset : 0
    switch device {
    case .stream(let tape):
      guard offset == 0 else {
        throw EngineError(
          .illegalRequest,
          "\(specification): a tape has no byte offsets; say position=N, or leave --source-offset out"
        )
      }
      let position = try? await tape.position()
      if let position, position.isEndOfData == true {
        throw EngineError(
          .illegalRequest,
          "\(specification): no data at object \(position.object); "
            + "`ecopy tape list` shows what is on the tape, position=N says where to start")
      }
      return Source(
        name: specification.description, device: device, start: 0, end: nil,
        position: position?.object)
    case .block(let disk):
      let end = disk.blockCount * UInt64(disk.blockLength)
      guard offset <= end else {
        throw EngineError(
          .illegalRequest,
          "\(specification): offset \(offset) lies behind its end at \(end); "
            + "say a smaller --source-offset")
      }
      guard offset % UInt64(disk.blockLength) == 0 else {
        throw EngineError(
          .illegalRequest,
          "\(specification): offset \(offset) is not a multiple of its block "
            + "length \(disk.blockLength); say one that is")
      }
      return Source(name: specification.description, device: device, start: offset, end: end)
    }
  }

  private func openDestination() async throws(EngineError) {
    switch try await opener.kind(of: request.destination) {
    case .tape:
      let device = try await opener.open(request.destination, for: .copyDestination(sized: nil))
      guard case .stream(let tape) = device else {
        preconditionFailure("a tape opens as a stream device")
      }
      guard !tape.isWriteProtected else {
        throw EngineError(
          .dataProtect,
          "\(request.destination): is write-protected; lift the protection, "
            + "or name another tape")
      }
      guard recordLength <= tape.recordLengthMaximum else {
        throw EngineError(
          .illegalRequest,
          "\(request.destination): records have at most "
            + "\(tape.recordLengthMaximum) bytes; say a smaller --block-size")
      }
      try await place(tape)
      destination = .tape(tape)
    case .disk(let exists):
      try await openDisk(exists)
    }
  }

  private func openDisk(_ existing: DeviceOpener.ExistingDisk?) async throws(EngineError) {
    let total = totalBytes
    if let room = existing?.deviceByteCount, let total, total > room {
      throw EngineError(
        .illegalRequest,
        "\(request.destination): has \(room) bytes, the source \(total); "
          + "name a larger disk")
    }
    let sized = await hasHoles ? total : nil
    let device = try await opener.open(request.destination, for: .copyDestination(sized: sized))
    guard case .block(let disk) = device else {
      preconditionFailure("a disk opens as a block device")
    }
    destination = .disk(disk, isFresh: existing?.deviceByteCount == nil && sized != nil)
  }

  /// Whether any source has a hole, so that a fresh file can have it too.
  private var hasHoles: Bool {
    get async {
      for source in sources {
        guard case .block(let disk) = source.device, let end = source.end, source.start < end else {
          continue
        }
        let extent = await disk.extent(at: source.start)
        if extent.isHole || extent.end < end { return true }
      }
      return false
    }
  }

  /// Moves the destination tape to where the copy starts, and refuses to write over data.
  private func place(_ tape: StreamDevice) async throws(EngineError) {
    context.state.update { $0.phase = .positioning }
    switch request.existingData {
    case .append:
      try check(await tape.space(.endOfData, count: 1), tape, "looking for the end of data")
    case .overwrite:
      if !opener.hasPosition(request.destination) {
        try check(await tape.locate(0), tape, "rewinding")
      }
    case .refuse:
      if try await holdsData(tape) {
        throw EngineError(
          .dataProtect,
          "\(request.destination): the tape holds data; "
            + "say --append to write behind it, or --overwrite to lose it")
      }
    }
    firstObject = try await position(of: tape).object
  }

  private func holdsData(_ tape: StreamDevice) async throws(EngineError) -> Bool {
    let start = try await position(of: tape)
    if let isEnd = start.isEndOfData { return !isEnd }
    // A drive only knows when it has looked.
    guard let room = context.ring.arena.allocate(min(tape.recordLengthMaximum, 64 << 10)) else {
      preconditionFailure("a job starts with an empty arena")
    }
    let completion = await tape.read(into: room)
    let condition = completion.status.condition
    try check(await tape.locate(start.object), tape, "going back")
    guard let condition else { return true }
    if condition.key == .blankCheck { return false }
    if condition.filemark || condition.incorrectLength || condition.key == .noSense { return true }
    // The driver of a local drive tells a blank tape by EIO; others name what was not found.
    let tellsBlank = condition.errno != 0 || [0x14, 0x30].contains(condition.additional.code)
    if condition.key == .mediumError, start.isBeginning, tellsBlank { return false }
    throw EngineError(condition, of: tape.name, while: "looking whether the tape holds data")
  }

  func position(of tape: StreamDevice) async throws(EngineError) -> StreamPosition {
    do throws(Condition) {
      return try await tape.position()
    } catch {
      throw EngineError(error, of: tape.name, while: "reading its position")
    }
  }

  func check(
    _ status: DeviceStatus, _ tape: StreamDevice, _ doing: String
  ) throws(EngineError) {
    if let condition = status.condition, !condition.isEarlyWarning {
      throw EngineError(condition, of: tape.name, while: doing)
    }
  }
}
