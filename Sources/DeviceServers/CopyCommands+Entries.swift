import SAM
import SCSI
import Uring

extension CopyCommands {
  private static let control: UInt8 = 0x04
  private static let any4: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]

  /// The third-party copy commands, for the table of a logical unit. SPC-4 6.4, 6.17 to 6.24.
  var entries: [CommandEntry] {
    CopyLimits.extendedCopyActions.map(extendedCopy)
      + CopyLimits.receiveCopyResultsActions.map(receiveCopyResults)
  }

  /// The block logical units that a nexus may reach.
  func units(of nexus: Nexus) -> [any CopyUnit] {
    router?.units(of: nexus).compactMap { $0 as? any CopyUnit } ?? []
  }

  private static func copyUnit(_ unit: LogicalUnit) -> any CopyUnit {
    guard let unit = unit as? any CopyUnit else {
      preconditionFailure("copy commands are in the tables of block units")
    }
    return unit
  }

  private func extendedCopy(_ action: ExtendedCopyCommand.ServiceAction) -> CommandEntry {
    let code = ExtendedCopyCommand.operationCode
    let usage: [UInt8] =
      action == .copyOperationAbort
      ? [code, action.rawValue] + Self.any4 + [0, 0, 0, 0, 0, 0, 0, 0, 0, Self.control]
      : [code, action.rawValue, 0, 0, 0, 0, 0, 0, 0, 0] + Self.any4 + [0, Self.control]
    return CommandEntry(
      action.description, code, serviceAction: UInt16(action.rawValue), usage: usage,
      access: .writes,
      dataOutLength: { [self] _, cdb in
        do throws(CopyRefusal) {
          return .success(try parameterListLength(cdb))
        } catch {
          return .failure(error.sense)
        }
      },
      execution: .asynchronous { [self] unit, task in
        let bytes = task.dataOut.take()?.bytes() ?? []
        let answer = await execute(
          task.command, at: Self.copyUnit(unit), list: bytes, units: units(of: task.nexus),
          usesDescriptorSense: unit.control.mode.usesDescriptorSense)
        if let sense = answer.sense { return unit.checkCondition(sense) }
        return CommandResult(
          answer.status, dataIn: unit.empty(),
          transferLength: answer.status == .good ? bytes.count : 0)
      })
  }

  private func receiveCopyResults(
    _ action: ReceiveCopyResultsCommand.ServiceAction
  ) -> CommandEntry {
    let code = ReceiveCopyResultsCommand.operationCode
    let identifier = action.hasLongListIdentifier ? Self.any4 : [0xFF, 0, 0, 0]
    return CommandEntry(
      action.description, code, serviceAction: UInt16(action.rawValue),
      usage: [code, action.rawValue] + identifier + [0, 0, 0, 0] + Self.any4 + [0, Self.control],
      access: .writes,
      execution: .direct { [self] unit, task in
        do throws(CopyRefusal) {
          let bytes = try receive(task.command, at: Self.copyUnit(unit))
          unit.finish(task, unit.answer(bytes, allocationLength: bytes.count))
        } catch {
          unit.finish(task, unit.checkCondition(error.sense))
        }
      })
  }
}
