import SAM
import SCSI

extension LogicalUnit {
  /// PERSISTENT RESERVE IN and OUT, and RESERVE and RELEASE of SPC-2.
  static var reservationCommands: [CommandEntry] {
    [
      reserveIn("READ KEYS", 0x00) { unit in unit.control.persistent.keysReport },
      reserveIn("READ RESERVATION", 0x01) { unit in unit.control.persistent.reservationReport },
      reserveIn("REPORT CAPABILITIES", 0x02) { unit in
        unit.control.persistent.capabilitiesReport(canKeep: unit.control.store != nil)
      },
      reserveIn("READ FULL STATUS", 0x03) { unit in unit.control.persistent.fullStatusReport },
      reserveOut("REGISTER", .register),
      reserveOut("RESERVE", .reserve),
      reserveOut("RELEASE", .release),
      reserveOut("CLEAR", .clear),
      reserveOut("PREEMPT", .preempt),
      reserveOut("PREEMPT AND ABORT", .preemptAndAbort),
      reserveOut("REGISTER AND IGNORE EXISTING KEY", .registerAndIgnoreExistingKey),
      reserveOut("REGISTER AND MOVE", .registerAndMove),
      reserving("RESERVE(6)", [0x16, 0, 0, 0, 0, 0x04]) { await $0.reserve(by: $1) },
      reserving("RELEASE(6)", [0x17, 0, 0, 0, 0, 0x04]) { await $0.release(by: $1) },
      reserving("RESERVE(10)", [0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0x04]) { await $0.reserve(by: $1) },
      reserving("RELEASE(10)", [0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0x04]) { await $0.release(by: $1) },
    ]
  }

  private static func reserveIn(
    _ name: String, _ action: UInt8, _ report: @escaping (LogicalUnit) -> [UInt8]
  ) -> CommandEntry {
    CommandEntry(
      "PERSISTENT RESERVE IN/" + name, 0x5E, serviceAction: UInt16(action),
      usage: [0x5E, action, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0x04], access: .unlessReserved,
      execution: .direct { unit, task in
        unit.finish(
          task, unit.answer(report(unit), allocationLength: Int(task.cdb.uint16(at: 7))))
      })
  }

  private static func reserveOut(
    _ name: String, _ action: ReservationRequest.Action
  ) -> CommandEntry {
    CommandEntry(
      "PERSISTENT RESERVE OUT/" + name, 0x5F, serviceAction: UInt16(action.rawValue),
      usage: [0x5F, action.rawValue, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x04],
      access: .reservationCommand,
      dataOutLength: { parameterListLength($1, action) },
      execution: .asynchronous { await $0.persistentReserveOut($1) })
  }

  private static func reserving(
    _ name: String, _ usage: [UInt8], _ change: @escaping (ControlBlock, Nexus) async -> Bool
  ) -> CommandEntry {
    CommandEntry(
      name, usage[0], usage: usage, access: .reservationCommand,
      execution: .asynchronous { unit, task in
        await change(unit.control, task.nexus) ? unit.good() : unit.reservationConflict()
      })
  }

  /// Lists that no request can have are refused before any of their data comes.
  private static func parameterListLength(
    _ cdb: CommandDescriptorBlock, _ action: ReservationRequest.Action
  ) -> Result<Int, SenseData> {
    let length = Int(cdb.uint32(at: 5))
    let mayBeLonger =
      switch action {
      case .register, .registerAndIgnoreExistingKey, .registerAndMove: true
      default: false
      }
    let longest =
      mayBeLonger ? ReservationRequest.lengthMaximum : ReservationRequest.basicLength
    guard (ReservationRequest.basicLength...longest).contains(length) else {
      return .failure(.illegalRequest(.parameterListLengthError, field: 5))
    }
    return .success(length)
  }

  private func persistentReserveOut(_ task: UnitTask) async -> CommandResult {
    let parameters = task.takeParameterList()
    let request: ReservationRequest
    do throws(SenseData) {
      request = try ReservationRequest(task.cdb, parameters: parameters)
    } catch {
      return checkCondition(error)
    }
    let effects: PersistentReservations.Effects
    do throws(PersistentReservations.Refusal) {
      effects = try await control.change(request, by: task.nexus) { task.isAborted }
    } catch {
      switch error {
      case .conflict: return reservationConflict()
      case .sense(let sense): return checkCondition(sense)
      }
    }
    if request.action == .preemptAndAbort {
      let answers = control.mode.answersAbortedTasks
      await abortTasks(answering: { _ in answers }) { other in
        other !== task && effects.preempted.contains(NexusPorts(other.nexus))
      }
      await endCopies { effects.preempted.contains(NexusPorts($0)) }
    }
    return good(dataOut: parameters.count)
  }

  private func reservationConflict() -> CommandResult {
    CommandResult(.reservationConflict, dataIn: empty(), transferLength: 0)
  }
}
