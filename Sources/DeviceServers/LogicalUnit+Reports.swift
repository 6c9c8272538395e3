import SAM
import SCSI

extension LogicalUnit {
  static var reportCommands: [CommandEntry] {
    [
      CommandEntry(
        "REQUEST SENSE", 0x03, usage: [0x03, 0x01, 0, 0, 0xFF, 0x04], access: .always,
        meetsUnitAttention: false,
        execution: .direct { $0.finish($1, $0.requestSense($1)) }),
      CommandEntry(
        "LOG SENSE", 0x4D, usage: [0x4D, 0x03, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x04],
        access: .always,
        execution: .direct { $0.finish($1, $0.logSense($1)) }),
      CommandEntry(
        "REPORT TARGET PORT GROUPS", 0xA3, serviceAction: 0x0A,
        usage: [0xA3, 0xEA, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x04], access: .always,
        execution: .direct { $0.finish($1, $0.reportTargetPortGroups($1)) }),
      CommandEntry(
        "REPORT SUPPORTED OPERATION CODES", 0xA3, serviceAction: 0x0C,
        usage: [0xA3, 0x0C, 0x87, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x04],
        access: .always,
        execution: .direct { $0.finish($1, $0.reportOperationCodes($1.cdb)) }),
      CommandEntry(
        "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", 0xA3, serviceAction: 0x0D,
        usage: [0xA3, 0x0D, 0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x04], access: .always,
        execution: .direct { $0.finish($1, $0.reportTaskManagementFunctions($1.cdb)) }),
    ]
  }

  /// SPC-4 6.39: a pending unit attention is reported here and is then gone.
  private func requestSense(_ task: UnitTask) -> CommandResult {
    var sense = SenseData(key: .noSense, additional: .noAdditionalSense)
    if let attention = control.takeUnitAttention(for: task.nexus) {
      sense = SenseData(key: .unitAttention, additional: attention)
    } else if let reason = notReady() {
      sense = reason
    }
    let bytes = task.cdb[1] & 0x01 != 0 ? sense.descriptorBytes() : sense.fixedBytes()
    return answer(bytes, allocationLength: Int(task.cdb[4]))
  }

  /// SPC-4 6.8: the list of pages, and what copies met on their way to devices.
  private func logSense(_ task: UnitTask) -> CommandResult {
    let cdb = task.cdb
    let reports = copyReports(for: task.nexus)
    if cdb[1] & 0x03 != 0 {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 1))
    }
    if let reports, cdb[2] & 0x3F == Self.copyReportPage, cdb[3] == 0 {
      return answer(Self.copyReports(reports), allocationLength: Int(cdb.uint16(at: 7)))
    }
    guard cdb[2] & 0x3F == 0, cdb[3] == 0 || cdb[3] == 0xFF else {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: cdb[3] == 0 ? 2 : 3))
    }
    let pages: [UInt8] = reports == nil ? [0x00] : [0x00, Self.copyReportPage]
    let subpages: [UInt8] =
      [0x00, 0x00, 0x00, 0xFF] + (reports == nil ? [] : [Self.copyReportPage, 0x00])
    let bytes =
      cdb[3] == 0
      ? [0x00, 0, 0, UInt8(pages.count)] + pages
      : [0x40, 0xFF, 0, UInt8(subpages.count)] + subpages
    return answer(bytes, allocationLength: Int(cdb.uint16(at: 7)))
  }

  private static let copyReportPage: UInt8 = 0x30

  /// A parameter for each line, oldest first: ASCII, which may be read and not set. SPC-4 7.3.2.
  private static func copyReports(_ lines: [String]) -> [UInt8] {
    var body = ByteWriter()
    for (number, line) in lines.enumerated() {
      let text = line.utf8.prefix(252).map { 0x20...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }
      body.uint16(UInt16(clamping: number))
      body.append([0x01, UInt8(text.count)] + text)
    }
    var page = ByteWriter()
    page.append([copyReportPage, 0])
    page.uint16(UInt16(clamping: body.bytes.count))
    return page.bytes + body.bytes
  }

  /// SPC-4 6.37: every port reaches the unit equally well.
  private func reportTargetPortGroups(_ task: UnitTask) -> CommandResult {
    let format = task.cdb[1] >> 5
    guard format < 2 else {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 1, bit: 7))
    }
    let port = task.nexus.targetPort
    var writer = ByteWriter()
    writer.uint32(format == 0 ? 12 : 16)
    // The extended header: its format, and no implicit transition takes time.
    if format == 1 { writer.append([0x10, 0, 0, 0]) }
    // Active/optimized, the only state there is.
    writer.append([0x00, 0x01])
    writer.uint16(port.portalGroupTag)
    writer.append([0, 0, 0, 1, 0, 0])
    writer.uint16(port.relativeIdentifier)
    return answer(writer.bytes, allocationLength: Int(task.cdb.uint32(at: 6)))
  }

  /// SPC-4 6.36.
  private func reportTaskManagementFunctions(_ cdb: CommandDescriptorBlock) -> CommandResult {
    // ABORT TASK, ABORT TASK SET, CLEAR TASK SET and LOGICAL UNIT RESET; TARGET RESET in byte 0 too.
    var bytes: [UInt8] = [0x80 | 0x40 | 0x10 | 0x08 | 0x02, 0, 0, 0]
    if cdb[2] & 0x80 != 0 {
      bytes[3] = 12
      bytes += [UInt8](repeating: 0, count: 12)
    }
    let length = Int(cdb.uint32(at: 6))
    guard length >= 4 else {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 6))
    }
    return answer(bytes, allocationLength: length)
  }

  // MARK: REPORT SUPPORTED OPERATION CODES (SPC-4 6.35)

  private func reportOperationCodes(_ cdb: CommandDescriptorBlock) -> CommandResult {
    let hasTimeouts = cdb[2] & 0x80 != 0
    let length = Int(cdb.uint32(at: 6))
    let action = cdb.uint16(at: 4)
    let group = table.entries(of: cdb[3])
    let hasActions = group.first.map { $0.serviceAction != nil } ?? false
    switch cdb[2] & 0x07 {
    case 0: return answer(allOperationCodes(hasTimeouts), allocationLength: length)
    case 1:
      if hasActions { return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 2)) }
      return answer(oneOperationCode(group.first, hasTimeouts), allocationLength: length)
    case 2:
      if !group.isEmpty, !hasActions {
        return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 2))
      }
      let entry = group.first { $0.serviceAction == action }
      return answer(oneOperationCode(entry, hasTimeouts), allocationLength: length)
    case 3:
      let entry = group.first { ($0.serviceAction ?? 0) == action }
      return answer(oneOperationCode(entry, hasTimeouts), allocationLength: length)
    default: return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 2, bit: 2))
    }
  }

  private func allOperationCodes(_ hasTimeouts: Bool) -> [UInt8] {
    let size = hasTimeouts ? 20 : 8
    var writer = ByteWriter(capacity: 4 + table.entries.count * size)
    writer.uint32(UInt32(table.entries.count * size))
    for entry in table.entries {
      writer.append([entry.operationCode, 0])
      writer.uint16(entry.serviceAction ?? 0)
      writer.append([0, (hasTimeouts ? 0x02 : 0) | (entry.serviceAction == nil ? 0 : 0x01)])
      writer.uint16(UInt16(entry.usage.count))
      if hasTimeouts { writer.append(Self.noTimeouts) }
    }
    return writer.bytes
  }

  private func oneOperationCode(_ entry: CommandEntry?, _ hasTimeouts: Bool) -> [UInt8] {
    guard let entry else { return [0, 0x01, 0, 0] }
    var writer = ByteWriter(capacity: 4 + entry.usage.count + 12)
    writer.append([0, (hasTimeouts ? 0x80 : 0) | 0x03])
    writer.uint16(UInt16(entry.usage.count))
    writer.append(entry.usage)
    if hasTimeouts { writer.append(Self.noTimeouts) }
    return writer.bytes
  }

  /// A command timeouts descriptor that promises nothing.
  private static let noTimeouts: [UInt8] = [0, 0x0A] + [UInt8](repeating: 0, count: 10)
}
