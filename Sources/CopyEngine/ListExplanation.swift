import ExtendedCopy
import SCSI

/// Sense data of a copy in one line for people: which segment, which device, and the way out.
struct ListExplanation {
  let list: ParameterList
  let devices: [DeviceSpecification?]

  func text(_ sense: SenseData) -> String {
    let segment = sense.copySegment.map { Int($0) }
    let place = segment.map { "segment \($0): " } ?? ""
    guard let answer = sense.forwarded.first, let told = try? SenseData.decode(answer.sense) else {
      return place + "\(sense.key), \(sense.additional)" + (wayOut(sense).map { "; " + $0 } ?? "")
    }
    let name = segment.flatMap { device(of: $0, answer.origin) } ?? ""
    var text = place + name + (name.isEmpty ? "" : ": ") + "\(told.key), \(told.additional)"
    if told.key == .mediumError, let block = told.information { text += " at block \(block)" }
    return text + (wayOut(told).map { "; " + $0 } ?? "")
  }

  private func device(of number: Int, _ origin: SenseData.ForwardedSense.Origin) -> String? {
    guard list.segments.indices.contains(number) else { return nil }
    let segment = list.segments[number]
    let indices = list.targetIndices
    guard let index = origin == .source ? segment.source : segment.destination,
      indices.indices.contains(Int(index)), let target = indices[Int(index)]
    else { return nil }
    return devices[target]?.name
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
