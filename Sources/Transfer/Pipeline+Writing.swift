import Devices
import SCSI
import Uring

extension Pipeline {
  /// Moves what has arrived and writes what is whole. True where a stage ended or room was made.
  func advanceWriter() -> Bool {
    guard stop == nil, writing < stages.end else { return false }
    guard begin() else { return false }
    let arrived = takeArrivals()
    guard stop == nil else { return false }
    finishData()
    let wrote = writeUnits()
    return endStage() || wrote || arrived
  }

  private func begin() -> Bool {
    guard !stages.with(writing, { $0.hasBegun }) else { return true }
    // What is held belongs to segments that came to their end, not to one behind a failure.
    if writesInFlight > 0, stages.with(writing, { $0.stage.holds }) { return false }
    var prefix: [UInt8] = []
    stages.with(writing) { active in
      active.hasBegun = true
      prefix = active.stage.prefix
      if case .blocks(_, let offset) = active.stage.destination { active.nextOffset = offset }
    }
    if !prefix.isEmpty { insert(prefix, inFront: true) }
    return stop == nil
  }

  /// Bytes that the processor itself puts into the destination data, and counts.
  private func insert(_ bytes: [UInt8], inFront: Bool) {
    guard !bytes.isEmpty else { return }
    guard let payload = payload(of: bytes) else {
      halt(.arenaTooSmall(unit: bytes.count))
      return
    }
    if inFront {
      let rest = destinationData.removeFirst(destinationData.byteCount)
      destinationData = payload
      destinationData.append(rest)
    } else {
      destinationData.append(payload)
    }
  }

  /// Bytes in memory of the arena, counted as copied; nil where there is no room for them now.
  private func payload(of bytes: [UInt8]) -> Payload? {
    guard var payload = ring.arena.allocate(bytes.count, alignment: 512) else { return nil }
    payload.overwrite(with: bytes)
    work.payloadBytesCopied += UInt64(bytes.count)
    bufferedBytes += bytes.count
    return payload
  }

  /// Takes completed reads of the writer's stage, first to last, and processes what it may.
  private func takeArrivals() -> Bool {
    var moved = false
    process()
    while stop == nil, !reads.isEmpty,
      reads.withFirst({ $0.isDone && $0.stage == writing })
    {
      let status = reads.withFirst { $0.status }
      if !status.isSuccess, hasWholeUnits {
        // What was read before is written before the failure counts.
        stages.with(writing) { $0.stage.readsFirst = $0.stage.readsFirst && readsInFlight > 0 }
        break
      }
      if case .sameRecords(let device) = stages.with(writing, { $0.stage.destination }),
        status.isSuccess, !mayWrite(to: device)
      {
        break
      }
      var slot = reads.removeFirst()
      stages.with(writing) { $0.readsPending -= 1 }
      moved = true
      if let condition = status.condition, !status.isSuccess {
        if condition.isAborted { continue }
        sourceEnded(condition)
        continue
      }
      guard let payload = slot.payload.take() else {
        preconditionFailure("a read gives its payload back")
      }
      arrived(payload)
      process()
    }
    return moved
  }

  private func sourceEnded(_ condition: Condition) {
    let (source, segment, written) = stages.with(writing) {
      ($0.stage.source, $0.stage.segment, $0.stage.writtenBefore)
    }
    if case .recordsUntilCondition = source, !condition.isDeferred,
      condition.filemark || condition.key == .blankCheck
    {
      stages.with(writing) { active in
        active.hasEnded = true
        active.isFullyIssued = true
      }
      sourceEnd = condition
    } else {
      fail(.source, segment: segment, condition, written: written)
    }
  }

  private func arrived(_ payload: consuming Payload) {
    var payload = payload
    if case .sameRecords(let device) = stages.with(writing, { $0.stage.destination }) {
      digester?.update(payload)
      write(payload, to: device)
      return
    }
    let skip = min(stages.with(writing) { $0.skipLeft }, payload.byteCount)
    if skip > 0 {
      _ = payload.removeFirst(skip)
      bufferedBytes -= skip
      work.bytesRead -= UInt64(skip)
      stages.with(writing) { $0.skipLeft -= skip }
    }
    sourceData.append(payload)
  }

  /// Moves bytes from source data to destination data, as many as the stage says.
  private func process() {
    let (isOpen, left) = stages.with(writing) { active in
      if case .recordsUntilCondition = active.stage.source { return (true, UInt64.max) }
      return (false, active.processLeft)
    }
    let count = Int(min(left, UInt64(sourceData.byteCount)))
    guard count > 0 else { return }
    let bytes = sourceData.removeFirst(count)
    if !isOpen { stages.with(writing) { $0.processLeft -= UInt64(count) } }
    digester?.update(bytes)
    if stages.with(writing, { $0.stage.holds }) { hold(bytes.bytes()) }
    if case .none = stages.with(writing, { $0.stage.destination }) {
      bufferedBytes -= count
    } else {
      destinationData.append(bytes)
    }
  }

  func hold(_ bytes: [UInt8]) {
    work.payloadBytesCopied += UInt64(bytes.count)
    held += bytes
    if held.count > limits.heldBytes {
      held.removeFirst(held.count - limits.heldBytes)
      heldWasDiscarded = true
    }
  }

  /// When the last read has been processed, adds what the stage puts behind it.
  private func finishData() {
    let isReady = stages.with(writing) { active in
      active.isFullyIssued && active.readsPending == 0 && active.processLeft == 0
        && !active.isFinished
    }
    guard stop == nil, isReady else { return }
    guard takeGivenBytes() else { return }
    let stage = stages.with(writing) { active in
      active.isFinished = true
      return active.stage
    }
    if stage.ignored > 0 {
      // The tail of the last block of a byte range is not source data.
      let kept = sourceData.removeFirst(sourceData.byteCount - stage.ignored)
      bufferedBytes -= stage.ignored
      work.bytesRead -= UInt64(stage.ignored)
      sourceData = kept
    }
    insertSuffix(stage.suffix)
    if stage.padding > 0 {
      guard hasSlices(Arena.sliceCount(ofZeros: stage.padding)) else {
        halt(.arenaTooSmall(unit: stage.unit))
        return
      }
      bufferedBytes += stage.padding
      destinationData.append(ring.arena.zeros(stage.padding))
    }
  }

  /// Bytes that a stage is given become destination data; false while there is no room for them: a
  /// write that completes makes some.
  private func takeGivenBytes() -> Bool {
    let (source, holds) = stages.with(writing) { ($0.stage.source, $0.stage.holds) }
    guard case .bytes(let given) = source, !given.isEmpty else { return true }
    let bytes = Array(given)
    guard let payload = payload(of: bytes) else { return false }
    if holds { hold(bytes) }
    destinationData.append(payload)
    return true
  }

  /// The suffix ends the last unit; what is behind that stays destination data.
  private func insertSuffix(_ suffix: [UInt8]) {
    guard !suffix.isEmpty else { return }
    let (unit, left) = stages.with(writing) { ($0.stage.unit, $0.unitsLeft) }
    let before = destinationData.removeFirst(Int(left) * unit - suffix.count)
    let rest = destinationData.removeFirst(destinationData.byteCount)
    destinationData = before
    insert(suffix, inFront: false)
    destinationData.append(rest)
  }

  // MARK: Units

  private var hasWholeUnits: Bool {
    let (unit, left) = stages.with(writing) { active in
      // The last unit waits for its suffix.
      let waits = !active.stage.suffix.isEmpty && !active.isFinished
      return (active.stage.unit, active.unitsLeft - (waits && active.unitsLeft > 0 ? 1 : 0))
    }
    return left > 0 && destinationData.byteCount >= unit
  }

  private func writeUnits() -> Bool {
    var wrote = false
    while stop == nil, hasWholeUnits, writeOnce() { wrote = true }
    noteUnderrun()
    return wrote
  }

  /// One write of as many units as make a good size; false where it has to wait.
  private func writeOnce() -> Bool {
    let (destination, unit, unitsLeft, isFinished, readsFirst) = stages.with(writing) { active in
      let waits = !active.stage.suffix.isEmpty && !active.isFinished ? UInt64(1) : 0
      return (
        active.stage.destination, active.stage.unit, active.unitsLeft - waits,
        active.isFinished || active.hasEnded, active.stage.readsFirst
      )
    }
    if readsFirst, !isFinished { return false }
    let whole = destinationData.byteCount / unit
    let best = max(1, limits.chunkBytes / unit)
    let count = Int(min(UInt64(min(whole, best)), unitsLeft))
    // More will come soon: one larger write is better than two.
    let isShort = count < best && UInt64(count) < unitsLeft
    if isShort, !isFinished, readsInFlight > 0 { return false }
    switch destination {
    case .none, .sameRecords:
      return false
    case .blocks(let device, _):
      return write(count * unit, to: device, units: count)
    case .records(let device, let recordLength, let recordsPerWrite):
      guard mayWrite(to: device) else { return false }
      guard let payload = cut(count * unit) else { return false }
      let segment = noteWrite(count, count * unit)
      lastWrite = .stream(ObjectIdentifier(device))
      let tag = admitWrite(
        WriteSlot(
          segment: segment.number, byteCount: count * unit, isDone: false, status: .good(),
          segmentWritten: segment.written, recordLength: recordLength,
          recordsPerWrite: recordsPerWrite, identity: nil, offset: 0))
      gate.wrote(count * unit, bufferedBytes: bufferedBytes, now: gate.isActive ? ring.now : 0)
      device.write(payload, recordCount: count * recordsPerWrite, for: self, tag: tag)
      return true
    }
  }

  private func write(_ byteCount: Int, to device: BlockDevice, units: Int) -> Bool {
    let (offset, leavesHole) = stages.with(writing) { ($0.nextOffset, $0.stage.leavesHole) }
    guard writesInFlight < limits.writeDepth, !writes.isFull, ring.room > 0 else { return false }
    guard writesInFlight == 0 || lastWrite == .blocks(device.identity, end: offset) else {
      return false
    }
    guard let payload = cut(byteCount) else { return false }
    let segment = noteWrite(units, byteCount)
    let end = offset + UInt64(byteCount)
    stages.with(writing) { $0.nextOffset = end }
    lastWrite = .blocks(device.identity, end: end)
    let slot = WriteSlot(
      segment: segment.number, byteCount: byteCount, isDone: leavesHole, status: .good(byteCount),
      segmentWritten: segment.written, recordLength: 0, recordsPerWrite: 0,
      identity: device.identity, offset: offset)
    if leavesHole {
      writes.append(slot)
      bufferedBytes -= byteCount
      _ = consume payload
      retireWrites()
      return true
    }
    device.write(at: offset, from: payload, for: self, tag: admitWrite(slot))
    return true
  }

  /// One record of unknown length, as it was read.
  private func write(_ payload: consuming Payload, to device: StreamDevice) {
    let byteCount = payload.byteCount
    let segment = noteWrite(0, byteCount)
    lastWrite = .stream(ObjectIdentifier(device))
    let tag = admitWrite(
      WriteSlot(
        segment: segment.number, byteCount: byteCount, isDone: false, status: .good(),
        segmentWritten: segment.written, recordLength: byteCount, recordsPerWrite: 1,
        identity: nil, offset: 0))
    gate.wrote(byteCount, bufferedBytes: bufferedBytes, now: gate.isActive ? ring.now : 0)
    device.write(payload, recordCount: 1, for: self, tag: tag)
  }

  private func mayWrite(to device: StreamDevice) -> Bool {
    writesInFlight < device.depth && !writes.isFull && ring.room > 0
      && (writesInFlight == 0 || lastWrite == .stream(ObjectIdentifier(device)))
      && mayWriteToStream()
  }

  /// The first bytes of the destination data, in few enough ranges for one operation.
  private func cut(_ byteCount: Int) -> Payload? {
    if destinationData.sliceCount > Arena.mostRanges / 2 {
      let piece = destinationData.removeFirst(byteCount)
      guard piece.rangeCount > Arena.mostRanges / 2 else { return piece }
      if let gathered = piece.gathered(alignment: 4096) {
        work.payloadBytesCopied += UInt64(byteCount)
        return gathered
      }
      var rest = destinationData.removeFirst(destinationData.byteCount)
      swap(&rest, &destinationData)
      destinationData = piece
      destinationData.append(rest)
      return nil
    }
    return destinationData.removeFirst(byteCount)
  }

  private func noteWrite(_ units: Int, _ byteCount: Int) -> (number: Int, written: UInt64) {
    isDry = false
    return stages.with(writing) { active in
      if active.unitsLeft != .max { active.unitsLeft -= UInt64(units) }
      let written = active.writtenForSegment
      active.writtenForSegment += UInt64(byteCount)
      return (active.stage.segment, written)
    }
  }

  private func admitWrite(_ slot: WriteSlot) -> UInt64 {
    let tag = UInt64(writes.end) << 1 | 1
    writes.append(slot)
    writesInFlight += 1
    work.writes += 1
    return tag
  }

  /// A started tape that waits for data would have to stop and back up.
  private func noteUnderrun() {
    guard !isDry, writesInFlight == 0, case .stream = lastWrite, readsInFlight > 0,
      writing < stages.end, !hasWholeUnits
    else { return }
    isDry = true
    gate.ranDry()
    work.underruns = gate.underruns
  }

  /// Ends the writer's stage where nothing of it is left to issue.
  private func endStage() -> Bool {
    guard stop == nil else { return false }
    let isEnd = stages.with(writing) { active in
      active.isFinished
        && (active.unitsLeft == 0 || active.unitsLeft == .max || active.stage.units == 0)
    }
    guard isEnd, stages.with(writing, { $0.unitsLeft != .max }) || !hasWholeUnits else {
      return false
    }
    let stage = stages.removeFirst().stage
    edgeBytesWritten += UInt64(stage.prefix.count + stage.suffix.count)
    writing += 1
    reading = max(reading, writing)
    if !stage.keepsSourceResidual {
      bufferedBytes -= sourceData.byteCount
      sourceData = ring.arena.empty()
    }
    if !stage.keepsDestinationResidual {
      bufferedBytes -= destinationData.byteCount
      destinationData = ring.arena.empty()
    }
    return true
  }
}
