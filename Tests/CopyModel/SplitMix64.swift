/// A random number generator whose sequence depends on its seed alone.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number in the range.
  mutating func number(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  /// True in so many of a hundred cases.
  mutating func percent(_ share: Int) -> Bool { number(1...100) <= share }

  /// One of the items, which must not be empty.
  mutating func pick<Item>(_ items: [Item]) -> Item { items[number(0...items.count - 1)] }

  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      var word = next()
      for _ in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    return Array(bytes.prefix(count))
  }

  mutating func shuffled<Item>(_ items: [Item]) -> [Item] {
    var rest = items
    var shuffled: [Item] = []
    while !rest.isEmpty { shuffled.append(rest.remove(at: number(0...rest.count - 1))) }
    return shuffled
  }
}

/// The bytes of a number, most significant first.
func bigEndian(_ value: Int, _ width: Int) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: width)
  var rest = UInt64(bitPattern: Int64(value))
  for index in (0..<width).reversed() {
    bytes[index] = UInt8(truncatingIfNeeded: rest)
    rest >>= 8
  }
  return bytes
}
