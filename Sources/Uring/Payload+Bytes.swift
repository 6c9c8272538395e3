extension Payload {
  /// Calls `body` with each contiguous range of memory, first to last; slices that touch in memory
  /// are one range.
  public func forEachRange(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
    var index = head
    while index != noIndex {
      let slice = unsafe store.pointee.slice(index)
      var length = slice.length
      var next = slice.next
      while next != noIndex {
        let following = unsafe store.pointee.slice(next)
        guard following.start == slice.start + length else { break }
        length += following.length
        next = following.next
      }
      let start = unsafe store.pointee.base + slice.start
      unsafe body(UnsafeMutableRawBufferPointer(start: start, count: length))
      index = next
    }
  }

  /// Number of contiguous ranges of memory.
  public var rangeCount: Int {
    if sliceCount < 2 { return sliceCount }
    var count = 0
    unsafe forEachRange { _ in count += 1 }
    return count
  }

  /// Whether every range starts and ends on multiples of `alignment`, as direct I/O asks.
  public func isAligned(to alignment: Int) -> Bool {
    var aligned = true
    unsafe forEachRange { range in
      let start = UInt(bitPattern: range.baseAddress)
      if start % UInt(alignment) != 0 || range.count % alignment != 0 { aligned = false }
    }
    return aligned
  }

  /// Copies the bytes out; for metadata and tests, payload of a copy is never copied.
  public func bytes() -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(byteCount)
    unsafe forEachRange { unsafe all.append(contentsOf: $0) }
    return all
  }

  /// Overwrites the first bytes, as far as both reach; for metadata and tests.
  public mutating func overwrite(with bytes: [UInt8]) {
    var done = 0
    unsafe forEachRange { range in
      let count = min(range.count, bytes.count - done)
      guard count > 0 else { return }
      unsafe bytes.withUnsafeBytes { source in
        unsafe range.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[done..<done + count]))
      }
      done += count
    }
  }

  /// The same bytes in one contiguous range, by copying them; nil where the arena has no room.
  /// The caller counts the bytes as copied.
  public func gathered(alignment: Int) -> Payload? {
    let index = unsafe store.pointee.allocate(byteCount, alignment: alignment)
    guard index != noIndex else { return nil }
    let whole = unsafe Payload(store: store, slice: index)
    var at = unsafe store.pointee.base + store.pointee.slice(index).start
    unsafe forEachRange { range in
      unsafe at.copyMemory(
        from: UnsafeRawPointer(range.baseAddress.unsafelyUnwrapped), byteCount: range.count)
      unsafe at += range.count
    }
    return whole
  }
}
