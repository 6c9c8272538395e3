import SAM
import SCSI
import Uring

/// What stands where a LUN names nothing: it answers INQUIRY, REQUEST SENSE and REPORT LUNS and refuses
/// all else. SPC-4 6.6.2, SAM-5 5.11.
final class AbsentUnit: LogicalUnit {
  /// The numbers that a nexus sees.
  var numbers: (Nexus) -> [Int] = { _ in [] }
  /// A nexus has asked for the numbers.
  var inventoryReported: (Nexus) -> Void = { _ in }

  init(ring: Ring) {
    super.init(
      ring: ring, identity: UnitIdentity(product: "NOT PRESENT", serialNumber: "", naa: []),
      peripheralDeviceType: 0x1F, control: ControlBlock(), table: CommandTable(Self.commands))
  }

  /// Everything but the three is LOGICAL UNIT NOT SUPPORTED.
  override func admit(_ command: Command) -> Admission {
    switch command.cdb.operationCode {
    case 0x03, 0x12, 0xA0: return super.admit(command)
    default:
      return .finished(
        checkCondition(.illegalRequest(.logicalUnitNotSupported, field: nil)))
    }
  }

  private static var commands: [CommandEntry] {
    [
      CommandEntry(
        "REQUEST SENSE", 0x03, usage: [0x03, 0x01, 0, 0, 0xFF, 0x04], access: .always,
        meetsUnitAttention: false,
        execution: .direct { unit, task in
          let sense = SenseData(key: .illegalRequest, additional: .logicalUnitNotSupported)
          let bytes = task.cdb[1] & 1 != 0 ? sense.descriptorBytes() : sense.fixedBytes()
          unit.finish(task, unit.answer(bytes, allocationLength: Int(task.cdb[4])))
        }),
      CommandEntry(
        "INQUIRY", 0x12, usage: [0x12, 0x01, 0xFF, 0xFF, 0xFF, 0x04], access: .always,
        meetsUnitAttention: false,
        execution: .direct { unit, task in
          guard let absent = unit as? AbsentUnit else {
            preconditionFailure("the command is in one unit's table")
          }
          unit.finish(task, absent.inquiry(task))
        }),
      CommandEntry(
        "REPORT LUNS", 0xA0,
        usage: [0xA0, 0, 0xFF, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x04], access: .always,
        meetsUnitAttention: false,
        execution: .direct { unit, task in
          guard let absent = unit as? AbsentUnit else {
            preconditionFailure("the command is in one unit's table")
          }
          unit.finish(task, absent.reportLUNs(task))
        }),
    ]
  }

  private func inquiry(_ task: UnitTask) -> CommandResult {
    let cdb = task.cdb
    if cdb[1] & 1 != 0 || cdb[2] != 0 {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 2))
    }
    var bytes = [UInt8](repeating: 0, count: 36)
    // The REPORT LUNS well known logical unit, or nothing and never anything.
    bytes[0] = task.command.logicalUnit == LogicalUnitNumber.reportLUNs ? 0x1E : 0x7F
    bytes[2] = InquiryData.version
    bytes[3] = 0x02
    bytes[4] = 31
    bytes.replaceSubrange(8..<16, with: InquiryData.ascii(identity.vendor, count: 8))
    bytes.replaceSubrange(16..<32, with: InquiryData.ascii(identity.product, count: 16))
    bytes.replaceSubrange(32..<36, with: InquiryData.ascii(identity.revision, count: 4))
    return answer(bytes, allocationLength: Int(cdb.uint16(at: 3)))
  }

  /// SPC-4 6.33: at least 16 bytes are asked for.
  private func reportLUNs(_ task: UnitTask) -> CommandResult {
    let cdb = task.cdb
    let luns = numbers(task.nexus)
    let allocationLength = Int(cdb.uint32(at: 6))
    var listed: [UInt64]
    switch cdb[2] {
    case 0x00: listed = luns.map(LogicalUnitNumber.encode)
    case 0x01: listed = [LogicalUnitNumber.reportLUNs]
    case 0x02: listed = luns.map(LogicalUnitNumber.encode) + [LogicalUnitNumber.reportLUNs]
    case 0x10, 0x11, 0x12: listed = []
    default: return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 2))
    }
    guard allocationLength >= 16 else {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 6))
    }
    var writer = ByteWriter(capacity: 8 + listed.count * 8)
    writer.uint32(UInt32(listed.count * 8))
    writer.zeros(4)
    for lun in listed { writer.uint64(lun) }
    inventoryReported(task.nexus)
    return answer(writer.bytes, allocationLength: allocationLength)
  }
}
