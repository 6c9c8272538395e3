/// Devices, lengths and addresses for a segment.
extension ScenarioBuilder {
  /// A tape with the STREAM DEVICE TRANSFER LENGTH to use there.
  struct Stream {
    var index: Int
    var length: Int
    /// The bytes of one command.
    var unit: Int
    /// The bytes that can be read so before anything else is met.
    var available = 0
  }

  func tape(_ index: Int) -> ModelTape? {
    if case .tape(let tape) = current[index] { tape } else { nil }
  }

  mutating func other(_ indexes: [Int], than index: Int) -> Int {
    indexes.first { $0 != index } ?? index
  }

  /// The culprit, if it looks as needed and wants to take part.
  private mutating func culprit(type: UInt8) -> Int? {
    guard wild, let culprit, descriptors[culprit][1] & 0x1F == type, random.percent(60) else {
      return nil
    }
    return culprit
  }

  mutating func disk() -> Int { culprit(type: 0x00) ?? random.pick(disks) }

  mutating func diskPair() -> (Int, Int) {
    let source = random.pick(disks)
    if let culprit = culprit(type: 0x00) { return (source, culprit) }
    return (source, random.percent(35) ? source : other(disks, than: source))
  }

  /// Mostly one tape is written and the other read.
  mutating func tapeIndex(writing: Bool) -> Int {
    if let culprit = culprit(type: 0x01) { return culprit }
    return tapes[writing == random.percent(80) ? 1 : 0]
  }

  private func isFixed(_ index: Int) -> Bool { descriptors[index][28] & 1 != 0 }

  mutating func writeTape() -> Stream {
    let index = tapeIndex(writing: true)
    if isFixed(index) {
      let length = random.number(1...6)
      return Stream(
        index: index, length: length,
        unit: length * field(descriptors[index], at: 29, width: 3))
    }
    let length = recordLength()
    return Stream(index: index, length: length, unit: length)
  }

  /// How much to write in one segment so that it stays a few hundred records.
  func byteLimit(_ stream: Stream) -> Int { min(65_536, stream.unit * 150) }

  mutating func readTape() -> Stream {
    let index = tapeIndex(writing: false)
    guard let tape = tape(index) else { return Stream(index: index, length: 1, unit: 1) }
    var run: [Int] = []
    for object in tape.objects[tape.position...] {
      guard case .record(let bytes) = object, bytes.count == run.first ?? bytes.count else {
        break
      }
      run.append(bytes.count)
    }
    let first = run.first ?? 0
    let beyond = wild && random.percent(60) ? 3 : 0
    if isFixed(index) {
      let blockLength = field(descriptors[index], at: 29, width: 3)
      let length = random.number(1...max(1, min(6, run.count)))
      let whole = run.count / length * length
      return Stream(
        index: index, length: length, unit: length * blockLength,
        available: ((first == blockLength ? whole : 0) + beyond) * blockLength)
    }
    let length = first == 0 || wild && random.percent(30) ? recordLength() : first
    return Stream(
      index: index, length: length, unit: length,
      available: (run.count + beyond) * length)
  }

  /// A count of bytes up to a limit: often all of it, sometimes nothing.
  mutating func byteCount(_ limit: Int) -> Int {
    if random.percent(7) { return 0 }
    let bounded = min(limit, 131_072)
    return random.percent(35) ? bounded : random.number(0...bounded)
  }

  private func geometry(_ index: Int) -> (blocks: Int, blockLength: Int) {
    guard case .disk(let disk) = current[index] else { return (16, 512) }
    return (disk.bytes.count / disk.blockLength, disk.blockLength)
  }

  mutating func blockCount(_ index: Int, limit: Int) -> Int {
    let (blocks, blockLength) = geometry(index)
    if random.percent(7) { return 0 }
    let most = min(blocks, max(1, limit / blockLength))
    return random.percent(25) ? most : random.number(1...most)
  }

  private var strays: Bool { wild && trouble == .lbaOutOfRange }

  mutating func lba(_ index: Int, _ count: Int) -> Int {
    let blocks = geometry(index).blocks
    if strays, random.percent(60) {
      return random.pick([blocks, blocks + 9, max(0, blocks - count + 1), 1 << 40, -1])
    }
    return random.number(0...max(0, blocks - count))
  }

  mutating func lbaPair(_ source: Int, _ destination: Int, _ count: Int) -> (Int, Int) {
    let from = lba(source, count)
    if source == destination, count > 0, random.percent(70) {
      let near = from + random.number(-count...count)
      return (from, max(0, min(near, geometry(source).blocks - count)))
    }
    return (from, lba(destination, count))
  }

  mutating func byteRange(_ index: Int, limit: Int) -> (lba: Int, offset: Int, count: Int) {
    let (blocks, blockLength) = geometry(index)
    return byteRange(index, count: byteCount(min(limit, blocks * blockLength)))
  }

  mutating func byteRange(_ index: Int, count: Int) -> (lba: Int, offset: Int, count: Int) {
    let (blocks, blockLength) = geometry(index)
    if strays, random.percent(60) {
      return (lba(index, 1), random.number(0...blockLength - 1), count)
    }
    let start = random.number(0...max(0, blocks * blockLength - count))
    if random.percent(20) { return (start / blockLength, 0, count) }
    return (start / blockLength, start % blockLength, count)
  }
}
