// A segment whose source and destination overlap gives the result of reading all of it before any of
// it is written. Where writes never catch up with reads nothing has to be done. Where they would, a
// segment that fits into memory is read first; a longer one is moved backwards, in pieces.

import Devices
import Transfer

extension CopyManager {
  enum Overlap { case none, readFirst, backwards }

  func overlap(of data: DataSegment) -> Overlap {
    guard case .disk(let source, let from?, _, _, _) = data.source, data.needed > 0,
      case .disk(let destination, let to?, _, _, _) = data.destination, data.written > 0,
      source.identity == destination.identity
    else { return .none }
    let blockLength = UInt64(source.blockLength)
    let first = from / blockLength * blockLength
    let last = (from + data.needed + blockLength - 1) / blockLength * blockLength
    let edge = UInt64(destination.blockLength)
    let writes = to / edge * edge..<(to + data.written + edge - 1) / edge * edge
    guard writes.overlaps(first..<last) else { return .none }
    // Writes stay behind reads when the first fresh byte moves towards the beginning.
    let old = sourceResidual + destinationResidual
    if to + old <= from { return .none }
    // Where only old bytes are written, all that is read stays in memory in any case.
    if data.written - UInt64(data.padding) <= old { return .readFirst }
    return Int(last - first) <= limits.reservoirBytes / 4 ? .readFirst : .backwards
  }

  /// Moves a long segment towards the end of its own disk.
  ///
  /// What will be left over is read first and set aside, then pieces are moved from the end to the
  /// beginning; the first piece of the segment, moved last, takes the old residuals with it.
  func moveBackwards(_ data: DataSegment, _ number: Int) async throws(SegmentError) {
    guard case .disk(let source, let from?, _, _, _) = data.source,
      case .disk(let destination, let to?, _, _, _) = data.destination
    else { preconditionFailure("only disks overlap") }
    movedBackwards = number
    if data.holds { try await holdForwards(data, number) }
    var whole = try await destinationStage(data, number)
    try await drained()
    let old = sourceResidual + destinationResidual
    let residuals = pipeline.takeResiduals()

    // Positions count bytes of what is written; fresh bytes begin at `old`.
    let end = data.written - UInt64(data.padding)
    let blockLength = UInt64(source.blockLength)
    let readEnd =
      isByteRange(data.source)
      ? from + data.needed : (from + data.needed + blockLength - 1) / blockLength * blockLength
    try await read(source, from + (end - old)..<readEnd, number)
    let leftOver = pipeline.takeResiduals()

    let unit = UInt64(destination.blockLength)
    let piece = max(unit, UInt64(limits.reservoirBytes / 4) / unit * unit)
    let units = whole.units
    let lead = UInt64(whole.prefix.count)
    var firstUnit = units
    var suffix = whole.suffix
    let firstFresh = (lead + old + unit - 1) / unit
    while firstUnit > firstFresh {
      let count = min(piece / unit, firstUnit - firstFresh)
      let start = (firstUnit - count) * unit - lead
      let stop = min(firstUnit * unit - lead, end)
      var stage = whole
      stage.prefix = []
      stage.suffix = suffix
      stage.padding = firstUnit == units ? data.padding : 0
      suffix = []
      firstUnit -= count
      stage.units = count
      stage.destination = .blocks(destination, offset: to - lead + firstUnit * unit)
      setSource(of: &stage, source, from + (start - old)..<from + (stop - old))
      stage.processed = stop - start
      try await enqueue(stage)
      try await drained()
    }
    pipeline.restore(residuals)
    let freshBytes =
      firstUnit == units
      ? end - old : min(end, firstUnit * unit - lead) - min(old, firstUnit * unit - lead)
    whole.units = firstUnit
    whole.suffix = firstUnit == units ? whole.suffix : []
    whole.padding = firstUnit == units ? data.padding : 0
    if freshBytes > 0 {
      setSource(of: &whole, source, from..<from + freshBytes)
    } else {
      whole.source = .none
    }
    whole.processed = sourceResidual + freshBytes
    whole.keepsSourceResidual = true
    whole.keepsDestinationResidual = true
    try await enqueue(whole)
    try await drained()
    pipeline.restore(leftOver)

    // What was set aside is source data; some of it counts as processed.
    var rest = Stage(segment: number, source: .none, destination: .blocks(destination, offset: 0))
    rest.processed = data.processed - min(data.processed, sourceResidual + (end - old))
    rest.keepsSourceResidual = data.keepsSource
    rest.keepsDestinationResidual = data.keepsDestination
    try await enqueue(rest)
  }

  private func isByteRange(_ end: SegmentEnd) -> Bool {
    if case .disk(_, _, _, true, _) = end { true } else { false }
  }

  private func destinationStage(_ data: DataSegment, _ number: Int) async throws(SegmentError)
    -> Stage
  {
    var stage = Stage(segment: number, source: .none, destination: .none)
    stage.readsFirst = true
    try await setDestination(of: &stage, data)
    return stage
  }

  /// Reads a range of bytes into the source residual.
  private func read(_ disk: BlockDevice, _ range: Range<UInt64>, _ number: Int)
    async throws(SegmentError)
  {
    guard !range.isEmpty else { return }
    var stage = Stage(segment: number, source: .none, destination: .none)
    setSource(of: &stage, disk, range)
    try await enqueue(stage)
    try await drained()
  }

  private func setSource(of stage: inout Stage, _ disk: BlockDevice, _ range: Range<UInt64>) {
    let blockLength = UInt64(disk.blockLength)
    let start = range.lowerBound / blockLength * blockLength
    let end = (range.upperBound + blockLength - 1) / blockLength * blockLength
    stage.source = .blocks(disk, offset: start, byteCount: end - start)
    stage.skipped = Int(range.lowerBound - start)
    stage.ignored = Int(end - range.upperBound)
  }

  /// Holds what is processed, in its order, before pieces move in another one.
  private func holdForwards(_ data: DataSegment, _ number: Int) async throws(SegmentError) {
    guard case .disk(let source, let from?, _, _, _) = data.source else { return }
    try await drained()
    let residuals = pipeline.takeResiduals()
    pipeline.holdSource(of: residuals, atMost: Int(clamping: data.processed))
    var stage = Stage(segment: number, source: .none, destination: .none)
    let fresh = data.processed - min(data.processed, sourceResidual)
    setSource(of: &stage, source, from..<from + fresh)
    stage.processed = fresh
    stage.holds = true
    stage.keepsSourceResidual = false
    try await enqueue(stage)
    try await drained()
    pipeline.restore(residuals)
  }
}
