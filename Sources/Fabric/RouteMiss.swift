public import Devices
public import ISCSI
import SCSI

/// Why a device was not reached through a port.
public enum RouteMiss: Error, Equatable, Sendable {
  /// The port is attached to none of the SANs that lead to the device.
  case noRoute
  /// Nobody accepts connections there, or the host is not known.
  case unreachable(String)
  /// The login, or an answer, did not come in time.
  case timeout(String)
  /// The target lets this port not in.
  case loginDenied(String)
  /// The target has no logical unit of this number.
  case noLogicalUnit
  /// It is a device of another type than the descriptor says.
  case wrongType(UInt8)
  /// Another copy uses it, or the device says that it is busy.
  case busy
  /// RESERVATION CONFLICT.
  case reserved
  /// A drive without a cartridge.
  case noMedium
  /// It is there and cannot be used.
  case unusable(String)
}

extension RouteMiss {
  /// Of what an initiator port met.
  public init(_ error: InitiatorError) {
    switch error {
    case .unknownHost, .unreachable, .connectionLost, .reconnectFailed, .sessionDropped:
      self = .unreachable("\(error)")
    case .loginTimeout, .commandTimeout: self = .timeout("\(error)")
    case .loginRefused, .loginFailed: self = .loginDenied("\(error)")
    case .noLogicalUnit: self = .noLogicalUnit
    case .unsupportedDevice(_, let type): self = .wrongType(type)
    case .noMedium: self = .noMedium
    default: self = .unusable("\(error)")
    }
  }

  /// Of what a device answers when it is asked whether it is ready.
  public init(_ condition: Condition) {
    switch condition.status {
    case .reservationConflict: self = .reserved
    case .busy, .taskSetFull: self = .busy
    default:
      // MEDIUM NOT PRESENT, in whatever words.
      self = condition.additional.code == 0x3A ? .noMedium : .unusable("\(condition)")
    }
  }
}

extension RouteMiss: CustomStringConvertible {
  /// In one line.
  public var description: String {
    switch self {
    case .noRoute: "the port is attached to another SAN"
    case .unreachable(let text), .timeout(let text), .loginDenied(let text), .unusable(let text):
      text
    case .noLogicalUnit: "the target has no such logical unit"
    case .wrongType(let type): "it is a device of type \(type)"
    case .busy: "it is busy with another copy"
    case .reserved: "it is reserved for others"
    case .noMedium: "there is no cartridge in it"
    }
  }
}

/// What became of a search through one port.
public struct RouteReport: Equatable, Sendable {
  /// The initiator port that was tried.
  public let port: PortName
  /// The device that was looked for.
  public let device: String
  /// Why it was not reached; nil where it was.
  public let miss: RouteMiss?

  /// A report with everything said.
  public init(port: PortName, device: String, miss: RouteMiss?) {
    self.port = port
    self.device = device
    self.miss = miss
  }
}

extension RouteReport: CustomStringConvertible {
  /// In one line.
  public var description: String { "\(device) through \(port): \(miss.map { "\($0)" } ?? "found")" }
}
