/// The content of a simulated file: blocks of 4096 bytes, of which holes take no memory.
struct SimulatedBytes: Sendable {
  static let blockLength: UInt64 = 4096
  private static let zeros = [UInt8](repeating: 0, count: Int(blockLength))

  private var blocks: [UInt64: [UInt8]] = [:]
  /// Runs of blocks that take room whether written or not: ascending, apart from each other.
  private var reserved: [Range<UInt64>] = []
  /// Written blocks outside `reserved`.
  private var looseBlockCount = 0
  private(set) var byteCount: UInt64 = 0

  /// Blocks that take room.
  var allocatedBlockCount: UInt64 {
    reserved.reduce(UInt64(looseBlockCount)) { $0 + UInt64($1.count) }
  }

  private func isReserved(_ block: UInt64) -> Bool {
    reserved.contains { $0.contains(block) }
  }

  /// How many of `count` bytes from `offset` fit when `room` more blocks may be taken.
  func writable(from offset: UInt64, count: Int, room: UInt64) -> Int {
    var room = room
    var end = offset
    while end < offset + UInt64(count) {
      let block = end / Self.blockLength
      if blocks[block] == nil, !isReserved(block) {
        if room == 0 { break }
        room -= 1
      }
      end = (block + 1) * Self.blockLength
    }
    return Int(min(end - offset, UInt64(count)))
  }

  mutating func write(_ source: UnsafeRawBufferPointer, at offset: UInt64) {
    var done = 0
    while done < source.count {
      let at = offset + UInt64(done)
      let block = at / Self.blockLength
      let inside = Int(at % Self.blockLength)
      let count = min(source.count - done, Int(Self.blockLength) - inside)
      if blocks[block] == nil, !isReserved(block) { looseBlockCount += 1 }
      unsafe blocks[block, default: Self.zeros].withUnsafeMutableBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[inside..<inside + count])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[done..<done + count]))
      }
      done += count
    }
    byteCount = max(byteCount, offset + UInt64(source.count))
  }

  /// Fills `target`; holes and what lies behind the end read as zeros.
  func read(into target: UnsafeMutableRawBufferPointer, at offset: UInt64) {
    var done = 0
    while done < target.count {
      let at = offset + UInt64(done)
      let inside = Int(at % Self.blockLength)
      let count = min(target.count - done, Int(Self.blockLength) - inside)
      let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: target[done..<done + count])
      if let block = blocks[at / Self.blockLength] {
        unsafe block.withUnsafeBytes { bytes in
          unsafe piece.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[inside..<inside + count]))
        }
      } else {
        unsafe piece.initializeMemory(as: UInt8.self, repeating: 0)
      }
      done += count
    }
  }

  func bytes(from offset: UInt64, count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      unsafe read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      filled = count
    }
  }

  mutating func resize(to newByteCount: UInt64) {
    if newByteCount < byteCount { punch(newByteCount..<UInt64.max) }
    byteCount = newByteCount
  }

  mutating func grow(to newByteCount: UInt64) { byteCount = max(byteCount, newByteCount) }

  /// Leaves zeros and gives back the blocks that lie wholly inside.
  mutating func punch(_ range: Range<UInt64>) {
    let firstWhole = (range.lowerBound + Self.blockLength - 1) / Self.blockLength
    let endWhole = max(firstWhole, range.upperBound / Self.blockLength)
    for block in [range.lowerBound / Self.blockLength, range.upperBound / Self.blockLength] {
      let start = block * Self.blockLength
      let end = start.addingReportingOverflow(Self.blockLength)
      let part = range.clamped(to: start..<(end.overflow ? .max : end.partialValue))
      for at in part { blocks[block]?[Int(at - start)] = 0 }
    }
    let gone = firstWhole..<endWhole
    for block in blocks.keys where gone.contains(block) {
      blocks[block] = nil
      if !isReserved(block) { looseBlockCount -= 1 }
    }
    reserved = reserved.flatMap { run in
      [
        run.clamped(to: 0..<gone.lowerBound), run.clamped(to: gone.upperBound..<UInt64.max),
      ].filter { !$0.isEmpty }
    }
  }

  /// Takes room for a range without writing it.
  mutating func reserve(_ range: Range<UInt64>) {
    guard !range.isEmpty else { return }
    var run =
      range.lowerBound / Self.blockLength..<(range.upperBound - 1) / Self.blockLength + 1
    for block in blocks.keys where run.contains(block) && !isReserved(block) {
      looseBlockCount -= 1
    }
    var apart: [Range<UInt64>] = []
    for other in reserved {
      if other.upperBound < run.lowerBound || other.lowerBound > run.upperBound {
        apart.append(other)
      } else {
        run = min(run.lowerBound, other.lowerBound)..<max(run.upperBound, other.upperBound)
      }
    }
    apart.append(run)
    reserved = apart.sorted { $0.lowerBound < $1.lowerBound }
  }

  /// SEEK_DATA and SEEK_HOLE; what was reserved and never written is a hole.
  func seek(from offset: UInt64, hole: Bool) -> UInt64? {
    guard offset < byteCount else { return nil }
    if hole {
      var at = offset
      while at < byteCount, blocks[at / Self.blockLength] != nil {
        at = (at / Self.blockLength + 1) * Self.blockLength
      }
      return min(at, byteCount)
    }
    let first = offset / Self.blockLength
    guard let found = blocks.keys.filter({ $0 >= first }).min() else { return nil }
    let start = max(offset, found * Self.blockLength)
    return start < byteCount ? start : nil
  }
}
