import CopyModel

/// The bytes of a number, most significant first.
func be(_ value: Int, _ width: Int) -> [UInt8] {
  (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

/// A disk's target descriptor.
func diskTarget(_ blockLength: Int = 512, pad: Bool = false) -> [UInt8] {
  [0xE4, 0x00, 0, 0, 1, 3, 0, 8] + [UInt8](repeating: 0, count: 20) + [pad ? 4 : 0]
    + be(blockLength, 3)
}

/// A tape's target descriptor; with a block length the fixed mode.
func tapeTarget(pad: Bool = false, fixed blockLength: Int = 0) -> [UInt8] {
  [0xE4, 0x01, 0, 0, 1, 3, 0, 8] + [UInt8](repeating: 0, count: 20)
    + [(pad ? 4 : 0) | (blockLength > 0 ? 1 : 0)] + be(blockLength, 3)
}

/// A list with the 16-byte header.
func list(
  _ targets: [[UInt8]], _ segments: [[UInt8]], inline: [UInt8] = [], flags: UInt8 = 0
) -> [UInt8] {
  let body = segments.flatMap { $0 }
  return [1, flags] + be(targets.count * 32, 2) + be(0, 4) + be(body.count, 4)
    + be(inline.count, 4) + targets.flatMap { $0 } + body + inline
}

/// A segment: type code, CAT and DC, source and destination index, and what follows.
func segment(
  _ code: UInt8, cat: Bool = false, dc: Bool = false, _ source: Int, _ destination: Int,
  _ rest: [UInt8]
) -> [UInt8] {
  [code, (cat ? 1 : 0) | (dc ? 2 : 0)] + be(rest.count + 4, 2) + be(source, 2)
    + be(destination, 2) + rest
}

/// 00h, 01h, 0Bh or 0Ch.
func blocksAndStream(
  _ code: UInt8, cat: Bool = false, _ source: Int, _ destination: Int, length: Int, blocks: Int,
  lba: Int = 0
) -> [UInt8] {
  segment(
    code, cat: cat, source, destination,
    [0] + be(length, 3) + [0, 0] + be(blocks, 2) + be(lba, 8))
}

/// 02h or 0Dh.
func blocksToBlocks(
  _ code: UInt8 = 0x02, cat: Bool = false, dc: Bool = false, _ source: Int, _ destination: Int,
  blocks: Int, from: Int = 0, to: Int = 0
) -> [UInt8] {
  segment(
    code, cat: cat, dc: dc, source, destination,
    [0, 0] + be(blocks, 2) + be(from, 8) + be(to, 8))
}

/// Bytes that tell where they come from.
func pattern(_ count: Int, _ start: Int = 0) -> [UInt8] {
  (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251) }
}

func disk(_ blocks: Int, _ blockLength: Int = 512) -> ModelDevice {
  .disk(ModelDisk(blockLength: blockLength, bytes: pattern(blocks * blockLength)))
}

func tape(_ records: [[UInt8]] = []) -> ModelDevice {
  .tape(ModelTape(objects: records.map { .record($0) }))
}

extension ModelResult {
  /// The objects of a tape; nothing for another device.
  func objects(_ device: Int) -> [ModelTape.Object] {
    if case .tape(let tape) = devices[device] { tape.objects } else { [] }
  }
  /// The position of a tape.
  func position(_ device: Int) -> Int? {
    if case .tape(let tape) = devices[device] { tape.position } else { nil }
  }
  /// The bytes of a disk; nothing for another device.
  func bytes(_ device: Int) -> [UInt8] {
    if case .disk(let disk) = devices[device] { disk.bytes } else { [] }
  }
  /// The sense key, ASC and ASCQ.
  var code: [UInt8] { [senseKey, asc, ascq] }
}

func run(
  _ targets: [[UInt8]], _ segments: [[UInt8]], _ devices: [ModelDevice], inline: [UInt8] = [],
  held: Int = 1 << 20
) -> ModelResult {
  execute(
    list: list(targets, segments, inline: inline), devices: devices, heldDataLimit: held)
}
