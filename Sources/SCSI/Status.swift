/// The status that ends a command. SAM-5 5.3.1.
public struct Status: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The status byte.
  public let rawValue: UInt8

  /// The status with this byte; every byte is a status, known or not.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// The command did what it was asked to do.
  public static let good = Status(rawValue: 0x00)
  /// Sense data says what happened.
  public static let checkCondition = Status(rawValue: 0x02)
  /// A condition that the command asked for was met.
  public static let conditionMet = Status(rawValue: 0x04)
  /// The logical unit cannot take the command now.
  public static let busy = Status(rawValue: 0x08)
  /// A reservation of another I_T nexus forbids the command.
  public static let reservationConflict = Status(rawValue: 0x18)
  /// The task set has no room for the command.
  public static let taskSetFull = Status(rawValue: 0x28)
  /// An auto contingent allegiance is in effect.
  public static let acaActive = Status(rawValue: 0x30)
  /// The command was ended by another I_T nexus, or by a COPY OPERATION ABORT.
  public static let taskAborted = Status(rawValue: 0x40)

  /// The standard's name of the status.
  public var description: String {
    switch self {
    case .good: "GOOD"
    case .checkCondition: "CHECK CONDITION"
    case .conditionMet: "CONDITION MET"
    case .busy: "BUSY"
    case .reservationConflict: "RESERVATION CONFLICT"
    case .taskSetFull: "TASK SET FULL"
    case .acaActive: "ACA ACTIVE"
    case .taskAborted: "TASK ABORTED"
    default: "status " + hexadecimal(rawValue)
    }
  }
}
