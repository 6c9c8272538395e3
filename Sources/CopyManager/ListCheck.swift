import ExtendedCopy
import SCSI

/// What is wrong with a list whose bytes are in order, found before anything moves: ILLEGAL REQUEST
/// with a field pointer (SPC-4 5.16.7.2). Nil where it may be executed.
func sense(refusing list: ParameterList) -> SenseData? {
  func refused(_ offset: Int) -> SenseData {
    SenseData(
      key: .illegalRequest, additional: .invalidFieldInParameterList,
      fieldPointer: UInt16(exactly: offset).map { SenseData.FieldPointer(offset: $0) })
  }
  if list.listIDUsage == .reserved { return refused(1) }
  if list.listIDUsage == .disabled {
    if list.listIdentifier != 0 { return refused(list.format == .lid4 ? 20 : 0) }
    // Held data could never be asked for.
    if let holding = list.segments.first(where: \.holdsData) { return refused(holding.offset) }
  }
  for target in list.targets {
    // A designator names the device by itself; elsewhere only a LUN is understood.
    if case .designator = target.identification {
    } else if target.luIDType != 0 {
      return refused(target.offset + 1)
    }
    if case .stream(_, let isFixed, let blockLength) = target.device,
      isFixed != (blockLength != 0)
    {
      return refused(target.offset + 29)
    }
  }
  for segment in list.segments {
    switch segment.operation {
    case .blockToStream(let length, _, _), .streamToBlock(let length, _, _),
      .inlineToStream(let length, _, _), .embeddedToStream(let length, _),
      .streamToDiscard(let length, _), .blockOffsetToStream(let length, _, _, _),
      .streamToBlockOffset(let length, _, _, _):
      if length == 0 { return refused(segment.offset + 9) }
    case .streamToStream(let source, let destination, _):
      if source == 0 { return refused(segment.offset + 9) }
      if destination == 0 { return refused(segment.offset + 13) }
    default: break
    }
    // Setmarks went with SSC-2; writing a filemark instead would not be what was asked for.
    if case .writeFilemarks(_, true, _) = segment.operation { return refused(segment.offset + 8) }
    if case .inlineToStream(_, let offset, _) = segment.operation, offset % 4 != 0 {
      return refused(segment.offset + 12)
    }
  }
  return nil
}
