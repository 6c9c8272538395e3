import Glibc

extension Payload {
  /// Calls `body` with ranges of equal length that lie at the same place of both payloads, first to
  /// last, as far as both reach, until it answers false.
  private func forEachPair(
    with other: borrowing Payload,
    _ body: (UnsafeMutableRawBufferPointer, UnsafeMutableRawBufferPointer) -> Bool
  ) {
    var theirs: [UnsafeMutableRawBufferPointer] = unsafe []
    unsafe other.forEachRange { unsafe theirs.append($0) }
    var index = 0
    var inside = 0
    var goesOn = true
    unsafe forEachRange { mine in
      var at = 0
      while goesOn, at < mine.count, unsafe index < theirs.count {
        let count = unsafe min(mine.count - at, theirs[index].count - inside)
        let left = unsafe UnsafeMutableRawBufferPointer(rebasing: mine[at..<at + count])
        let right = unsafe UnsafeMutableRawBufferPointer(
          rebasing: theirs[index][inside..<inside + count])
        goesOn = unsafe body(left, right)
        at += count
        inside += count
        if unsafe inside == theirs[index].count {
          index += 1
          inside = 0
        }
      }
    }
  }

  /// The first place where a byte differs from that of `other`, as far as both reach; nil where all
  /// are equal.
  public func firstDifference(from other: borrowing Payload) -> Int? {
    var done = 0
    var found: Int?
    unsafe forEachPair(with: other) { left, right in
      guard let mine = left.baseAddress, let theirs = right.baseAddress else { return true }
      if unsafe memcmp(mine, theirs, left.count) == 0 {
        done += left.count
        return true
      }
      // It lies in low..<high, which is halved until one byte is left.
      var (low, high) = (0, left.count)
      while high - low > 1 {
        let middle = (low + high) / 2
        if unsafe memcmp(mine + low, theirs + low, middle - low) == 0 {
          low = middle
        } else {
          high = middle
        }
      }
      found = done + low
      return false
    }
    return found
  }

  /// Sets every bit that is set in `other`, as far as both reach.
  public mutating func formUnion(with other: borrowing Payload) {
    unsafe forEachPair(with: other) { left, right in
      for index in 0..<left.count { unsafe left[index] |= right[index] }
      return true
    }
  }

  /// Whether every byte is zero.
  public var isZero: Bool {
    var isZero = true
    unsafe forEachRange { range in
      guard isZero, let start = range.baseAddress else { return }
      // Equal to itself moved by one: every byte equals the first.
      isZero =
        unsafe range[0] == 0 && (range.count == 1 || memcmp(start, start + 1, range.count - 1) == 0)
    }
    return isZero
  }

  /// The first `count` bytes as an array, for parameter lists; fewer where there are fewer.
  public func prefixBytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    unsafe forEachRange { range in
      let wanted = min(range.count, count - bytes.count)
      if wanted > 0 { unsafe bytes.append(contentsOf: range.prefix(wanted)) }
    }
    return bytes
  }
}
