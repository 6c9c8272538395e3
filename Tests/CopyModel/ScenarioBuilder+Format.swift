extension ScenarioBuilder {
  /// Breaks the list as a whole: the first of some random faults that the model refuses.
  mutating func spoil(_ list: inout [UInt8]) {
    for _ in 0..<60 {
      var broken = list
      breakSomething(&broken)
      let result = execute(
        list: broken, devices: devices, heldDataLimit: heldDataLimit, lid4: form == .lid4)
      if Trouble.format.describes(result) {
        list = broken
        return
      }
    }
  }

  private mutating func breakSomething(_ list: inout [UInt8]) {
    let recognised = form == .spc || form == .lid4
    let targets = list.count - inlineData.count - segments.joined().count - descriptors.count * 32
    let segment = segments.isEmpty ? nil : random.number(0...segments.count - 1)
    let target = random.number(0...descriptors.count - 1)
    switch random.number(0...11) {
    case 0:
      list.removeLast(random.number(1...min(40, list.count - 1)))
    case 1:
      if form != .vendor, form != .first { list += random.bytes(random.number(1...8)) }
    case 2:
      if recognised || target > 0 { list[targets + target * 32] = random.pick([0xC0, 0xDF, 0xF0]) }
    case 3:
      if let segment {
        list[offset(of: segment, targets)] = UInt8(random.number(0x20...0xB0))
      }
    case 4:
      if let segment { list[offset(of: segment, targets) + 3] ^= 0x08 }
    case 5:
      if let segment, [0, 1, 3, 4, 5, 6, 8, 9].contains(segments[segment][0]) {
        let at = offset(of: segment, targets) + 9
        list.replaceSubrange(at..<at + 3, with: [0, 0, 0])
      }
    case 6:
      list[1] = list[1] & ~0x18 | 0x08
    case 7:
      if form != .lid4 {
        list[1] |= 0x18
        list[0] = 7
      }
    case 8:
      if descriptors[target][1] & 0x1F == 0x01 { list[targets + target * 32 + 28] ^= 1 }
    case 9:
      if let segment, segments[segment][0] == 0x04 {
        list[offset(of: segment, targets) + 15] |= UInt8(random.number(1...3))
      }
    case 10:
      if form == .spc { list[12] = UInt8(random.number(1...0xDF)) }
    default:
      if descriptors[target][0] == 0xE4 { list[targets + target * 32 + 7] = 21 }
    }
  }

  private func offset(of segment: Int, _ targets: Int) -> Int {
    targets + descriptors.count * 32 + segments[..<segment].joined().count
  }
}
