import SAM
import SCSI
import Uring

extension LogicalUnit {
  static var modeCommands: [CommandEntry] {
    [
      CommandEntry(
        "MODE SENSE(6)", 0x1A, usage: [0x1A, 0x08, 0xFF, 0xFF, 0xFF, 0x04], access: .reads,
        execution: .direct { $0.finish($1, $0.modeSense($1.cdb, isLong: false)) }),
      CommandEntry(
        "MODE SENSE(10)", 0x5A, usage: [0x5A, 0x18, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0xFF, 0x04],
        access: .reads,
        execution: .direct { $0.finish($1, $0.modeSense($1.cdb, isLong: true)) }),
      CommandEntry(
        "MODE SELECT(6)", 0x15, usage: [0x15, 0x11, 0, 0, 0xFF, 0x04], access: .writes,
        dataOutLength: { .success(Int($1[4])) },
        execution: .asynchronous { await $0.modeSelect($1, isLong: false) }),
      CommandEntry(
        "MODE SELECT(10)", 0x55, usage: [0x55, 0x11, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0x04],
        access: .writes, dataOutLength: { .success(Int($1.uint16(at: 7))) },
        execution: .asynchronous { await $0.modeSelect($1, isLong: true) }),
    ]
  }

  /// WP and DPOFUA of the device-specific parameter (SBC-3 6.4.1).
  private var deviceSpecificParameter: UInt8 {
    (isReadOnly || control.mode.isWriteProtected ? 0x80 : 0) | 0x10
  }

  /// SPC-4 6.11, 6.12.
  private func modeSense(_ cdb: CommandDescriptorBlock, isLong: Bool) -> CommandResult {
    guard let which = ModePage.Values(rawValue: cdb[2] >> 6) else {
      preconditionFailure("two bits are one of four")
    }
    if which == .saved {
      return checkCondition(.illegalRequest(.savingParametersNotSupported, field: 2, bit: 7))
    }
    let code = cdb[2] & 0x3F
    let subpage = cdb[3]
    guard subpage == 0 || subpage == 0xFF, code == ModePage.all || ModePage.codes.contains(code)
    else {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: subpage == 0 ? 2 : 3))
    }
    var pages: [UInt8] = []
    for one in ModePage.codes where code == ModePage.all || code == one {
      pages += ModePage.bytes(one, which, control.mode) ?? []
    }
    let hasDescriptor = cdb[1] & 0x08 == 0
    let isLongDescriptor = isLong && cdb[1] & 0x10 != 0
    let descriptor = hasDescriptor ? modeBlockDescriptor(long: isLongDescriptor) : []
    var writer = ByteWriter()
    if isLong {
      writer.uint16(UInt16(6 + descriptor.count + pages.count))
      writer.append([0, deviceSpecificParameter, isLongDescriptor ? 1 : 0, 0])
      writer.uint16(UInt16(descriptor.count))
    } else {
      writer.append([
        UInt8(3 + descriptor.count + pages.count), 0, deviceSpecificParameter,
        UInt8(descriptor.count),
      ])
    }
    writer.append(descriptor)
    writer.append(pages)
    return answer(
      writer.bytes, allocationLength: isLong ? Int(cdb.uint16(at: 7)) : Int(cdb[4]))
  }

  /// SPC-4 6.9, 6.10.
  private func modeSelect(_ task: UnitTask, isLong: Bool) async -> CommandResult {
    // SP: there is no place to save parameters to.
    if task.cdb[1] & 0x01 != 0 {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 1, bit: 0))
    }
    let bytes = task.takeParameterList()
    if bytes.isEmpty { return good() }
    if task.cdb[1] & 0x10 == 0 {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 1, bit: 4))
    }
    do throws(SenseData) {
      let before = control.mode
      let values = try modeValues(bytes, isLong: isLong)
      guard values != before else { return good(dataOut: bytes.count) }
      control.mode = values
      let endsCaching = before.hasWriteCache && !values.hasWriteCache
      let endsWriting = !before.isWriteProtected && values.isWriteProtected
      // What is written from now on is durable, or refused; what was written before is made durable.
      if endsCaching || endsWriting, let sense = await flushCache() {
        if control.mode == values { control.mode = before }
        return checkCondition(sense)
      }
      control.establish(.modeParametersChanged, except: task.nexus)
      return good(dataOut: bytes.count)
    } catch {
      return checkCondition(error)
    }
  }

  private func modeValues(_ bytes: [UInt8], isLong: Bool) throws(SenseData) -> ModeValues {
    let cut = SenseData.illegalParameter(.parameterListLengthError, field: nil)
    let header = isLong ? 8 : 4
    guard bytes.count >= header else { throw cut }
    let isLongDescriptor = isLong && bytes[4] & 0x01 != 0
    let descriptorLength = isLong ? Int(bytes[6]) << 8 | Int(bytes[7]) : Int(bytes[3])
    var at = header + descriptorLength
    guard bytes.count >= at else { throw cut }
    if descriptorLength > 0,
      Array(bytes[header..<at]) != modeBlockDescriptor(long: isLongDescriptor)
    {
      throw .illegalParameter(.invalidFieldInParameterList, field: UInt16(header))
    }
    var values = control.mode
    while at < bytes.count {
      guard bytes.count - at >= 2 else { throw cut }
      let end = at + 2 + Int(bytes[at + 1])
      let isKnown = ModePage.codes.contains(bytes[at] & 0x7F)
      guard isKnown else {
        throw .illegalParameter(.invalidFieldInParameterList, field: UInt16(at))
      }
      guard end <= bytes.count else { throw cut }
      var page = Array(bytes[at..<end])
      page[0] &= 0x7F
      guard ModePage.apply(page, to: &values) else {
        throw .illegalParameter(.invalidFieldInParameterList, field: UInt16(at + 2))
      }
      at = end
    }
    return values
  }
}

extension UnitTask {
  /// The data out as bytes, for parameter lists, which are short.
  func takeParameterList() -> [UInt8] {
    guard let payload = dataOut.take() else { return [] }
    return payload.bytes()
  }
}
