import CopyManager
import Devices
import SCSI
import Transfer

extension CopyRun {
  /// Copies one source. False where the copy ended; `failure` says why, if it failed.
  func copy(_ index: Int) async -> Bool {
    guard let destination else { preconditionFailure("a copy has its destination open") }
    let source = sources[index]
    switch (source.device, destination) {
    case (.block(let disk), .tape(let tape)): return await copy(index, disk, to: tape)
    case (.block(let disk), .disk(let end, let isFresh)):
      return await copy(index, disk, to: end, isFresh: isFresh)
    case (.stream(let tape), .disk(let end, _)): return await copy(index, tape, to: end)
    case (.stream(let tape), .tape(let end)): return await copy(index, tape, to: end)
    }
  }

  // MARK: From disks

  private func copy(_ index: Int, _ disk: BlockDevice, to tape: StreamDevice) async -> Bool {
    let length = UInt64(recordLength)
    let rest = await enqueue(index, disk, unit: recordLength) { stage, _ in
      stage.destination = .records(tape, recordLength: Int(length), recordsPerWrite: 1)
    }
    let last = Int(rest)
    let padding = request.pads && last > 0 ? recordLength - last : 0
    if last > 0 {
      var stage = Stage(
        segment: index, source: .none,
        destination: .records(tape, recordLength: last + padding, recordsPerWrite: 1))
      stage.unit = last + padding
      stage.units = 1
      stage.padding = padding
      _ = await pipeline.enqueue(stage)
    }
    let before = recordsWritten
    let isDone = await finish(index, planned: byteCount(index) + UInt64(padding))
    let written = pipeline.counters.bytesWritten - writtenBefore
    writtenBefore = pipeline.counters.bytesWritten
    recordsWritten = before + (written + length - 1) / length
    let full = min(written, byteCount(index)) / length
    let hasLast = last > 0 && written > byteCount(index) / length * length
    if hasLast { padded += UInt64(padding) }
    runs.append(
      WrittenRun(
        recordLength: recordLength, fullRecords: hasLast ? byteCount(index) / length : full,
        lastRecordLength: hasLast ? last + padding : 0, lastPadding: hasLast ? padding : 0,
        hasFilemark: false))
    return isDone
  }

  private func copy(
    _ index: Int, _ disk: BlockDevice, to end: BlockDevice, isFresh: Bool
  ) async -> Bool {
    let unit = end.blockLength
    let base = pipeline.counters.bytesWritten
    let total = byteCount(index)
    let rest = await enqueue(index, disk, unit: unit) { stage, done in
      stage.destination = .blocks(end, offset: base + done)
      if isFresh, case .zeros(let count) = stage.source {
        stage.leavesHole = count % UInt64(unit) == 0
      }
    }
    if rest > 0 { await pad(index, end, at: base + total - rest, from: Int(rest)) }
    return await finish(index, planned: total + (rest > 0 ? UInt64(unit) - rest : 0))
  }

  /// Fills the last block of a disk up with zeros.
  private func pad(_ index: Int, _ disk: BlockDevice, at offset: UInt64, from rest: Int) async {
    var stage = Stage(segment: index, source: .none, destination: .blocks(disk, offset: offset))
    stage.unit = disk.blockLength
    stage.units = 1
    stage.padding = disk.blockLength - rest
    padded += UInt64(stage.padding)
    paddings.append((offset + UInt64(disk.blockLength), stage.padding))
    _ = await pipeline.enqueue(stage)
  }

  private func byteCount(_ index: Int) -> UInt64 {
    guard let end = sources[index].end else { preconditionFailure("a disk has an end") }
    return end - sources[index].start
  }

  /// Queues a disk, extent for extent: what lies in holes is not read. Returns the bytes that are
  /// left over behind the last whole unit.
  private func enqueue(
    _ index: Int, _ disk: BlockDevice, unit: Int, to place: (inout Stage, UInt64) -> Void
  ) async -> UInt64 {
    let start = sources[index].start
    let end = start + byteCount(index)
    var offset = start
    var rest: UInt64 = 0
    while offset < end {
      let extent = await disk.extent(at: offset)
      let next = extent.end > offset ? min(extent.end, end) : end
      let count = next - offset
      var stage = Stage(
        segment: index,
        source: extent.isHole
          ? .zeros(byteCount: count) : .blocks(disk, offset: offset, byteCount: count),
        destination: .none)
      stage.processed = count
      stage.unit = unit
      // A whole number of units was written before, plus what was left over.
      place(&stage, offset - start - rest)
      if rest > 0 { stage.leavesHole = false }
      stage.units = (rest + count) / UInt64(unit)
      rest = (rest + count) % UInt64(unit)
      guard await pipeline.enqueue(stage) else { return rest }
      offset = next
    }
    return rest
  }

  // MARK: From tapes

  private func copy(_ index: Int, _ tape: StreamDevice, to disk: BlockDevice) async -> Bool {
    let base = pipeline.counters.bytesWritten
    var stage = Stage(
      segment: index,
      source: .recordsUntilCondition(tape, mostLength: longestRecord(of: tape)),
      destination: .blocks(disk, offset: base))
    stage.unit = disk.blockLength
    stage.units = .max
    _ = await pipeline.enqueue(stage)
    guard await finish(index, planned: nil) else { return false }
    _ = pipeline.takeSourceEnd()
    let rest = pipeline.residuals.destination
    if rest > 0 {
      await pad(index, disk, at: pipeline.counters.bytesWritten, from: rest)
      return await finish(index, planned: nil)
    }
    return true
  }

  private func copy(_ index: Int, _ tape: StreamDevice, to end: StreamDevice) async -> Bool {
    while true {
      let stage = Stage(
        segment: index,
        source: .recordsUntilCondition(tape, mostLength: longestRecord(of: tape)),
        destination: .sameRecords(end))
      let before = pipeline.counters.writes
      _ = await pipeline.enqueue(stage)
      let isDone = await finish(index, planned: nil)
      recordsWritten += UInt64(pipeline.counters.writes - before)
      writtenBefore = pipeline.counters.bytesWritten
      guard isDone else { return false }
      guard let condition = pipeline.takeSourceEnd(), condition.filemark else { return true }
      guard await mark(end) else { return false }
    }
  }

  /// The longest record expected of a tape whose drive does not tell.
  func longestRecord(of tape: StreamDevice) -> Int {
    min(tape.recordLengthMaximum, request.recordLength ?? context.limits.reservoirBytes / 6)
  }

  // MARK: The end

  /// Waits for the pipeline, and says why it stopped. `planned` are the bytes of this source that a
  /// complete copy writes.
  private func finish(_ index: Int, planned: UInt64?) async -> Bool {
    guard let stop = await pipeline.drain() else { return true }
    let written = pipeline.counters.bytesWritten - writtenBefore
    if stop == .earlyWarning, written == planned, index == sources.count - 1 { return true }
    failure = error(stop, index)
    return false
  }

  private func error(_ stop: PipelineStop, _ index: Int) -> EngineError {
    switch stop {
    case .cancelled: return EngineError(.cancelled, "stopped as asked")
    case .earlyWarning: return EngineError(.tapeFull, "\(request.destination): the tape is full")
    case .arenaTooSmall(let unit):
      return EngineError(
        .illegalRequest,
        "no room for two records of \(unit) bytes in the arena; "
          + "say a smaller --block-size")
    case .failure(let failure):
      if failure.origin == .source {
        if failure.condition.incorrectLength {
          return EngineError(
            .illegalRequest,
            "\(sources[index].name): a record is longer than expected; "
              + "say a larger --block-size")
        }
        return EngineError(failure.condition, of: sources[index].name, while: "reading")
      }
      if failure.condition.key == .volumeOverflow {
        return EngineError(.tapeFull, "\(request.destination): the tape is full")
      }
      return EngineError(failure.condition, of: request.destination.description, while: "writing")
    }
  }
}
