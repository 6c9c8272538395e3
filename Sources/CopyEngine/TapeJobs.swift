import CopyManager
import Devices
import Glibc
import Uring

/// What jobs on cartridges have in common.
enum TapeJobs {
  enum Use { case reading, writing }

  static func create(
    _ directory: String, _ format: Cartridge.Format, _ context: JobContext
  ) async throws(EngineError) {
    let isFile = await context.ring.blocking { files in
      let file = files.open(directory, flags: O_RDONLY | O_NONBLOCK, mode: 0)
      guard file >= 0 else { return false }
      defer { files.close(file) }
      return (try? files.status(file))?.kind != .directory
    }
    guard !isFile else {
      throw EngineError(
        .file, "\(directory): is a file; a cartridge is a directory, choose another name")
    }
    do throws(DeviceError) {
      try await Cartridge.create(at: directory, format: format, ring: context.ring)
    } catch {
      guard case .notFound = error else { throw EngineError(error) }
      throw EngineError(
        .file, "\(directory): the directory it is to be made in is missing; make that first")
    }
  }

  /// Opens a cartridge for `body` and closes it.
  static func with<Result: Sendable>(
    _ directory: String, _ use: Use, _ context: JobContext,
    _ body: (Cartridge) async throws(EngineError) -> Result
  ) async throws(EngineError) -> Result {
    var options = Cartridge.Options()
    options.readOnly = use == .reading
    let tape: Cartridge
    do throws(DeviceError) {
      tape = try await Cartridge.open(directory, options: options, ring: context.ring)
    } catch {
      throw EngineError(error, ofCartridgeAt: directory)
    }
    let result: Result
    do throws(EngineError) {
      result = try await body(tape)
    } catch {
      _ = await tape.close()
      throw error
    }
    if let condition = (await tape.close()).condition, !condition.isEarlyWarning {
      throw EngineError(condition, of: tape.name, while: "making it durable")
    }
    return result
  }

  /// Writes a file that holds a tape onto a cartridge.
  static func bringIn(
    _ file: String, _ format: TapeImageFormat, _ directory: String,
    _ existingData: CopyRequest.ExistingData, _ context: JobContext
  ) async throws(EngineError) -> TapeTransfer {
    try await refuseMissing(file, context)
    if await isToBeMade(directory, for: file, context) {
      try await create(directory, Cartridge.Format(), context)
    }
    let (objects, isProtected) = try await with(directory, .reading, context) { tape in
      (tape.objectCount, tape.format.isWriteProtected)
    }
    guard !isProtected else {
      throw EngineError(.dataProtect, "tape:\(directory): is write-protected; name another tape")
    }
    guard objects == 0 || existingData != .refuse else {
      throw EngineError(
        .dataProtect,
        "tape:\(directory): the tape holds data; "
          + "say --append to write behind it, or --overwrite to lose it")
    }
    return try await with(directory, .writing, context) { tape throws(EngineError) in
      if existingData == .append { _ = await tape.space(.endOfData, count: 1) }
      return TapeTransfer(
        try await translated { () throws(DeviceError) in
          switch format {
          case .simh: try await TapeImage.importImage(file, to: tape, ring: context.ring)
          case .raw(let recordLength):
            try await TapeImage.importRaw(
              file, recordLength: recordLength, to: tape, ring: context.ring)
          }
        })
    }
  }

  /// What is missing is the file, whether or not the cartridge is there.
  private static func refuseMissing(
    _ file: String, _ context: JobContext
  ) async throws(EngineError) {
    let result = await context.ring.blocking { files in
      let source = files.open(file, flags: 0, mode: 0)
      if source >= 0 { files.close(source) }
      return source
    }
    guard result != -ENOENT else {
      throw EngineError(.file, "\(file): there is no such file to import; check the name")
    }
  }

  /// No cartridge is made for a file that cannot be read.
  private static func isToBeMade(
    _ directory: String, for file: String, _ context: JobContext
  ) async -> Bool {
    await context.ring.blocking { files in
      let index = files.open(directory + "/index", flags: 0, mode: 0)
      if index >= 0 { files.close(index) }
      let source = files.open(file, flags: 0, mode: 0)
      if source >= 0 { files.close(source) }
      return index < 0 && source >= 0
    }
  }
}

/// Runs `body`, whose errors become the engine's.
func translated<Result>(
  _ body: () async throws(DeviceError) -> Result
) async throws(EngineError) -> Result {
  do throws(DeviceError) {
    return try await body()
  } catch {
    throw EngineError(error)
  }
}

extension TapeTransfer {
  init(_ report: TapeImage.Report) {
    self.init(
      recordCount: report.recordCount, byteCount: report.byteCount,
      filemarkCount: report.filemarkCount)
  }
}

extension Cartridge {
  /// Goes to the start of a file of the tape, counted from 1.
  func goTo(file number: UInt64) async throws(EngineError) {
    var status = await locate(0)
    if number > 1, status.isSuccess {
      status = await space(.filemarks, count: Int(clamping: number - 1))
    }
    guard status.isSuccess, number > 0 else {
      throw EngineError(
        .illegalRequest, "\(name): there is no file \(number); ecopy tape list shows what there is")
    }
  }
}
