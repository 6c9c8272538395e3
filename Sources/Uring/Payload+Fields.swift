extension Payload {
  /// The bytes at `offset`, which lie inside; for headers. Allocates nothing.
  public func load<let count: Int>(
    at offset: Int, as type: InlineArray<count, UInt8>.Type = InlineArray<count, UInt8>.self
  ) -> InlineArray<count, UInt8> {
    precondition(offset >= 0 && offset + count <= byteCount, "a field lies inside the payload")
    var result = InlineArray<count, UInt8>(repeating: 0)
    var start = 0
    unsafe forEachRange { range in
      let first = max(offset, start)
      let end = min(offset + count, start + range.count)
      var at = first
      while at < end {
        result[at - offset] = unsafe range[at - start]
        at += 1
      }
      start += range.count
    }
    return result
  }

  /// Overwrites the bytes at `offset`, which lie inside; for headers. Allocates nothing.
  public mutating func store<let count: Int>(_ bytes: InlineArray<count, UInt8>, at offset: Int) {
    precondition(offset >= 0 && offset + count <= byteCount, "a field lies inside the payload")
    var start = 0
    unsafe forEachRange { range in
      let end = min(offset + count, start + range.count)
      var at = max(offset, start)
      while at < end {
        unsafe range[at - start] = bytes[at - offset]
        at += 1
      }
      start += range.count
    }
  }

  /// Overwrites the bytes at `offset`, which lie inside; for what is short.
  public mutating func store(_ bytes: [UInt8], at offset: Int) {
    precondition(
      offset >= 0 && offset + bytes.count <= byteCount, "a field lies inside the payload")
    var start = 0
    unsafe forEachRange { range in
      let end = min(offset + bytes.count, start + range.count)
      var at = max(offset, start)
      while at < end {
        unsafe range[at - start] = bytes[at - offset]
        at += 1
      }
      start += range.count
    }
  }

  /// A second payload that shows the bytes of `part`, which lie inside. Whoever cuts a block of memory
  /// into fields this way changes each field only through one of them.
  public func sharing(_ part: Range<Int>) -> Payload {
    var shown = sharing(part.upperBound)
    _ = shown.removeFirst(part.lowerBound)
    return shown
  }

  /// Adds `other` behind these bytes like `append`; where it begins right behind them in the same
  /// memory, both become one slice. Cutting a payload and joining the parts again takes no more
  /// slices than it had. Cost: linear in the number of slices of `other`.
  public mutating func rejoin(_ other: consuming Payload) {
    while !other.isEmpty {
      let length = other.firstSliceByteCount
      let part = other.removeFirst(length)
      appendJoining(part)
    }
  }
}
