import CopyManager
import Devices
import SCSI
import Transfer

extension CopyRun {
  /// Makes durable what was written, also after a failure: a person is told what is there. Returns
  /// what is on the tape.
  func makeDurable() async -> TapeExtent? {
    switch destination {
    case .none: return nil
    case .disk(let disk, _):
      if let condition = (await disk.flush()).condition, failure == nil {
        failure =
          condition.isDeferred && condition.key == .unitAttention
          ? EngineError(
            .unitAttention,
            "\(request.destination): it was reset or restarted with writes in its cache, which may "
              + "be lost; run the copy again")
          : EngineError(condition, of: disk.name, while: "making the copy durable")
      }
      return nil
    case .tape(let tape):
      if failure?.kind == .tapeFull, request.writesFilemark, let stopped,
        case .block = sources[stopped].device
      {
        markFullTape(await tape.writeFilemarks(1, immediate: true))
      }
      let status = await tape.writeFilemarks(0, immediate: false)
      if let condition = status.condition, !condition.isEarlyWarning, failure == nil {
        failure = EngineError(condition, of: tape.name, while: "making the copy durable")
      }
      return await extent(of: tape)
    }
  }

  private func markFullTape(_ status: DeviceStatus) {
    if status.isSuccess {
      filemarks += 1
    } else {
      context.warn("\(request.destination): no room for a filemark behind the last record")
    }
  }

  /// Asks the tape where it stands, and compares with what was written.
  private func extent(of tape: StreamDevice) async -> TapeExtent? {
    let end: UInt64
    do throws(EngineError) {
      end = try await position(of: tape).object
    } catch {
      failure = failure ?? error
      return nil
    }
    let expected = firstObject + recordsWritten + filemarks
    if failure == nil, end != expected {
      failure = EngineError(
        .medium,
        "\(request.destination): the tape stands at object \(end), not at \(expected) "
          + "where the copy ends; something else moved it, do not trust this tape")
    }
    let records = end >= firstObject + filemarks ? end - firstObject - filemarks : 0
    return TapeExtent(
      firstObject: firstObject, endObject: end, records: records, filemarks: filemarks)
  }

  // MARK: Verification

  /// Reads the destination back; false and `failure` where its SHA-256 is another.
  func verify(_ expected: [UInt8], byteCount: UInt64) async -> Bool {
    let digester = Digester(sha256: true, crc32c: false)
    pipeline = Pipeline(ring: context.ring, limits: context.limits)
    pipeline.digester = digester
    do throws(EngineError) {
      switch destination {
      case .disk(let disk, _): await enqueue(disk, byteCount)
      case .tape(let tape):
        try check(await tape.locate(firstObject), tape, "going back to verify")
        if runs.count == (stopped ?? sources.count - 1) + 1 {
          try await enqueueRuns(tape)
        } else {
          try await enqueueRecords(tape)
        }
      case .none: break
      }
      try await drain()
    } catch {
      failure = error
      return false
    }
    guard digester.finish().sha256 == expected else {
      failure = EngineError(
        .miscompare,
        "\(request.destination): what was read back is not what was written; "
          + "do not trust this copy, look at the destination's device")
      return false
    }
    return true
  }

  /// SHA-256 of what is on a tape that was full before the copy was complete, from the sources, which
  /// are read again; nil where they are tapes, or one cannot be read.
  func digestOfWritten() async -> [UInt8]? {
    guard let stopped, runs.count == stopped + 1 else { return nil }
    let digester = Digester(sha256: true, crc32c: false)
    pipeline = Pipeline(ring: context.ring, limits: context.limits)
    pipeline.digester = digester
    for (source, run) in zip(sources, runs) {
      let count =
        UInt64(run.recordLength) * run.fullRecords + UInt64(run.lastRecordLength - run.lastPadding)
      guard case .block(let disk) = source.device, count % UInt64(disk.blockLength) == 0 else {
        return nil
      }
      guard count > 0 else { continue }
      var stage = Stage(
        segment: 0, source: .blocks(disk, offset: source.start, byteCount: count),
        destination: .none)
      stage.processed = count
      _ = await pipeline.enqueue(stage)
    }
    guard await pipeline.drain() == nil else { return nil }
    return digester.finish().sha256
  }

  private func drain() async throws(EngineError) {
    switch await pipeline.drain() {
    case .none: return
    case .cancelled: throw EngineError(.cancelled, "stopped as asked, before it was verified")
    case .failure(let failure):
      throw EngineError(
        failure.condition, of: request.destination.description, while: "reading back")
    case .some:
      throw EngineError(.miscompare, "\(request.destination): ends early when it is read back")
    }
  }

  private func enqueue(_ disk: BlockDevice, _ byteCount: UInt64) async {
    var start: UInt64 = 0
    for padding in paddings {
      await enqueue(disk, start..<padding.end, ignoring: padding.byteCount)
      start = padding.end
    }
    if start < byteCount { await enqueue(disk, start..<byteCount, ignoring: 0) }
  }

  private func enqueue(_ disk: BlockDevice, _ range: Range<UInt64>, ignoring padding: Int) async {
    let byteCount = range.upperBound - range.lowerBound
    var stage = Stage(
      segment: 0, source: .blocks(disk, offset: range.lowerBound, byteCount: byteCount),
      destination: .none)
    stage.processed = byteCount - UInt64(padding)
    stage.ignored = padding
    _ = await pipeline.enqueue(stage)
  }

  private func enqueueRuns(_ tape: StreamDevice) async throws(EngineError) {
    for run in runs {
      let together = max(1, context.limits.chunkBytes / run.recordLength)
      let many = run.fullRecords / UInt64(together)
      await enqueue(tape, run.recordLength, together: together, count: many)
      let few = Int(run.fullRecords % UInt64(together))
      if few > 0 { await enqueue(tape, run.recordLength, together: few, count: 1) }
      if run.lastRecordLength > 0 {
        await enqueue(tape, run.lastRecordLength, together: 1, count: 1, padding: run.lastPadding)
      }
      try await drain()
      if run.hasFilemark {
        try check(await tape.space(.filemarks, count: 1), tape, "passing a filemark to verify")
      }
    }
  }

  private func enqueue(
    _ tape: StreamDevice, _ length: Int, together: Int, count: UInt64, padding: Int = 0
  ) async {
    guard count > 0 else { return }
    var stage = Stage(
      segment: 0,
      source: .records(tape, recordLength: length, recordsPerRead: together, count: count),
      destination: .none)
    stage.processed = UInt64(length * together) * count - UInt64(padding)
    stage.ignored = padding
    _ = await pipeline.enqueue(stage)
  }

  /// Records of lengths that nobody noted: all of them up to the end of the copy.
  private func enqueueRecords(_ tape: StreamDevice) async throws(EngineError) {
    let end = firstObject + recordsWritten + filemarks
    while try await position(of: tape).object < end {
      _ = await pipeline.enqueue(
        Stage(
          segment: 0,
          source: .recordsUntilCondition(tape, mostLength: longestRecord(of: tape)),
          destination: .none))
      try await drain()
      guard let condition = pipeline.takeSourceEnd(), condition.filemark else { return }
    }
  }
}
