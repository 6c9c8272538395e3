import Devices
import ExtendedCopy
import SCSI
import Transfer
import Uring

extension CopyManager {
  /// The segment's ends and amounts, checked; nil for a segment that moves no data.
  func dataSegment(_ segment: SegmentDescriptor, _ finder: EndFinder) throws(SegmentError)
    -> DataSegment?
  {
    let source: SegmentEnd
    let destination: SegmentEnd
    let amount: DataSegment.Amount
    let (sourceField, destinationField) = (
      EndFinder.sourceIndexField, EndFinder.destinationIndexField
    )
    switch segment.operation {
    case .blockToStream(let length, let blocks, let lba):
      source = try finder.diskEnd(segment.source, field: sourceField, lba: lba, lbaField: 16)
      destination = try finder.tapeEnd(
        segment.destination, field: destinationField, transferLength: length)
      amount = .processed(UInt64(blocks) * UInt64(source.unit))
    case .streamToBlock(let length, let blocks, let lba):
      source = try finder.tapeEnd(segment.source, field: sourceField, transferLength: length)
      destination = try finder.diskEnd(
        segment.destination, field: destinationField, lba: lba, lbaField: 16)
      amount = .written(UInt64(blocks) * UInt64(destination.unit))
    case .blockToBlock(let countsDestination, _, let blocks, let sourceLBA, let destinationLBA):
      source = try finder.diskEnd(
        segment.source, field: sourceField, lba: sourceLBA, lbaField: 12)
      destination = try finder.diskEnd(
        segment.destination, field: destinationField, lba: destinationLBA, lbaField: 20)
      amount =
        countsDestination
        ? .written(UInt64(blocks) * UInt64(destination.unit))
        : .processed(UInt64(blocks) * UInt64(source.unit))
    case .streamToStream(let sourceLength, let destinationLength, let byteCount):
      source = try finder.tapeEnd(
        segment.source, field: sourceField, transferLength: sourceLength)
      destination = try finder.tapeEnd(
        segment.destination, field: destinationField, transferLength: destinationLength,
        lengthField: 13)
      amount = .processed(UInt64(byteCount))
    case .inlineToStream(let length, let offset, let byteCount):
      destination = try finder.tapeEnd(
        segment.destination, field: destinationField, transferLength: length)
      let end = UInt64(offset) + UInt64(byteCount)
      guard end <= UInt64(finder.list.inlineData.count) else {
        throw .inSegment(.inlineDataLengthExceeded, 12)
      }
      source = .bytes(finder.list.inlineData[Int(offset)..<Int(end)])
      amount = .processed(UInt64(byteCount))
    case .embeddedToStream(let length, let data):
      destination = try finder.tapeEnd(
        segment.destination, field: destinationField, transferLength: length)
      source = .bytes(data[...])
      amount = .processed(UInt64(data.count))
    case .streamToDiscard(let length, let byteCount):
      source = try finder.tapeEnd(segment.source, field: sourceField, transferLength: length)
      destination = .none
      amount = .processed(UInt64(byteCount))
    case .blockOffsetToStream(let length, let byteCount, let lba, let byteOffset):
      source = try finder.diskEnd(
        segment.source, field: sourceField, lba: lba, byteOffset: byteOffset, lbaField: 16)
      destination = try finder.tapeEnd(
        segment.destination, field: destinationField, transferLength: length)
      amount = .processed(UInt64(byteCount))
    case .streamToBlockOffset(let length, let byteCount, let lba, let byteOffset):
      source = try finder.tapeEnd(segment.source, field: sourceField, transferLength: length)
      destination = try finder.diskEnd(
        segment.destination, field: destinationField, lba: lba, byteOffset: byteOffset,
        lbaField: 16)
      amount = .written(UInt64(byteCount))
    case .blockOffsetToBlockOffset(
      let byteCount, let sourceLBA, let destinationLBA, let sourceOffset, let destinationOffset):
      source = try finder.diskEnd(
        segment.source, field: sourceField, lba: sourceLBA, byteOffset: sourceOffset,
        lbaField: 12)
      destination = try finder.diskEnd(
        segment.destination, field: destinationField, lba: destinationLBA,
        byteOffset: destinationOffset, lbaField: 20)
      amount = .processedAndWritten(UInt64(byteCount))
    default:
      return nil
    }
    let data = DataSegment(
      segment, source: source, destination: destination, amount: amount,
      sourceResidual: sourceResidual, destinationResidual: destinationResidual)
    try finder.checkRange(source, byteCount: data.needed)
    try finder.checkRange(destination, byteCount: data.written)
    if data.written > 0, case .disk(let disk, _, _, _, _) = destination, disk.isReadOnly {
      throw SegmentError(.destination, Condition(.dataProtect, .writeProtected))
    }
    return data
  }

  /// Queues the stages of a segment.
  func move(_ data: DataSegment, _ number: Int) async throws(SegmentError) {
    moving[number] = data
    if moving.count > 2 * Self.movingKept {
      moving = moving.filter { $0.key > number - Self.movingKept }
    }
    switch overlap(of: data) {
    case .none where data.usesOneTape:
      guard data.needed <= UInt64(limits.reservoirBytes / 4) else {
        throw SegmentError(.insufficientResources)
      }
      var stages = try await stages(of: data, number)
      for index in stages.indices { stages[index].readsFirst = true }
      try await queue(stages)
    case .none:
      try await queue(stages(of: data, number))
    case .readFirst:
      var stages = try await stages(of: data, number)
      for index in stages.indices { stages[index].readsFirst = true }
      try await queue(stages)
    case .backwards:
      try await moveBackwards(data, number)
    }
    (sourceResidual, destinationResidual) = data.residualsAfter
  }

  /// Stages of more segments than this are never queued together.
  private static let movingKept = 256

  private func queue(_ stages: [Stage]) async throws(SegmentError) {
    for stage in stages { try await enqueue(stage) }
  }

  /// One stage, or more where the source has holes.
  private func stages(of data: DataSegment, _ number: Int) async throws(SegmentError) -> [Stage] {
    var last = Stage(segment: number, source: .none, destination: .none)
    last.holds = data.holds
    last.processed = data.processed
    last.keepsSourceResidual = data.keepsSource
    last.keepsDestinationResidual = data.keepsDestination
    last.padding = data.padding
    try await setDestination(of: &last, data)
    switch data.source {
    case .none: break
    case .bytes(let bytes): return pieces(of: last, bytes)
    case .tape(let tape, let records, let recordLength, _, _):
      let unit = UInt64(records * recordLength)
      let count = (data.needed + unit - 1) / unit
      last.source = .records(
        tape, recordLength: recordLength, recordsPerRead: records, count: count)
      try await expect(tape)
    case .disk(let disk, let start, _, _, _):
      guard data.needed > 0, let start else { break }
      return await split(last, reading: start..<start + data.needed, of: disk, data)
    }
    return [last]
  }

  /// Cuts a stage that is given bytes, so that memory for all of them need not be found at once.
  private func pieces(of whole: Stage, _ bytes: ArraySlice<UInt8>) -> [Stage] {
    let unit = UInt64(whole.unit)
    var stages: [Stage] = []
    var rest = bytes
    var destinationData = destinationResidual
    var writtenUnits: UInt64 = 0
    repeat {
      var stage = whole
      let piece = rest.prefix(limits.chunkBytes)
      rest = rest.dropFirst(piece.count)
      stage.source = .bytes(piece)
      stage.writtenBefore = writtenUnits * unit
      stage.units = whole.units - writtenUnits
      if !rest.isEmpty {
        destinationData += UInt64(piece.count)
        stage.units = min(destinationData / unit, stage.units)
        destinationData -= stage.units * unit
        stage.keepsSourceResidual = true
        stage.keepsDestinationResidual = true
        stage.padding = 0
      }
      writtenUnits += stage.units
      stages.append(stage)
    } while !rest.isEmpty
    return stages
  }

  func setDestination(of stage: inout Stage, _ data: DataSegment)
    async throws(SegmentError)
  {
    switch data.destination {
    case .none, .bytes: break
    case .tape(let tape, let records, let recordLength, _, _):
      stage.destination = .records(tape, recordLength: recordLength, recordsPerWrite: records)
      stage.unit = records * recordLength
      stage.units = data.written / UInt64(stage.unit)
      try await expect(tape, writing: stage.units * UInt64(records))
    case .disk(let disk, let start, _, _, _):
      guard data.written > 0, let start else {
        // Nothing is written, but what is processed is destination data all the same.
        stage.destination = .blocks(disk, offset: 0)
        break
      }
      noteWritten(.block(disk))
      let blockLength = UInt64(disk.blockLength)
      let lead = Int(start % blockLength)
      let end = start + data.written
      let rest = Int((blockLength - end % blockLength) % blockLength)
      if lead > 0 || rest > 0 {
        (stage.prefix, stage.suffix) = try await edges(
          of: disk, start: start, lead: lead, end: end, rest: rest)
      }
      stage.destination = .blocks(disk, offset: start - UInt64(lead))
      stage.unit = disk.blockLength
      stage.units = (UInt64(lead) + data.written + UInt64(rest)) / blockLength
    }
  }

  /// Cuts a stage where its source goes from data to hole and back.
  private func split(
    _ whole: Stage, reading range: Range<UInt64>, of disk: BlockDevice, _ data: DataSegment
  ) async -> [Stage] {
    let blockLength = UInt64(disk.blockLength)
    let start = range.lowerBound / blockLength * blockLength
    let end = (range.upperBound + blockLength - 1) / blockLength * blockLength
    let pieces = await holes.pieces(of: start..<end, on: disk)
    var isByteRange = false
    if case .disk(_, _, _, true, _) = data.source { isByteRange = true }
    var stages: [Stage] = []
    var left = whole.processed
    var (sourceData, destinationData) = (
      sourceResidual, destinationResidual + UInt64(whole.prefix.count)
    )
    var writtenUnits: UInt64 = 0
    for (index, piece) in pieces.enumerated() {
      var stage = whole
      let byteCount = piece.range.upperBound - piece.range.lowerBound
      stage.source =
        piece.isHole
        ? .zeros(byteCount: byteCount)
        : .blocks(disk, offset: piece.range.lowerBound, byteCount: byteCount)
      stage.skipped = index == 0 ? Int(range.lowerBound - start) : 0
      let isLast = index == pieces.count - 1
      stage.ignored = isLast && isByteRange ? Int(end - range.upperBound) : 0
      stage.prefix = index == 0 ? whole.prefix : []
      if pieces.count > 1 {
        sourceData += byteCount - UInt64(stage.skipped)
        let processed = min(left, sourceData)
        stage.processed = isLast ? left : processed
        sourceData -= processed
        destinationData += processed
        let units =
          isLast
          ? whole.units - writtenUnits
          : min(destinationData / UInt64(whole.unit), whole.units - writtenUnits)
        stage.units = units
        stage.writtenBefore = writtenUnits * UInt64(whole.unit)
        if case .blocks(let disk, let offset) = whole.destination {
          stage.destination = .blocks(disk, offset: offset + stage.writtenBefore)
        }
        left -= processed
        destinationData -= min(destinationData, units * UInt64(whole.unit))
        writtenUnits += units
        if !isLast {
          stage.keepsSourceResidual = true
          stage.keepsDestinationResidual = true
          stage.padding = 0
          stage.suffix = []
        }
      }
      stages.append(stage)
    }
    return stages
  }

  /// What stands in the edge blocks of a byte range and must stay (SPC-4 09h, 0Ah).
  private func edges(of disk: BlockDevice, start: UInt64, lead: Int, end: UInt64, rest: Int)
    async throws(SegmentError) -> (prefix: [UInt8], suffix: [UInt8])
  {
    try await drained()
    let blockLength = UInt64(disk.blockLength)
    var prefix: [UInt8] = []
    var suffix: [UInt8] = []
    if lead > 0 {
      prefix = Array(try await readBlock(disk, start - UInt64(lead)).prefix(lead))
    }
    if rest > 0 {
      suffix = Array(try await readBlock(disk, end / blockLength * blockLength).suffix(rest))
    }
    return (prefix, suffix)
  }

  private func readBlock(_ disk: BlockDevice, _ offset: UInt64) async throws(SegmentError)
    -> [UInt8]
  {
    guard let payload = ring.arena.allocate(disk.blockLength, alignment: disk.memoryAlignment)
    else {
      throw SegmentError(.insufficientResources)
    }
    let completion = await disk.read(at: offset, into: payload)
    if let condition = completion.status.condition { throw SegmentError(.destination, condition) }
    guard completion.status.byteCount == disk.blockLength else {
      throw SegmentError(.destination, .dataUnderrun)
    }
    return completion.payload.bytes()
  }
}
