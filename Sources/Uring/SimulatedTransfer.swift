import Glibc

/// A read or write that a ring has taken: where in the file, and where in memory.
///
/// The memory stays valid until the operation completes, because the ring keeps its payload.
struct SimulatedTransfer: Sendable {
  struct Range: Sendable {
    var address: UInt
    var length: Int
  }

  var descriptor: Int32
  var isWrite: Bool
  var offset: UInt64
  var ranges: [Range]
  /// RWF_DSYNC.
  var isDurable = false
  var byteCount: Int { ranges.reduce(0) { $0 + $1.length } }

  /// The first `count` bytes in memory.
  func bytes(_ count: Int) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(count)
    for range in ranges {
      unsafe all.append(
        contentsOf: UnsafeRawBufferPointer(
          start: UnsafeRawPointer(bitPattern: range.address),
          count: min(range.length, count - all.count)))
    }
    return all
  }

  func isAligned(to alignment: Int) -> Bool {
    offset % UInt64(alignment) == 0
      && ranges.allSatisfy { $0.address % UInt(alignment) == 0 && $0.length % alignment == 0 }
  }
}

extension SimulatedFileSystem {
  /// The unit that a short transfer of this descriptor keeps to.
  func unit(of descriptor: Int32) -> Int {
    state.withLock { state in
      state.tree.openFiles[descriptor]?.isDirect == true ? Int(directAlignment) : 1
    }
  }

  /// A ring has taken an operation: what a flush submitted now covers.
  func begin(flush descriptor: Int32) -> Int {
    state.withLock { (try? $0.changeCount(descriptor)) ?? 0 }
  }

  /// A ring has taken a write, which a power loss may tear from now on.
  func begin(write transfer: SimulatedTransfer, token: UInt64) {
    state.withLock { $0.mount.writesInFlight[token] = transfer }
  }

  /// The operation will not have an effect any more.
  func end(write token: UInt64) {
    state.withLock { _ = $0.mount.writesInFlight.removeValue(forKey: token) }
  }

  /// Counts an operation of a ring; false where the power has failed.
  func countOperation() -> Bool { state.withLock { $0.countOperation() } }

  /// Whether the time of a mount has passed.
  func isOver(_ epoch: Int) -> Bool {
    state.withLock { $0.mount.epoch != epoch || $0.mount.isDown }
  }

  /// Moves at most `limit` bytes; the byte count or -errno.
  func transfer(_ transfer: SimulatedTransfer, limit: Int) -> Int32 {
    state.withLock { state in
      guard let (open, file) = try? state.tree.opened(transfer.descriptor) else { return -EBADF }
      if file.kind == .directory { return -EISDIR }
      guard transfer.isWrite ? open.isWritable : open.isReadable else { return -EBADF }
      if open.isDirect, !transfer.isAligned(to: Int(directAlignment)) { return -EINVAL }
      guard transfer.offset <= UInt64(Int64.max) - UInt64(transfer.byteCount) else {
        return -EINVAL
      }
      var count = min(limit, transfer.byteCount)
      if !transfer.isWrite {
        let end = file.content.byteCount
        count = Int(min(UInt64(count), end - min(end, transfer.offset)))
      }
      let kind: SimulatedFault.Operation = transfer.isWrite ? .write : .read
      let bytes = transfer.offset..<transfer.offset + UInt64(count)
      if let index = state.mount.faultIndex(kind, open.path, bytes) {
        let before = state.mount.plan.faults[index].bytes.lowerBound
        let unit = open.isDirect ? UInt64(directAlignment) : 1
        let sound = before > transfer.offset ? (before - transfer.offset) / unit * unit : 0
        guard sound > 0, state.mount.random.happens(0.5) else {
          let errno = state.mount.plan.faults[index].errno
          if state.mount.plan.faults[index].isOnce { state.mount.plan.faults.remove(at: index) }
          if transfer.isWrite { state.spoil(open.file, transfer, count) }
          return -errno
        }
        count = Int(sound)
      }
      return transfer.isWrite
        ? state.write(open, transfer, count, capacityBytes: capacityBytes, directAlignment)
        : state.read(file, transfer, count)
    }
  }

  /// FALLOCATE: 0 or -errno.
  func allocate(
    _ descriptor: Int32, from offset: UInt64, count: UInt64, keepsSize: Bool, punches: Bool,
    leavesZeros: Bool = false
  ) -> Int32 {
    state.withLock { state in
      guard let (open, file) = try? state.tree.opened(descriptor), open.isWritable else {
        return -EBADF
      }
      guard file.kind == .regular || (file.kind == .blockDevice && (punches || leavesZeros)) else {
        return -EOPNOTSUPP
      }
      let (end, overflows) = offset.addingReportingOverflow(count)
      guard count > 0, !overflows, end <= UInt64(Int64.max) else { return -EINVAL }
      if let fault = state.mount.takeFault(.allocate, open.path, offset..<end) {
        return -fault.errno
      }
      let inside = offset..<max(offset, min(end, file.content.byteCount))
      if punches {
        state.tree.files[open.file]?.make(.punch(inside))
        return 0
      }
      var grown = file.content
      grown.reserve(offset..<end)
      let wanted = grown.allocatedBlockCount - file.content.allocatedBlockCount
      let used = state.tree.usedBlockCount
      if used + wanted > capacityBytes / SimulatedBytes.blockLength { return -ENOSPC }
      if leavesZeros { state.tree.files[open.file]?.make(.punch(inside)) }
      state.tree.files[open.file]?.make(
        .reserve(offset..<end, byteCount: keepsSize ? 0 : end))
      return 0
    }
  }
}

extension SimulatedFileSystem.State {
  fileprivate func read(
    _ file: SimulatedFile, _ transfer: SimulatedTransfer, _ count: Int
  ) -> Int32 {
    var done = 0
    for range in transfer.ranges where done < count {
      let piece = min(range.length, count - done)
      unsafe file.content.read(
        into: UnsafeMutableRawBufferPointer(
          start: UnsafeMutableRawPointer(bitPattern: range.address), count: piece),
        at: transfer.offset + UInt64(done))
      done += piece
    }
    return Int32(clamping: count)
  }

  fileprivate mutating func write(
    _ open: SimulatedTree.OpenFile, _ transfer: SimulatedTransfer, _ count: Int,
    capacityBytes: UInt64, _ alignment: UInt32
  ) -> Int32 {
    var fits = writable(open.file, transfer.offset, count, capacityBytes: capacityBytes)
    if open.isDirect { fits = fits / Int(alignment) * Int(alignment) }
    if fits == 0, count > 0 { return -ENOSPC }
    write(open.file, transfer.bytes(fits), at: transfer.offset)
    return Int32(clamping: fits)
  }

  /// A write that failed may have left some of its sectors, but does not move the end of the file.
  fileprivate mutating func spoil(_ file: UInt64, _ transfer: SimulatedTransfer, _ count: Int) {
    let sector = SimulatedFile.sectorLength
    let end = tree.files[file]?.content.byteCount ?? 0
    let bytes = transfer.bytes(count)
    for start in stride(from: 0, to: count, by: sector) where mount.random.happens(0.5) {
      let at = transfer.offset + UInt64(start)
      let stop = min(start + sector, count)
      guard at + UInt64(stop - start) <= end else { break }
      tree.files[file]?.make(.write(offset: at, bytes: Array(bytes[start..<stop])))
    }
  }
}
