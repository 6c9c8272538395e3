/// What a segment's index leads to: the checks that are made when the segment starts.
extension ModelCopy {
  /// The target descriptor and the index of its device, which is there and of the type it says.
  func target(
    of segment: ModelSegment, at indexOffset: Int
  ) throws(ModelFailure) -> (target: ModelTarget, device: Int) {
    let index = field(segment.bytes, at: indexOffset, width: 2)
    guard index < list.targets.count, let target = list.targets[index] else {
      throw ModelFailure(
        asc: 0x08, ascq: 0x04, pointer: .init(offset: indexOffset, inSegment: true))
    }
    if target.isNull || index >= result.devices.count || result.devices[index] == .missing {
      throw ModelFailure(
        asc: 0x08, ascq: 0x04, pointer: .init(offset: target.offset, inSegment: false))
    }
    let actualType: UInt8
    switch result.devices[index] {
    case .tape: actualType = 0x01
    default: actualType = 0x00
    }
    if target.peripheralDeviceType != actualType {
      throw ModelFailure(
        asc: 0x0D, ascq: 0x03, pointer: .init(offset: target.offset + 1, inSegment: false))
    }
    return (target, index)
  }

  /// As `target`, and a tape.
  func tape(
    of segment: ModelSegment, at indexOffset: Int
  ) throws(ModelFailure) -> (device: Int, tape: ModelTape, target: ModelTarget) {
    let (target, device) = try target(of: segment, at: indexOffset)
    guard case .tape(let tape) = result.devices[device] else {
      throw .invalidOperation(indexOffset)
    }
    return (device, tape, target)
  }

  /// As `target`, and a disk of the block length that the descriptor says.
  func disk(
    of segment: ModelSegment, at indexOffset: Int
  ) throws(ModelFailure) -> (device: Int, disk: ModelDisk, target: ModelTarget) {
    let (target, device) = try target(of: segment, at: indexOffset)
    guard case .disk(let disk) = result.devices[device] else {
      throw .invalidOperation(indexOffset)
    }
    if target.blockLength != 0, target.blockLength != disk.blockLength {
      throw ModelFailure(
        asc: 0x26, ascq: 0x00, pointer: .init(offset: target.offset + 29, inSegment: false))
    }
    return (device, disk, target)
  }
}

extension ModelFailure {
  /// The device at this index cannot do what the segment asks.
  static func invalidOperation(_ indexOffset: Int) -> ModelFailure {
    ModelFailure(
      asc: 0x26, ascq: 0x0C, pointer: ModelFieldPointer(offset: indexOffset, inSegment: true))
  }
}
