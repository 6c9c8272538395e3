extension ScenarioBuilder {
  /// The roles that devices play in a scenario.
  private enum Role { case disk, tape, culprit }

  mutating func makeDevices() {
    var roles: [Role] = [.disk, .disk, .tape, .tape]
    switch trouble {
    case .missing, .null, .wrongType, .blockLength, .readOnlyDisk, .readOnlyTape:
      roles.append(.culprit)
    default:
      break
    }
    for role in random.shuffled(roles) {
      let index = devices.count
      switch role {
      case .disk:
        disks.append(index)
        addDisk()
      case .tape:
        tapes.append(index)
        addTape()
      case .culprit:
        culprit = index
        addCulprit()
      }
    }
  }

  /// A device that makes the wanted trouble, as good as any other otherwise.
  private mutating func addCulprit() {
    let index = devices.count
    let asTape = trouble == .readOnlyTape || (trouble != .readOnlyDisk && random.percent(50))
    if asTape, trouble != .blockLength { addTape() } else { addDisk() }
    switch trouble {
    case .missing:
      devices[index] = .missing
    case .null:
      descriptors[index][1] |= 0x20
    case .wrongType:
      descriptors[index][1] ^= 0x01
      descriptors[index].replaceSubrange(28..<32, with: [0, 0, 0, 0])
    case .blockLength:
      descriptors[index].replaceSubrange(29..<32, with: bigEndian(1024, 3))
    default:
      switch devices[index] {
      case .disk(var disk):
        disk.readOnly = true
        devices[index] = .disk(disk)
      case .tape(var tape):
        tape.readOnly = true
        devices[index] = .tape(tape)
      case .missing:
        break
      }
    }
  }

  private mutating func addDisk() {
    let blockLength = random.pick([512, 512, 520, 4096])
    let blocks = random.number(8...random.pick([40, 120, 262_144 / blockLength]))
    let count = min(blocks, 262_144 / blockLength) * blockLength
    devices.append(.disk(ModelDisk(blockLength: blockLength, bytes: random.bytes(count))))
    descriptors.append(
      descriptor(type: 0x00, fixed: false, blockLength: random.percent(70) ? blockLength : 0))
  }

  private mutating func addTape() {
    let fixed = random.percent(45)
    let length =
      fixed
      ? random.pick([512, 512, 520, 4096, 1, 77, 1000, random.number(1...9000)]) : recordLength()
    var objects: [ModelTape.Object] = []
    var total = 0
    for _ in 0..<random.number(0...30) {
      let choice = random.number(1...100)
      if choice <= 14 {
        objects.append(.filemark)
      } else {
        let count = choice <= 90 ? length : recordLength()
        if total + count > 160_000 { break }
        total += count
        objects.append(.record(random.bytes(count)))
      }
    }
    var tape = ModelTape(objects: objects)
    tape.position = random.pick([0, 0, 0, objects.count, random.number(0...objects.count)])
    if trouble == .overflow || random.percent(25) {
      tape.capacity = total + random.number(0...(trouble == .overflow ? 20_000 : 200_000))
      tape.earlyWarning = random.pick([0, 1000, 50_000])
    }
    devices.append(.tape(tape))
    descriptors.append(descriptor(type: 0x01, fixed: fixed, blockLength: fixed ? length : 0))
  }

  /// The length of a tape record.
  mutating func recordLength() -> Int {
    random.pick([
      512, 520, 1024, 4096, 10_240, 65_536, 1, 333, random.number(1...2000),
      random.number(1...70_000), random.number(2000...20_000),
    ])
  }

  private mutating func descriptor(type: UInt8, fixed: Bool, blockLength: Int) -> [UInt8] {
    let index = descriptors.count
    var bytes = [UInt8](repeating: 0, count: 32)
    let code: UInt8 = random.pick([0xE4, 0xE4, 0xE4, 0xE4, 0xE0, 0xE1, 0xE9])
    bytes[0] = code
    bytes[1] = type
    let name: [UInt8] = [0x52, 0x00, 0x4B, 0x17, 0x00, 0x00, 0x00] + bigEndian(index + 1, 1)
    switch code {
    case 0xE4:
      if random.percent(5) { bytes[1] |= 0x80 }
      bytes[4] = 0x01
      bytes[5] = 0x03
      bytes[7] = 8
      bytes.replaceSubrange(8..<16, with: name)
    case 0xE1:
      bytes[5] = UInt8(index)
      bytes.replaceSubrange(21..<24, with: bigEndian(0x01_0200 + index, 3))
    default:
      bytes[5] = UInt8(index)
      bytes.replaceSubrange(12..<20, with: name)
    }
    bytes[28] = (random.percent(55) ? 4 : 0) | (fixed ? 1 : 0)
    bytes.replaceSubrange(29..<32, with: bigEndian(blockLength, 3))
    return bytes
  }
}
