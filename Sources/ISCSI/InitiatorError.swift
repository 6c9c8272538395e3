public import Devices
import Glibc
public import ISCSIProtocol
import SCSI

/// Why an initiator has no session, lost one, or has no answer to a command.
///
/// Its description is one line that names the target and the way out; it never holds a secret.
public enum InitiatorError: Error, Equatable, Sendable {
  /// The host has no address.
  case unknownHost(target: String, reason: String)
  /// Nobody accepts connections there.
  case unreachable(target: String, address: String, errno: Int32)
  /// The portal did not finish a login in time.
  case loginTimeout(target: String, seconds: UInt64)
  /// The target says no.
  case loginRefused(target: String, status: LoginStatus)
  /// The login broke a rule, or offered nothing both ends can do.
  case loginFailed(target: String, reason: String)
  /// It sends from portal to portal.
  case redirectedTooOften(target: String, count: Int)
  /// It sends to a place that is none.
  case badRedirection(target: String)
  /// It broke a rule of RFC 7143 in the full feature phase.
  case protocolViolation(target: String, what: String)
  /// A digest does not match what came.
  case digest(target: String, ofHeader: Bool)
  /// The connection ended under a session.
  case connectionLost(target: String, reason: String)
  /// It did not come back within the budget.
  case reconnectFailed(target: String, attempts: Int, last: String)
  /// The target ended the session on its own.
  case sessionDropped(target: String)
  /// It answered neither the command nor its abortion in time.
  case commandTimeout(target: String, operationCode: UInt8, seconds: UInt64)
  /// It rejected a PDU of ours.
  case rejected(target: String, reason: RejectReason)
  /// SCSI Response with another response than “completed”.
  case targetFailure(target: String, response: UInt8)
  /// The session was closed on this side.
  case closed(target: String)
  /// The arena has no room for what a session needs.
  case noMemory(target: String, byteCount: Int)
  /// No device of that number.
  case noLogicalUnit(target: String, number: UInt64)
  /// A device that is neither disk nor tape.
  case unsupportedDevice(target: String, type: UInt8)
  /// A device that does not say what is needed to use it.
  case unusable(target: String, reason: String)
  /// A drive without a cartridge.
  case noMedium(target: String)
  /// The tape does not stand where it was left.
  case positionLost(target: String, expected: UInt64, found: UInt64?)
  /// An answer to SendTargets that is none.
  case discovery(target: String, reason: String)
}

extension InitiatorError: CustomStringConvertible {
  /// The cause and the way out, in one line.
  public var description: String {
    switch self {
    case .unknownHost(let target, let reason):
      "\(target): the host is not known (\(reason)); check its name"
    case .unreachable(let target, let address, let errno):
      "\(target): no connection to \(address): \(Self.text(errno)); "
        + "check address and port, and that the target runs"
    case .loginTimeout(let target, let seconds):
      "\(target): no login within \(seconds) s; check that an iSCSI target listens there"
    case .loginRefused(let target, let status): "\(target): \(Self.advice(status))"
    case .loginFailed(let target, let reason):
      "\(target): the login failed: \(reason); compare the settings of both ends"
    case .redirectedTooOften(let target, let count):
      "\(target): redirected \(count) times without an end; name the portal that serves it"
    case .badRedirection(let target):
      "\(target): redirected to an address that is none; name the portal that serves it"
    default: sessionDescription
    }
  }

  private var sessionDescription: String {
    switch self {
    case .protocolViolation(let target, let what):
      "\(target): the target broke the protocol: \(what); see its log"
    case .digest(let target, let ofHeader):
      "\(target): a \(ofHeader ? "header" : "data") digest did not match; check the network"
    case .connectionLost(let target, let reason):
      "\(target): the connection was lost (\(reason)); check network and target"
    case .reconnectFailed(let target, let attempts, let last):
      "\(target): the connection was lost and did not come back in \(attempts) attempts "
        + "(the last: \(last)); check network and target"
    case .sessionDropped(let target):
      "\(target): the target ended the session; see its log"
    case .commandTimeout(let target, let code, let seconds):
      "\(target): no answer to command \(Self.hexadecimal(code)) within \(seconds) s; "
        + "look after the device"
    case .rejected(let target, let reason):
      "\(target): the target rejected a message (\(reason)); see its log"
    case .targetFailure(let target, let response):
      "\(target): the target failed to execute a command (response "
        + "\(Self.hexadecimal(response))); see its log"
    case .closed(let target): "\(target): the session was closed"
    case .noMemory(let target, let byteCount):
      "\(target): the arena has no room for \(byteCount) bytes; make it larger (--arena)"
    default: deviceDescription
    }
  }

  private var deviceDescription: String {
    switch self {
    case .noLogicalUnit(let target, let number):
      "\(target): there is no logical unit \(number); name another behind the target's name"
    case .unsupportedDevice(let target, let type):
      "\(target): is a device of type \(Self.hexadecimal(type)), neither disk nor tape drive; "
        + "name another logical unit"
    case .unusable(let target, let reason): "\(target): \(reason)"
    case .noMedium(let target): "\(target): no medium in the drive; load one"
    case .positionLost(let target, let expected, let found):
      "\(target): the tape was to stand at object \(expected), "
        + (found.map { "and stands at \($0)" } ?? "and the drive does not say where it stands")
        + "; nothing more was written; see what is on it before going on"
    case .discovery(let target, let reason):
      "\(target): its list of targets cannot be read: \(reason); see the target's log"
    default: preconditionFailure("the other errors describe themselves")
    }
  }

  private static func advice(_ status: LoginStatus) -> String {
    switch status {
    case .authenticationFailure:
      "the target did not accept name and password; "
        + "say them before the host, iscsi://USER%PASSWORD@…"
    case .authorizationFailure:
      "this initiator may not log in; allow its name at the target, or say --initiator-name"
    case .notFound: "there is no such target there; ecopy discover lists those there are"
    default: "the login was refused: \(status); see the target's log"
    }
  }

  static func text(_ errno: Int32) -> String { unsafe String(cString: strerror(errno)) }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return (digits.count < 2 ? "0" : "") + digits + "h"
  }

  /// What a device says of it, which has no words of its own: a failure of communication, of which
  /// nobody knows whether the command was executed.
  public var condition: Condition {
    switch self {
    case .commandTimeout: Condition(.hardwareError, .logicalUnitCommunicationTimeOut)
    case .positionLost:
      Condition(.mediumError, AdditionalSense(code: 0x3B, qualifier: 0x00))
    case .noMemory: Condition(.hardwareError, .systemResourceFailure)
    default: Condition(.hardwareError, .logicalUnitCommunicationFailure)
    }
  }

  /// Whether another login may help.
  var isTransient: Bool {
    switch self {
    case .unreachable, .loginTimeout, .connectionLost, .sessionDropped, .digest,
      .protocolViolation, .rejected, .commandTimeout:
      true
    case .loginRefused(_, let status):
      // A target that is starting does not know its names yet.
      status.statusClass == 3 || status == .notFound || status == .targetRemoved
    default: false
    }
  }
}
