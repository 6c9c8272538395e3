import Devices
import ExtendedCopy
import SCSI
import Transfer

/// Where a tape stands as far as the copy manager can tell.
struct TapeProgress {
  /// Objects before the position; nil where the drive does not tell, or where reading has moved it.
  var expected: UInt64?
}

extension CopyManager {
  /// A tape is about to be read, or written with `writing` records. What it stands at before the
  /// first of them is asked, so that the end can be compared.
  func expect(_ tape: StreamDevice, writing records: UInt64? = nil) async throws(SegmentError) {
    let key = ObjectIdentifier(tape)
    if tapes[key] == nil { tapes[key] = TapeProgress(expected: await position(of: tape)) }
    guard let records else {
      tapes[key]?.expected = nil
      return
    }
    if records > 0 { noteWritten(.stream(tape)) }
    if let expected = tapes[key]?.expected { tapes[key]?.expected = expected + records }
  }

  private func position(of tape: StreamDevice) async -> UInt64? {
    do throws(Condition) {
      return try await tape.position().object
    } catch {
      return nil
    }
  }

  /// A tape that is not where everything written would have left it was moved by somebody else.
  func checkPosition(of tape: StreamDevice) async throws(SegmentError) {
    guard let expected = tapes[ObjectIdentifier(tape)]?.expected,
      let actual = await position(of: tape), actual != expected
    else { return }
    throw SegmentError(.destination, Condition(.mediumError, .sequentialPositioningError))
  }

  /// The tape a control segment names, with nothing in flight to it.
  private func idleTape(_ segment: SegmentDescriptor, _ finder: EndFinder)
    async throws(SegmentError) -> StreamDevice
  {
    let (_, tape) = try finder.tape(
      segment.destination, field: EndFinder.destinationIndexField)
    try await drained()
    return tape
  }

  /// 10h.
  func writeFilemarks(
    _ segment: SegmentDescriptor, _ count: Int, _ isImmediate: Bool, _ finder: EndFinder
  ) async throws(SegmentError) {
    let tape = try await idleTape(segment, finder)
    try await expect(tape, writing: UInt64(count))
    noteWritten(.stream(tape))
    try check(await tape.writeFilemarks(count, immediate: isImmediate))
  }

  /// 11h.
  func space(_ segment: SegmentDescriptor, _ code: UInt8, _ count: Int, _ finder: EndFinder)
    async throws(SegmentError)
  {
    let tape = try await idleTape(segment, finder)
    guard let kind = SpaceKind(rawValue: code) else {
      throw SegmentError(.destination, Condition(.illegalRequest, .invalidFieldInCDB))
    }
    let status = await tape.space(kind, count: count)
    tapes[ObjectIdentifier(tape)] = TapeProgress(expected: await position(of: tape))
    try check(status)
  }

  /// 12h.
  func locate(_ segment: SegmentDescriptor, _ object: UInt64, _ finder: EndFinder)
    async throws(SegmentError)
  {
    let tape = try await idleTape(segment, finder)
    let status = await tape.locate(object)
    tapes[ObjectIdentifier(tape)] = TapeProgress(expected: await position(of: tape))
    try check(status)
  }

  private func check(_ status: DeviceStatus) throws(SegmentError) {
    if let condition = status.condition, !status.isSuccess {
      throw SegmentError(.destination, condition)
    }
  }

  /// 13h: records and filemarks as they are, until `stop` consecutive filemarks were copied, or to
  /// end of data. Residuals stay as they were.
  func copyTapeImage(_ segment: SegmentDescriptor, _ number: Int, stop: Int, _ finder: EndFinder)
    async throws(SegmentError)
  {
    let (_, source) = try finder.tape(segment.source, field: EndFinder.sourceIndexField)
    let (_, destination) = try finder.tape(
      segment.destination, field: EndFinder.destinationIndexField)
    guard source !== destination else {
      throw .inSegment(
        .invalidOperationForCopySourceOrDestination, EndFinder.destinationIndexField)
    }
    try await drained()
    try await expect(source)
    let residuals = pipeline.takeResiduals()
    var filemarks = 0
    while stop == 0 || filemarks < stop {
      let before = pipeline.counters.bytesWritten
      let mostLength = min(source.recordLengthMaximum, limits.reservoirBytes / 2)
      var stage = Stage(
        segment: number,
        source: .recordsUntilCondition(source, mostLength: mostLength),
        destination: .sameRecords(destination))
      stage.units = .max
      tapes[ObjectIdentifier(destination)] = TapeProgress(expected: nil)
      noteWritten(.stream(destination))
      try await enqueue(stage)
      try await drained()
      if pipeline.counters.bytesWritten > before { filemarks = 0 }
      guard let condition = pipeline.takeSourceEnd(), condition.filemark else { break }
      filemarks += 1
      try check(await destination.writeFilemarks(1, immediate: true))
    }
    pipeline.restore(residuals)
  }
}
