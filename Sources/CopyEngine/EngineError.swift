public import SCSI

/// Why the engine did not do, or did not finish, what it was asked for.
///
/// `kind` is for programs, `message` for people: one line that names the thing and the way out.
/// Two errors are equal where their kinds are.
public struct EngineError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What sort of failure; the kinds are those by which a caller acts differently.
  public enum Kind: Sendable, Hashable {
    /// No io_uring, or no memory for it.
    case unavailable
    /// Part of the request is not understood.
    case syntax
    /// Parts of the request contradict each other.
    case contradiction
    /// No file, a folder, no permission, no room.
    case file
    /// Another process or command has the device.
    case busy
    /// A reservation of somebody else keeps the device.
    case reserved
    /// No medium.
    case notReady
    /// The medium or the hardware failed.
    case medium
    /// What was asked is not possible on this device.
    case illegalRequest
    /// The medium changed, or the device was reset.
    case unitAttention
    /// The medium refuses writes, or what is on it is protected.
    case dataProtect
    /// The device ended the command.
    case aborted
    /// What was read back is not what was written.
    case miscompare
    /// The tape is full; the report says where to go on.
    case tapeFull
    /// The caller cancelled.
    case cancelled
    /// Any other condition of a device.
    case other
  }

  /// For programs.
  public let kind: Kind
  /// For people.
  public let message: String

  /// Both said.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }

  /// Equal by kind.
  public static func == (one: EngineError, other: EngineError) -> Bool { one.kind == other.kind }
}

extension EngineError.Kind {
  /// What a command that ended with this status and sense key failed by.
  public init(_ status: Status, _ key: SenseKey) {
    switch status {
    case .reservationConflict: self = .reserved
    case .busy, .taskSetFull, .acaActive: self = .busy
    case .taskAborted: self = .aborted
    default:
      switch key {
      case .notReady: self = .notReady
      case .mediumError, .hardwareError: self = .medium
      case .illegalRequest: self = .illegalRequest
      case .unitAttention: self = .unitAttention
      case .dataProtect: self = .dataProtect
      case .abortedCommand: self = .aborted
      case .volumeOverflow: self = .tapeFull
      case .miscompare: self = .miscompare
      default: self = .other
      }
    }
  }
}
