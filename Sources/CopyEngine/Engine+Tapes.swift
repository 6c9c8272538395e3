import CopyManager
import Devices
import Uring

extension Engine {
  /// Makes an empty cartridge.
  public func createTape(
    at directory: String, capacity: UInt64 = .max, earlyWarning: UInt64 = 0,
    isWriteProtected: Bool = false
  ) -> CopyJob<Void> {
    start { context throws(EngineError) in
      try await TapeJobs.create(
        directory,
        Cartridge.Format(
          capacity: capacity, earlyWarning: earlyWarning, isWriteProtected: isWriteProtected),
        context)
    }
  }

  /// What is on a cartridge, from its index.
  public func contents(ofTapeAt directory: String) -> CopyJob<TapeContents> {
    start { context throws(EngineError) in
      try await TapeJobs.with(directory, .reading, context) { tape in
        TapeContents(
          capacity: tape.format.capacity, earlyWarning: tape.format.earlyWarning,
          isWriteProtected: tape.format.isWriteProtected,
          runs: tape.runs.map {
            TapeContents.Run(
              firstObject: $0.firstObject, count: $0.count, recordLength: $0.recordLength)
          })
      }
    }
  }

  /// Reads every record of a cartridge.
  public func verifyTape(at directory: String) -> CopyJob<TapeTransfer> {
    start { context throws(EngineError) in
      try await TapeJobs.with(directory, .reading, context) { tape throws(EngineError) in
        let found = try await translated { () throws(DeviceError) in try await tape.verify() }
        var result = TapeTransfer(
          recordCount: found.recordCount, byteCount: found.byteCount,
          filemarkCount: found.filemarkCount)
        result.failure = found.firstFailure.map { failure in
          EngineError(
            failure.condition, of: "tape:" + directory, while: "reading object \(failure.object)")
        }
        return result
      }
    }
  }

  /// Writes a file that holds a tape onto a cartridge, which is made where there is none.
  ///
  /// A cartridge that holds data is refused unless `existingData` says what to do with it.
  public func importTape(
    from file: String, as format: TapeImageFormat, to directory: String,
    existingData: CopyRequest.ExistingData = .refuse
  ) -> CopyJob<TapeTransfer> {
    start { context throws(EngineError) in
      try await TapeJobs.bringIn(file, format, directory, existingData, context)
    }
  }

  /// Writes a cartridge, or one file of it, into a file. Files of a tape are counted from 1, each
  /// ends at a filemark.
  public func exportTape(
    at directory: String, file number: UInt64? = nil, as format: TapeImageFormat, to path: String
  ) -> CopyJob<TapeTransfer> {
    start { context throws(EngineError) in
      try await TapeJobs.with(directory, .reading, context) { tape throws(EngineError) in
        if let number { try await tape.goTo(file: number) }
        do throws(DeviceError) {
          let report =
            switch format {
            case .simh: try await TapeImage.exportImage(path, from: tape, ring: context.ring)
            case .raw:
              try await TapeImage.exportRaw(
                path, from: tape, pastFilemarks: number == nil, ring: context.ring)
            }
          return TapeTransfer(report)
        } catch {
          guard case .notFound = error else { throw EngineError(error) }
          throw EngineError(
            .file, "\(path): the directory it is to be made in is missing; make that first")
        }
      }
    }
  }

  /// Writes the bytes of a cartridge's records, or of one file of it, to an open descriptor: a
  /// pipe, a terminal, a file.
  public func writeTape(
    at directory: String, file number: UInt64? = nil, to descriptor: Int32
  ) -> CopyJob<TapeTransfer> {
    start { context throws(EngineError) in
      try await TapeJobs.with(directory, .reading, context) { tape throws(EngineError) in
        if let number { try await tape.goTo(file: number) }
        return await TapeOutput(tape, context.ring, descriptor)
          .run(toFilemark: number != nil, state: context.state)
      }
    }
  }
}
