extension ScenarioBuilder {
  /// A segment descriptor of this kind, drawn so that it has a good chance to succeed.
  mutating func candidate(_ code: UInt8) -> [UInt8] {
    let cat: UInt8 = random.percent(55) ? 1 : 0
    switch code {
    case 0x00, 0x0B:
      let (source, stream) = (disk(), writeTape())
      let count = blockCount(source, limit: byteLimit(stream))
      return header(code, cat, 24, source, stream.index) + [0] + bigEndian(stream.length, 3)
        + [0, 0] + bigEndian(count, 2) + bigEndian(lba(source, count), 8)
    case 0x01, 0x0C:
      let (stream, destination) = (readTape(), disk())
      let count = blockCount(destination, limit: stream.available)
      return header(code, cat, 24, stream.index, destination) + [0]
        + bigEndian(stream.length, 3) + [0, 0] + bigEndian(count, 2)
        + bigEndian(lba(destination, count), 8)
    case 0x02, 0x0D:
      let (source, destination) = diskPair()
      let dc: UInt8 = random.percent(50) ? 2 : 0
      let count = blockCount(dc == 0 ? source : destination, limit: 65_536)
      let (from, to) = lbaPair(source, destination, count)
      return header(code, cat | dc, 28, source, destination) + [0, 0] + bigEndian(count, 2)
        + bigEndian(from, 8) + bigEndian(to, 8)
    case 0x03, 0x0E:
      let (from, onto) = (readTape(), writeTape())
      let count = byteCount(min(from.available, byteLimit(onto)))
      return header(code, cat, 20, from.index, onto.index) + [0] + bigEndian(from.length, 3)
        + [0] + bigEndian(onto.length, 3) + bigEndian(count, 4)
    case 0x04:
      let onto = writeTape()
      let room = inlineData.count + (wild ? 4000 : 0)
      let offset = random.number(0...room / 4) * 4
      let count = byteCount(max(0, min(room - offset, byteLimit(onto))))
      return header(code, cat, 20, 0, onto.index) + [0] + bigEndian(onto.length, 3)
        + bigEndian(offset, 4) + bigEndian(count, 4)
    case 0x05:
      let onto = writeTape()
      let count = byteCount(min(2000, byteLimit(onto)))
      let padding = (4 - count % 4) % 4
      return header(code, cat, 16 + count + padding, 0, onto.index) + [0]
        + bigEndian(onto.length, 3) + bigEndian(count, 2) + [0, 0] + random.bytes(count)
        + [UInt8](repeating: 0, count: padding)
    case 0x06, 0x0F:
      let from = readTape()
      return header(code, cat, 16, from.index, 0) + [0] + bigEndian(from.length, 3)
        + bigEndian(byteCount(from.available), 4)
    case 0x08:
      let (source, onto) = (disk(), writeTape())
      let range = byteRange(source, limit: byteLimit(onto))
      return header(code, cat, 28, source, onto.index) + [0] + bigEndian(onto.length, 3)
        + bigEndian(range.count, 4) + bigEndian(range.lba, 8) + [0, 0]
        + bigEndian(range.offset, 2)
    case 0x09:
      let (from, destination) = (readTape(), disk())
      let range = byteRange(destination, limit: from.available)
      return header(code, cat, 28, from.index, destination) + [0] + bigEndian(from.length, 3)
        + bigEndian(range.count, 4) + bigEndian(range.lba, 8) + [0, 0]
        + bigEndian(range.offset, 2)
    case 0x0A:
      let (source, destination) = diskPair()
      let count = min(
        byteRange(source, limit: 65_536).count, byteRange(destination, limit: 65_536).count)
      let from = byteRange(source, count: count)
      let to = byteRange(destination, count: count)
      return header(code, cat, 32, source, destination) + bigEndian(count, 4)
        + bigEndian(from.lba, 8) + bigEndian(to.lba, 8) + bigEndian(from.offset, 2)
        + bigEndian(to.offset, 2)
    default:
      return positioning(code)
    }
  }

  private mutating func positioning(_ code: UInt8) -> [UInt8] {
    switch code {
    case 0x07:
      let index = random.pick(disks + tapes)
      return header(code, 0, 12, index, 0) + [random.percent(50) ? 1 : 0, 0, 0, 0]
    case 0x10:
      return header(code, 0, 12, 0, tapeIndex(writing: true))
        + [random.percent(30) ? 1 : 0] + bigEndian(random.pick([0, 1, 1, 1, 2, 3]), 3)
    case 0x11:
      let count = random.pick([-40, -3, -2, -1, 0, 1, 2, 3, wild ? 40 : 1])
      return header(code, 0, 12, 0, tapeIndex(writing: random.percent(50)))
        + [random.pick([0, 0, 1, 1, 3])] + bigEndian(count, 3)
    case 0x12:
      let index = tapeIndex(writing: random.percent(50))
      let end = tape(index)?.objects.count ?? 0
      let object = random.pick([0, 0, random.number(0...end), end + (wild ? 5 : 0)])
      return header(code, 0, 12, 0, index) + bigEndian(object, 4)
    default:
      let (from, onto) = (tapeIndex(writing: false), tapeIndex(writing: true))
      return header(code, 0, 12, from, from == onto ? other(tapes, than: from) : onto)
        + bigEndian(random.pick([0, 1, 1, 2]), 4)
    }
  }

  private func header(
    _ code: UInt8, _ flags: UInt8, _ total: Int, _ source: Int, _ destination: Int
  ) -> [UInt8] {
    [code, flags] + bigEndian(total - 4, 2) + bigEndian(source, 2) + bigEndian(destination, 2)
  }
}
