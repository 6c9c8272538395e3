import CopyManager
import Devices
import ExtendedCopy
import SCSI

/// Sense data of a copy in one line for people: which segment, which device, and the way out.
struct ListExplanation {
  let list: ParameterList
  let names: [DeviceSpecification?]
  let devices: [CopyDevice?]

  func text(_ sense: SenseData) -> String {
    let segment = sense.copySegment.map { Int($0) }
    let place = segment.map { "segment \($0): " } ?? ""
    guard let answer = sense.forwarded.first, let told = try? SenseData.decode(answer.sense) else {
      let what = "\(sense.key), \(sense.additional)"
      return place + what + ((refusal(sense, segment) ?? wayOut(sense)).map { "; " + $0 } ?? "")
    }
    let target = segment.flatMap { self.target(of: $0, answer.origin) }
    let name = target.flatMap { names[$0]?.name } ?? ""
    var text = place + name + (name.isEmpty ? "" : ": ")
    if told.incorrectLength, let lengths = lengths(told, segment, target) { return text + lengths }
    text += "\(told.key), \(told.additional)"
    if told.key == .mediumError, let block = told.information { text += " at block \(block)" }
    return text + (wayOut(told).map { "; " + $0 } ?? "")
  }

  private func target(of number: Int, _ origin: SenseData.ForwardedSense.Origin) -> Int? {
    guard list.segments.indices.contains(number) else { return nil }
    let segment = list.segments[number]
    return target(origin == .source ? segment.source : segment.destination)
  }

  private func target(_ index: UInt16?) -> Int? {
    let indices = list.targetIndices
    guard let index, indices.indices.contains(Int(index)) else { return nil }
    return indices[Int(index)]
  }

  /// Of a record that has another length than a READ asked for: both.
  private func lengths(_ told: SenseData, _ segment: Int?, _ target: Int?) -> String? {
    guard let segment, let target, let information = told.information,
      list.segments.indices.contains(segment),
      case .stream(_, false, _) = list.targets[target].device,
      let asked = list.segments[segment].operation.bytesAskedFor
    else { return nil }
    // INFORMATION: what was asked for less the length of the record, in two's complement.
    let length = Int64(asked) - Int64(Int32(truncatingIfNeeded: information))
    return "a record of \(length) bytes, \(asked) were asked for; say the length of the records "
      + "as the stream device transfer length"
  }

  // MARK: Refusals

  /// What the field pointer of a refused list points at, where that says more than its number.
  private func refusal(_ sense: SenseData, _ number: Int?) -> String? {
    guard let pointer = sense.fieldPointer else { return nil }
    let offset = Int(pointer.offset)
    guard pointer.inSegment else { return refusal(sense, inTargetAt: offset) }
    guard let number, list.segments.indices.contains(number) else { return nil }
    let segment = list.segments[number]
    switch sense.additional {
    case .unreachableCopyTarget:
      let index = offset == 4 ? segment.source : segment.destination
      return "the list has \(list.targetIndices.count) target descriptors, segment \(number) names "
        + "number \(index ?? 0); they are counted from 0"
    case .copyTargetDeviceNotReachable:
      guard let range = segment.operation.range(ofField: offset),
        let target = self.target(range.isSource ? segment.source : segment.destination),
        case .block(let disk) = devices[target]
      else { return nil }
      return "\(names[target]?.name ?? disk.name) has \(disk.blockCount) blocks of "
        + "\(disk.blockLength) bytes, and the range \(range.text) lies behind the end of the disk; "
        + "correct the list, or use the whole disk"
    default: return nil
    }
  }

  private func refusal(_ sense: SenseData, inTargetAt offset: Int) -> String? {
    guard let target = list.targets.lastIndex(where: { $0.offset <= offset }),
      let number = list.targetIndices.firstIndex(of: target)
    else { return nil }
    let descriptor = list.targets[target]
    switch sense.additional {
    case .unreachableCopyTarget:
      let name = descriptor.name.map { " (\($0))" } ?? ""
      return "no device is bound to target descriptor \(number)\(name); "
        + "name it by what the descriptor says (naa=, wwn= and lun=), or say --cscd \(number)=DEVICE"
    case .invalidFieldInParameterList:
      guard case .block(_, let blockLength) = descriptor.device,
        case .block(let disk) = devices[target],
        blockLength != 0, Int(blockLength) != disk.blockLength
      else { return nil }
      return "target descriptor \(number) says blocks of \(blockLength) bytes, "
        + "\(names[target]?.name ?? disk.name) has \(disk.blockLength); say block=\(blockLength)"
    default: return nil
    }
  }

  private func wayOut(_ sense: SenseData) -> String? {
    switch (sense.key, sense.additional) {
    case (_, .unreachableCopyTarget):
      "name a device by what the descriptor says (naa=, wwn= and lun=), or bind one by its number"
    case (_, .copyTargetDeviceNotReachable):
      "the range lies behind the end of the disk; correct the list, or use the whole disk"
    case (_, .incorrectCopyTargetDeviceType):
      "the device is of another type than its descriptor says; bind the right one"
    case (.volumeOverflow, _): "the tape is full; go on with another one"
    case (.dataProtect, .writeProtected): "lift the write protection, or use another medium"
    case (.dataProtect, _): "free some room on the file system"
    case (.mediumError, _): "do not trust this medium; copy what can be read, and replace it"
    case (.blankCheck, _): "the tape ends before the list does; look at it with ecopy tape list"
    case (.notReady, _): "load a medium"
    default: nil
    }
  }
}

extension SegmentDescriptor.Operation {
  /// Bytes of one READ of a source tape with variable records.
  fileprivate var bytesAskedFor: UInt32? {
    switch self {
    case .streamToBlock(let length, _, _), .streamToStream(let length, _, _),
      .streamToDiscard(let length, _), .streamToBlockOffset(let length, _, _, _):
      length
    default: nil
    }
  }

  /// The range of blocks whose LBA is the field at `offset` of the descriptor, in words.
  fileprivate func range(ofField offset: Int) -> (isSource: Bool, text: String)? {
    func bytes(_ count: UInt32, _ lba: UInt64, _ start: UInt16) -> String {
      "of \(count) bytes from byte \(start) of block \(lba)"
    }
    func blocks(_ count: UInt16, _ lba: UInt64) -> String { "of \(count) blocks from LBA \(lba)" }
    switch self {
    case .blockToStream(_, let count, let lba): return (true, blocks(count, lba))
    case .streamToBlock(_, let count, let lba): return (false, blocks(count, lba))
    case .blockToBlock(let countsDestination, _, let count, let source, let destination):
      let isSource = offset < 20
      let lba = isSource ? source : destination
      return (isSource, countsDestination == isSource ? "from LBA \(lba)" : blocks(count, lba))
    case .blockOffsetToStream(_, let count, let lba, let start):
      return (true, bytes(count, lba, start))
    case .streamToBlockOffset(_, let count, let lba, let start):
      return (false, bytes(count, lba, start))
    case .blockOffsetToBlockOffset(
      let count, let source, let destination, let sourceStart, let destinationStart):
      return offset < 20
        ? (true, bytes(count, source, sourceStart))
        : (false, bytes(count, destination, destinationStart))
    default: return nil
    }
  }
}

extension TargetDescriptor {
  /// How it names its device, in words; nil where no option of a device says that.
  fileprivate var name: String? {
    switch identification {
    case .designator(let designator): return "\(designator)"
    case .wwn(let name), .nPortIDWithName(let name, _), .sas(let name):
      let digits = String(name, radix: 16)
      return "wwn=" + String(repeating: "0", count: 16 - digits.count) + digits
        + (DeviceOptions.number(ofLogicalUnit: self).map { ", lun=\($0)" } ?? "")
    default: return nil
    }
  }
}
