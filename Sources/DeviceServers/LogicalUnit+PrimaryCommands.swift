import SAM
import SCSI

extension LogicalUnit {
  /// The commands that every device has. SPC-4 clause 6.
  static var primaryCommands: [CommandEntry] {
    [
      CommandEntry(
        "TEST UNIT READY", 0x00, usage: [0x00, 0, 0, 0, 0, 0x04], access: .unlessReserved,
        needsReadyMedium: true, execution: .direct { unit, task in unit.finish(task, unit.good()) })
    ] + inquiryCommands + modeCommands + reportCommands + reservationCommands
  }
}
