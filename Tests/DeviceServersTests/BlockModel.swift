/// A disk as SBC-3 describes it, in the plainest way: an array of bytes.
struct BlockModel {
  let blockLength: Int
  private(set) var bytes: [UInt8]

  init(blockLength: Int, blockCount: Int) {
    self.blockLength = blockLength
    bytes = [UInt8](repeating: 0, count: blockLength * blockCount)
  }

  func range(_ lba: UInt64, _ count: UInt64) -> Range<Int> {
    Int(lba) * blockLength..<Int(lba + count) * blockLength
  }

  func read(_ lba: UInt64, _ count: UInt64) -> [UInt8] { Array(bytes[range(lba, count)]) }

  mutating func write(_ lba: UInt64, _ data: [UInt8]) {
    bytes.replaceSubrange(range(lba, UInt64(data.count / blockLength)), with: data)
  }

  mutating func zero(_ lba: UInt64, _ count: UInt64) {
    for index in range(lba, count) { bytes[index] = 0 }
  }

  mutating func same(_ lba: UInt64, _ count: UInt64, _ block: [UInt8]) {
    for index in range(lba, count) { bytes[index] = block[index % blockLength] }
  }

  mutating func or(_ lba: UInt64, _ data: [UInt8]) {
    for (index, byte) in zip(range(lba, UInt64(data.count / blockLength)), data) {
      bytes[index] |= byte
    }
  }

  /// The first byte that differs from `data`.
  func difference(_ lba: UInt64, _ data: [UInt8]) -> Int? {
    zip(read(lba, UInt64(data.count / blockLength)), data).enumerated()
      .first { $0.element.0 != $0.element.1 }?.offset
  }
}
