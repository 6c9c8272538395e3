import Devices
import ISCSIProtocol
import SCSI

extension Condition {
  /// Whether a command that ended so, and was not executed, is given again.
  enum Again {
    case never
    case atOnce
    case later
  }

  /// UNIT ATTENTION tells of something that happened before (SAM-5 5.14); BUSY and TASK SET FULL of a
  /// lack that passes. Who lost a reservation must not go on.
  var again: Again {
    switch status {
    case .busy, .taskSetFull: return .later
    case .checkCondition: break
    default: return .never
    }
    if isDeferred { return .never }
    switch key {
    case .unitAttention: return additional.isLossOfReservation ? .never : .atOnce
    case .notReady where additional == .logicalUnitBecomingReady: return .later
    default: return .never
    }
  }

  /// Whether the unit attention says that the device, or the nexus, began anew: 29h.
  var isReset: Bool { key == .unitAttention && additional.code == 0x29 }

  /// Whether it says that the device may have lost what was in its cache: 29h/00h to 04h. Behind them
  /// only the nexus is gone.
  var losesCache: Bool { isReset && additional.qualifier <= 4 }

  /// Whether another cartridge may be in the drive: 28h/00h.
  var isMediumChange: Bool {
    key == .unitAttention && additional == AdditionalSense(code: 0x28, qualifier: 0)
  }

  /// Nothing is recorded there, in whatever words the drive says so.
  var isEndOfData: Bool {
    key == .blankCheck || (key == .noSense && additional == .endOfDataDetected)
  }

  /// The command is not known: 20h/00h, or a field of it: 24h/00h.
  var isUnsupported: Bool {
    key == .illegalRequest
      && (additional == .invalidCommandOperationCode || additional == .invalidFieldInCDB)
  }
}

extension AdditionalSense {
  /// RESERVATIONS PREEMPTED, RESERVATIONS RELEASED, REGISTRATIONS PREEMPTED: somebody else has the
  /// device now.
  var isLossOfReservation: Bool { code == 0x2A && (3...5).contains(qualifier) }
}

extension ISCSIURL {
  /// The URL without user, passwords and options.
  var plainDescription: String { "iscsi://\(portal)/\(targetName)/\(logicalUnit)" }
}

extension Condition {
  /// RECOVERED ERROR: the command did what was asked. One that is deferred belongs to an earlier
  /// command, and this one was not executed (SPC-4 4.5.7).
  var isRecovered: Bool { key == .recoveredError && !isDeferred }
}
