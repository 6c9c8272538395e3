import Testing
import Uring

@Suite("Payloads side by side")
struct PayloadComparisonTests {
  /// A payload of `bytes` in slices of `sliceLength` that do not touch in memory.
  private static func scattered(_ bytes: [UInt8], _ sliceLength: Int, _ ring: Ring) -> Payload {
    var whole = ring.arena.empty()
    var at = 0
    while at < bytes.count {
      let part = Array(bytes[at..<min(bytes.count, at + sliceLength)])
      guard var slice = ring.arena.allocate(part.count + 1) else {
        preconditionFailure("the arena of a test has room")
      }
      slice.overwrite(with: part)
      slice.truncate(to: part.count)
      whole.append(slice)
      at += part.count
    }
    return whole
  }

  @Test("the first difference is found wherever the slices end")
  func difference() async throws {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 8 << 20
    let processor = try Processor(configuration)
    await processor.run { ring in
      let bytes = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      for (mine, theirs) in [(2000, 2000), (7, 13), (512, 100), (1, 1999)] {
        let left = Self.scattered(bytes, mine, ring)
        let same = left.firstDifference(from: Self.scattered(bytes, theirs, ring))
        #expect(same == nil)
        for place in [0, 1, 6, 7, 511, 512, 1024, 1998] {
          var other = bytes
          other[place] ^= 0x40
          // A later difference does not count.
          other[1999] ^= 0x01
          let found = left.firstDifference(from: Self.scattered(other, theirs, ring))
          #expect(found == place)
        }
        let short = left.firstDifference(from: Self.scattered(Array(bytes.prefix(9)), 2, ring))
        let (isZero, prefix) = (left.isZero, left.prefixBytes(20))
        #expect(short == nil && !isZero && prefix == Array(bytes.prefix(20)))
      }
    }
    processor.stop()
  }

  @Test("bits are united, and zeros are known")
  func union() async throws {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 8 << 20
    let processor = try Processor(configuration)
    await processor.run { ring in
      var left = Self.scattered([1, 2, 4, 8, 16, 0], 4, ring)
      left.formUnion(with: Self.scattered([16, 8, 4, 2], 3, ring))
      let united = left.bytes()
      #expect(united == [17, 10, 4, 10, 16, 0])
      let zeros = Self.scattered([UInt8](repeating: 0, count: 100), 33, ring)
      let areZeros = zeros.isZero
      #expect(areZeros)
      for place in [0, 1, 32, 33, 99] {
        var bytes = [UInt8](repeating: 0, count: 100)
        bytes[place] = 1
        let payload = Self.scattered(bytes, 33, ring)
        let isZero = payload.isZero
        #expect(!isZero)
      }
      let nines = Self.scattered([9, 9, 9], 3, ring)
      let areNinesZero = nines.isZero
      #expect(!areNinesZero)
    }
    processor.stop()
  }
}
