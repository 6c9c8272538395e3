/// Status-Class and Status-Detail of a Login Response, as one number. RFC 7143 11.13.5.
public struct LoginStatus: RawRepresentable, Hashable, Error, Sendable, CustomStringConvertible {
  /// Class in the upper byte, detail in the lower one.
  public let rawValue: UInt16

  /// Of both bytes.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Success.
  public static let success = LoginStatus(rawValue: 0x0000)
  /// Target moved temporarily.
  public static let targetMovedTemporarily = LoginStatus(rawValue: 0x0101)
  /// Target moved permanently.
  public static let targetMovedPermanently = LoginStatus(rawValue: 0x0102)
  /// Initiator error.
  public static let initiatorError = LoginStatus(rawValue: 0x0200)
  /// Authentication failure.
  public static let authenticationFailure = LoginStatus(rawValue: 0x0201)
  /// Authorization failure.
  public static let authorizationFailure = LoginStatus(rawValue: 0x0202)
  /// Not found.
  public static let notFound = LoginStatus(rawValue: 0x0203)
  /// Target removed.
  public static let targetRemoved = LoginStatus(rawValue: 0x0204)
  /// Unsupported version.
  public static let unsupportedVersion = LoginStatus(rawValue: 0x0205)
  /// Too many connections.
  public static let tooManyConnections = LoginStatus(rawValue: 0x0206)
  /// Missing parameter.
  public static let missingParameter = LoginStatus(rawValue: 0x0207)
  /// Cannot include in session.
  public static let cannotIncludeInSession = LoginStatus(rawValue: 0x0208)
  /// Session type not supported.
  public static let sessionTypeNotSupported = LoginStatus(rawValue: 0x0209)
  /// Session does not exist.
  public static let sessionDoesNotExist = LoginStatus(rawValue: 0x020A)
  /// Invalid during login.
  public static let invalidDuringLogin = LoginStatus(rawValue: 0x020B)
  /// Target error.
  public static let targetError = LoginStatus(rawValue: 0x0300)
  /// Service unavailable.
  public static let serviceUnavailable = LoginStatus(rawValue: 0x0301)
  /// Out of resources.
  public static let outOfResources = LoginStatus(rawValue: 0x0302)

  /// Status-Class: 0 success, 1 redirection, 2 fault of the initiator, 3 fault of the target.
  public var statusClass: UInt8 { UInt8(rawValue >> 8) }

  /// Status-Detail.
  public var statusDetail: UInt8 { UInt8(rawValue & 0xFF) }

  /// In words, for a log or a person.
  public var description: String {
    switch self {
    case .success: "success"
    case .targetMovedTemporarily: "the target moved temporarily"
    case .targetMovedPermanently: "the target moved permanently"
    case .initiatorError: "fault of the initiator"
    case .authenticationFailure: "authentication failed"
    case .authorizationFailure: "the initiator may not log in to this target"
    case .notFound: "the target was not found"
    case .targetRemoved: "the target was removed"
    case .unsupportedVersion: "the version is not supported"
    case .tooManyConnections: "too many connections"
    case .missingParameter: "a parameter is missing"
    case .cannotIncludeInSession: "the connection cannot join the session"
    case .sessionTypeNotSupported: "the session type is not supported"
    case .sessionDoesNotExist: "the session does not exist"
    case .invalidDuringLogin: "invalid during login"
    case .targetError: "fault of the target"
    case .serviceUnavailable: "the service is not available"
    case .outOfResources: "the target is out of resources"
    default: "status class \(statusClass), detail \(statusDetail)"
    }
  }
}
