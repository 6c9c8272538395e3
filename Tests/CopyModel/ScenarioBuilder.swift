/// Builds one scenario.
struct ScenarioBuilder {
  /// The forms of the header.
  enum Form { case spc, vendor, draft, first, lid4 }

  let seed: UInt64
  var random: SplitMix64
  var form: Form
  var flags: UInt8 = 0
  var descriptors: [[UInt8]] = []
  var devices: [ModelDevice] = []
  /// The devices as the chain so far leaves them.
  var current: [ModelDevice] = []
  /// Disks and tapes without fault, by index.
  var disks: [Int] = []
  var tapes: [Int] = []
  /// The device that makes the trouble, by index.
  var culprit: Int?
  var inlineData: [UInt8] = []
  var segments: [[UInt8]] = []
  var heldDataLimit: Int
  var trouble: Trouble?
  /// Whether segments may be drawn that are unlikely to succeed.
  var wild = false

  init(seed: UInt64) {
    self.seed = seed
    random = SplitMix64(seed: seed)
    form = random.pick([
      .spc, .spc, .spc, .spc, .spc, .spc, .spc, .spc, .spc, .spc, .spc, .spc, .spc, .spc, .vendor,
      .vendor, .vendor, .draft, .first, .lid4,
    ])
    heldDataLimit = random.pick([0, 100, 4096, 65536, 1 << 20])
    if random.percent(31) { trouble = random.pick(Trouble.allCases) }
    if form == .spc || form == .draft || form == .lid4 {
      inlineData = random.bytes(random.pick([0, 512, 2000, 8192]))
    }
    makeDevices()
    current = devices
  }

  mutating func build() -> Scenario {
    // 00b (hold), 10b (may discard) or 11b (no list identifier); 01b is reserved.
    let holds = random.percent(60)
    flags = holds ? 0x00 : random.pick([0x10, 0x18])
    flags |= random.pick([0, 1, 3]) | (random.percent(30) ? 0x20 : 0)
    // Room for the segment that fails and two that are not reached.
    let wanted = random.number(1...(trouble == nil ? 12 : 9))
    while segments.count < wanted {
      guard let segment = draw(from: kinds(holds), accept: { $0.status == 0 }) else { break }
      segments.append(segment)
    }
    var list = assemble(segments)
    if let trouble {
      wild = true
      if trouble == .format {
        spoil(&list)
      } else {
        let culprits = trouble.kinds?.filter { kinds(holds).contains($0) }
        if let segment = draw(
          from: culprits ?? kinds(holds), accept: { trouble.describes($0) }, tries: 60)
        {
          segments.append(segment)
          for _ in 0..<random.number(0...2) {
            segments.append(candidate(random.pick(kinds(holds))))
          }
          list = assemble(segments)
        }
      }
    }
    return Scenario(
      seed: seed, list: list, lid4: form == .lid4, devices: devices,
      heldDataLimit: heldDataLimit)
  }

  /// The segment kinds to draw from, the more often the oftener they stand here.
  private func kinds(_ holds: Bool) -> [UInt8] {
    var kinds: [UInt8] = [
      0x00, 0x00, 0x00, 0x01, 0x01, 0x02, 0x02, 0x06, 0x07, 0x08, 0x08, 0x09, 0x09, 0x0A, 0x0A,
      0x10, 0x10, 0x11, 0x12, 0x12, 0x13,
    ]
    if form != .first { kinds += [0x03, 0x03, 0x04, 0x05] }
    if holds { kinds += [0x0B, 0x0C, 0x0D, 0x0F] }
    if holds, form != .first { kinds += [0x0E] }
    return kinds
  }

  /// Draws segments until one gives an acceptable result.
  private mutating func draw(
    from kinds: [UInt8], accept: (ModelResult) -> Bool, tries: Int = 20
  ) -> [UInt8]? {
    for _ in 0..<tries {
      var segment = candidate(random.pick(kinds))
      if wild { twist(&segment) }
      let result = execute(
        list: assemble(segments + [segment]), devices: devices, heldDataLimit: heldDataLimit,
        lid4: form == .lid4)
      if accept(result), isSmall(result.devices) {
        current = result.devices
        return segment
      }
    }
    return nil
  }

  /// Makes trouble in a segment's indexes.
  private mutating func twist(_ segment: inout [UInt8]) {
    let at = random.pick([4, 6])
    switch trouble {
    case .badIndex:
      let index = random.pick([devices.count, devices.count + 7, 0x800, 0xFFFF])
      segment.replaceSubrange(at..<at + 2, with: bigEndian(index, 2))
    case .invalidOperation:
      let index = random.number(0...devices.count - 1)
      segment.replaceSubrange(at..<at + 2, with: bigEndian(index, 2))
    case .missing, .null, .wrongType:
      if let culprit { segment.replaceSubrange(at..<at + 2, with: bigEndian(culprit, 2)) }
    case .inexact:
      if segment[0] != 0x07, segment[0] < 0x10 { segment[1] &= ~1 }
    default:
      break
    }
  }

  private func isSmall(_ devices: [ModelDevice]) -> Bool {
    devices.allSatisfy {
      if case .tape(let tape) = $0 { tape.objects.count <= 1000 } else { true }
    }
  }

  /// The list of the header, the target descriptors, these segments and the inline data.
  func assemble(_ segments: [[UInt8]]) -> [UInt8] {
    let targets = descriptors.flatMap { $0 }
    let body = segments.flatMap { $0 }
    let identifier = flags & 0x18 == 0x18 ? 0 : 0x2A
    var list: [UInt8] = [UInt8(identifier), flags] + bigEndian(targets.count, 2)
    switch form {
    case .spc:
      list += bigEndian(0, 4) + bigEndian(body.count, 4) + bigEndian(inlineData.count, 4)
    case .vendor:
      list += bigEndian(0, 4) + bigEndian(body.count, 4)
    case .draft:
      list += bigEndian(body.count, 4) + bigEndian(inlineData.count, 4)
    case .first:
      list += bigEndian(body.count, 4)
    case .lid4:
      list = [0x01, flags, 0x00, 0x20] + [UInt8](repeating: 0, count: 12) + [0xFF, 0, 0, 0]
      list += bigEndian(identifier, 4) + [UInt8](repeating: 0, count: 18)
      list += bigEndian(targets.count, 2) + bigEndian(body.count, 2)
      list += bigEndian(inlineData.count, 2)
    }
    return list + targets + body + inlineData
  }
}
