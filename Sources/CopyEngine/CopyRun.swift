// A copy of whole devices: opens them, puts stages into a pipeline, makes the result durable, looks
// whether the tape stands where it should, and reads it all back where that was asked for.
//
// What keeps a copy from starting is thrown. What ends it later is in the report, because by then
// there is something on the destination that a person has to know about.

import CopyManager
import Devices
import Transfer
import Uring

/// One copy, on its processor's thread.
final class CopyRun {
  struct Source {
    var name: String
    var device: CopyDevice
    /// Of a disk; 0 of a tape.
    var start: UInt64
    /// Byte behind the last one of a disk; nil of a tape.
    var end: UInt64?
    /// Object at which a tape stands at first; nil of a disk, or where the drive does not say.
    var position: UInt64?
  }

  /// Records that one source became, for reading them back.
  struct WrittenRun {
    var recordLength: Int
    var fullRecords: UInt64
    var lastRecordLength: Int
    var lastPadding: Int
    var hasFilemark: Bool
  }

  enum Destination {
    case disk(BlockDevice, isFresh: Bool)
    case tape(StreamDevice)
  }

  let request: CopyRequest
  let context: JobContext
  let opener: DeviceOpener
  var sources: [Source] = []
  var destination: Destination?
  /// The one that works now: the copy's, later the verification's.
  var pipeline: Pipeline
  var runs: [WrittenRun] = []
  var padded: UInt64 = 0
  /// Zeros behind sources on a destination disk: the byte behind them, and how many.
  var paddings: [(end: UInt64, byteCount: Int)] = []
  var filemarks: UInt64 = 0
  var recordsWritten: UInt64 = 0
  /// What `counters.bytesWritten` was when the current source began.
  var writtenBefore: UInt64 = 0
  var failure: EngineError?
  var resumePoint: ResumePoint?
  var firstObject: UInt64 = 0
  /// The source in which the copy ended early.
  var stopped: Int?
  /// Where the destination tape stood when the current source began.
  var objectBefore: UInt64 = 0

  private init(_ request: CopyRequest, _ context: JobContext, _ opener: DeviceOpener) {
    self.request = request
    self.context = context
    self.opener = opener
    pipeline = Pipeline(ring: context.ring, limits: context.limits)
  }

  /// Runs `request` to its end.
  static func run(
    _ request: CopyRequest, _ context: JobContext
  ) async throws(EngineError) -> CopyReport {
    let opener = DeviceOpener(context)
    let run = CopyRun(request, context, opener)
    do throws(EngineError) {
      context.state.update { $0.phase = .opening }
      try await run.open()
      let report = try await run.copyAndReport()
      await opener.closeAll()
      return report
    } catch {
      await opener.closeAll()
      throw error
    }
  }

  var recordLength: Int { request.recordLength ?? CopyRequest.defaultRecordLength }

  private func copyAndReport() async throws(EngineError) -> CopyReport {
    let ring = context.ring
    let before = ring.counters
    let began = ring.now
    pipeline = Pipeline(
      ring: ring, limits: context.limits,
      streaming: opener.streaming([request.destination], threshold: request.startThreshold))
    pipeline.stopsAtEarlyWarning = true
    if !request.digests.isEmpty || request.verifies {
      pipeline.digester = Digester(
        sha256: request.digests.contains(.sha256) || request.verifies,
        crc32c: request.digests.contains(.crc32c))
    }
    let copying = pipeline
    let state = context.state
    state.update { $0.phase = .copying }
    let ticker = Ticker(ring, everyMilliseconds: 100) {
      let seconds = Double(ring.now - began) / 1e9
      let counters = self.pipeline.counters
      let bytes = self.pipeline === copying ? counters.bytesWritten : counters.bytesRead
      state.update {
        $0.bytes = bytes
        $0.seconds = seconds
      }
      if state.isCancelled { self.pipeline.cancel() }
    }
    if state.isCancelled { pipeline.cancel() }
    await copyAll()
    state.update { $0.phase = .flushing }
    let tape = await makeDurable()
    // Where nobody knows what is on the tape, nobody knows where to go on.
    if case .tape = destination, tape == nil { resumePoint = nil }
    noteStopOfTape(tape)
    let seconds = Double(ring.now - began) / 1e9
    let digests = pipeline.digester?.finish()
    var report = CopyReport(arena: ArenaFacts(ring.arena.facts))
    report.counters = counters(since: before)
    report.seconds = seconds
    report.tape = tape
    if failure == nil {
      // What was read ahead of a stop is in the digests, and not on the tape.
      if request.digests.contains(.sha256) { report.sha256 = digests?.sha256 }
      report.crc32c = digests?.crc32c
    }
    if request.verifies, failure == nil || failure?.kind == .tapeFull {
      state.update { $0.phase = .verifying }
      let expected = failure == nil ? digests?.sha256 : await digestOfWritten()
      if let expected {
        report.isVerified = await verify(expected, byteCount: copying.counters.bytesWritten)
        if report.isVerified == false { resumePoint = nil }
        if request.digests.contains(.sha256) { report.sha256 = expected }
      } else {
        context.warn(
          "\(request.destination): what fits was not read back; ecopy tape verify does it")
      }
    }
    await ticker.stop()
    let written = copying.counters.bytesWritten
    state.update {
      $0.bytes = written
      $0.seconds = seconds
    }
    report.failure = failure
    report.resumePoint = resumePoint
    return report
  }

  private func copyAll() async {
    for index in sources.indices {
      writtenBefore = pipeline.counters.bytesWritten
      objectBefore = firstObject + recordsWritten + filemarks
      let before = writtenBefore
      guard await copy(index) else {
        noteStop(in: index, before: before)
        return
      }
      guard await writeFilemark(behind: index) else { return }
    }
  }

  /// Says where to go on, if a person can.
  private func noteStop(in index: Int, before: UInt64) {
    stopped = index
    guard case .tape = destination, let end = sources[index].end else { return }
    let offset = sources[index].start + (pipeline.counters.bytesWritten - before)
    if offset < end {
      resumePoint = ResumePoint(source: index, offset: offset)
    } else if index + 1 < sources.count {
      resumePoint = ResumePoint(source: index + 1, offset: 0)
    }
  }

  /// The same for a source tape: as many objects were read from it as lie on the destination.
  private func noteStopOfTape(_ extent: TapeExtent?) {
    guard let stopped, let start = sources[stopped].position, let end = extent?.endObject,
      end >= objectBefore, failure?.kind == .tapeFull || failure?.kind == .cancelled
    else { return }
    resumePoint = ResumePoint(source: stopped, offset: 0, position: start + (end - objectBefore))
  }

  private func writeFilemark(behind index: Int) async -> Bool {
    guard case .tape(let tape) = destination, request.writesFilemark,
      case .block = sources[index].device
    else { return true }
    guard await mark(tape) else { return false }
    if !runs.isEmpty { runs[runs.count - 1].hasFilemark = true }
    return true
  }

  /// One filemark; false and `failure` where the tape refuses.
  func mark(_ tape: StreamDevice) async -> Bool {
    let status = await tape.writeFilemarks(1, immediate: true)
    if let condition = status.condition, !condition.isEarlyWarning {
      failure = EngineError(condition, of: tape.name, while: "writing a filemark")
      return false
    }
    filemarks += 1
    return true
  }

  private func counters(since before: RingCounters) -> CopyCounters {
    var counters = CopyCounters(pipeline.counters)
    counters.bytesPadded = padded
    counters.payloadBytesCopied += opener.copiedByteCount
    counters.repositionings = opener.repositionings ?? counters.repositionings
    counters.note(context.ring.counters, since: before, opener.fileCounters)
    return counters
  }
}

extension ArenaFacts {
  init(_ facts: Arena.Facts) {
    self.init(
      byteCount: facts.byteCount, hugePageBytes: facts.hugePageBytes,
      isRegistered: facts.isRegistered)
  }
}
