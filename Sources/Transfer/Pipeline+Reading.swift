import Devices
import Uring

extension Pipeline {
  /// Issues reads as far ahead as memory, the ring and the order of effects allow.
  func issueReads() {
    while stop == nil, reading < stages.end {
      if stages.with(reading, { $0.isFullyIssued }) {
        reading += 1
      } else if reads.isFull || ring.room < Self.writeCapacity || !issueRead() {
        return
      }
    }
  }

  /// One read of the reader's stage; false where it has to wait.
  private func issueRead() -> Bool {
    let sequence = reading
    let (source, issued, isHalted, isAdmitted) = stages.with(sequence) {
      ($0.stage.source, $0.issued, $0.isHalted, $0.isAdmitted)
    }
    if isHalted { return false }
    switch source {
    case .none, .bytes:
      stages.with(sequence) { $0.isFullyIssued = true }
      return true
    case .zeros(let byteCount):
      return provideZeros(sequence, byteCount: byteCount, issued: issued)
    case .blocks(let device, let offset, let byteCount):
      guard isAdmitted || admit(sequence, device, offset..<offset + byteCount) else {
        return false
      }
      return readBlocks(sequence, device, offset: offset, byteCount: byteCount, issued: issued)
    case .records(let device, let recordLength, let recordsPerRead, let count):
      guard mayReadTape(sequence, issued: issued) else { return false }
      let length = recordLength * recordsPerRead
      if count > issued {
        guard readRecords(sequence, device, length, recordsPerRead, acceptsShorter: false) else {
          return false
        }
      }
      stages.with(sequence) { if $0.issued >= count { $0.isFullyIssued = true } }
      return true
    case .recordsUntilCondition(let device, let mostLength):
      guard mayReadTape(sequence, issued: issued), !stages.with(sequence, { $0.hasEnded }) else {
        return false
      }
      return readRecords(
        sequence, device, device.nextRecordLength ?? mostLength, 1, acceptsShorter: true)
    }
  }

  /// The position of a tape is part of the result: it is not read for a stage while one before it
  /// can still fail.
  private func mayReadTape(_ sequence: Int, issued: UInt64) -> Bool {
    sequence == writing && (issued > 0 || writesInFlight == 0)
  }

  private func provideZeros(_ sequence: Int, byteCount: UInt64, issued: UInt64) -> Bool {
    var count = Int(min(UInt64(limits.chunkBytes), byteCount - issued))
    if count > 0 {
      if bufferedBytes > 0, bufferedBytes + count > limits.reservoirBytes {
        count = limits.reservoirBytes - bufferedBytes
        guard count > 0, readsInFlight + writesInFlight == 0 else { return false }
      }
      guard hasSlices(Arena.sliceCount(ofZeros: count)) else { return false }
      bufferedBytes += count
      work.bytesSkipped += UInt64(count)
      reads.append(
        ReadSlot(
          stage: sequence, byteCount: count, isDone: true, status: .good(count),
          payload: ring.arena.zeros(count)))
    }
    stages.with(sequence) { active in
      active.issued += UInt64(count)
      active.isFullyIssued = active.issued == byteCount
      if count > 0 { active.readsPending += 1 }
    }
    return true
  }

  private func readBlocks(
    _ sequence: Int, _ device: BlockDevice, offset: UInt64, byteCount: UInt64, issued: UInt64
  ) -> Bool {
    guard issued < byteCount else {
      stages.with(sequence) { $0.isFullyIssued = true }
      return true
    }
    let blockLength = device.blockLength
    let chunk = max(blockLength, limits.chunkBytes / blockLength * blockLength)
    var count = Int(min(UInt64(chunk), byteCount - issued))
    while true {
      if hasRoom(count),
        let payload = ring.arena.allocate(count, alignment: max(512, device.memoryAlignment))
      {
        let tag = admitRead(sequence, count)
        stages.with(sequence) { active in
          active.issued += UInt64(count)
          active.isFullyIssued = active.issued == byteCount
        }
        device.read(at: offset + issued, into: payload, for: self, tag: tag)
        return true
      }
      // A smaller piece may fit between what is in use; else wait for a write to let go.
      guard count > blockLength, readsInFlight + writesInFlight == 0 else { return false }
      count = max(blockLength, count / 2 / blockLength * blockLength)
    }
  }

  private func readRecords(
    _ sequence: Int, _ device: StreamDevice, _ length: Int, _ recordCount: Int,
    acceptsShorter: Bool
  ) -> Bool {
    guard stages.with(sequence, { $0.readsPending }) < 2 * device.depth, hasRoom(length),
      let payload = ring.arena.allocate(length, alignment: max(512, device.memoryAlignment))
    else { return false }
    let tag = admitRead(sequence, length)
    stages.with(sequence) { $0.issued += 1 }
    device.read(
      into: payload, recordCount: recordCount, acceptsShorter: acceptsShorter, for: self, tag: tag)
    return true
  }

  private func hasRoom(_ count: Int) -> Bool {
    (bufferedBytes == 0 || bufferedBytes + count <= limits.reservoirBytes)
      && (flightBytes == 0 || flightBytes + count <= limits.flightBytes)
      && hasSlices(1)
  }

  /// Whether `count` slices leave enough for cutting what is in memory.
  func hasSlices(_ count: Int) -> Bool {
    ring.arena.freeSliceCount >= count + 2 * Arena.mostRanges
  }

  private func admitRead(_ sequence: Int, _ count: Int) -> UInt64 {
    let tag = UInt64(reads.end) << 1
    reads.append(
      ReadSlot(
        stage: sequence, byteCount: count, isDone: false, status: .good(), payload: nil))
    stages.with(sequence) { $0.readsPending += 1 }
    readsInFlight += 1
    flightBytes += count
    bufferedBytes += count
    work.reads += 1
    return tag
  }

  /// Whether no write that comes before this stage's reads changes what they read.
  private func admit(_ sequence: Int, _ device: BlockDevice, _ range: Range<UInt64>) -> Bool {
    for earlier in writing..<sequence {
      let stage = stages.with(earlier) { $0.stage }
      if case .blocks(let written, let offset) = stage.destination,
        written.identity == device.identity,
        range.overlaps(offset..<offset + stage.units * UInt64(stage.unit))
      {
        return false
      }
    }
    for earlier in writes.first..<writes.end {
      let isBefore = writes.with(earlier) { slot in
        slot.identity == device.identity
          && range.overlaps(slot.offset..<slot.offset + UInt64(slot.byteCount))
      }
      if isBefore { return false }
    }
    stages.with(sequence) { $0.isAdmitted = true }
    return true
  }
}
