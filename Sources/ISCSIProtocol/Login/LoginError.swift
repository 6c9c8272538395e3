/// Where a target sends an initiator instead. RFC 7143 11.13.5, 13.8.
public struct Redirect: Equatable, Sendable {
  /// Where to.
  public let address: PortalAddress
  /// Whether for good.
  public let isPermanent: Bool

  /// A new place.
  public init(address: PortalAddress, isPermanent: Bool) {
    self.address = address
    self.isPermanent = isPermanent
  }
}

/// Why a login failed, at the initiator. Each status of the target is its own `LoginStatus`.
public enum LoginError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The target is elsewhere; the caller follows within a budget of its own.
  case redirected(Redirect)
  /// The target sends us away without saying where to.
  case badRedirect
  /// The target refused: status class 2 or 3, or one nobody assigned.
  case refused(LoginStatus)
  /// A PDU that is no Login Response.
  case notALogin(opcode: UInt8)
  /// A header that RFC 7143 does not allow.
  case pdu(PDUError)
  /// Text that RFC 7143 does not allow.
  case text(TextError)
  /// Parameters that cannot be.
  case negotiation(NegotiationError)
  /// Another version of iSCSI.
  case badVersion(UInt8)
  /// ISID, tag, stage or T do not fit the request.
  case inconsistent
  /// The login did not end within `LoginLimits.requestCount` requests.
  case tooManyRequests
  /// A portal group other than the one expected.
  case wrongPortalGroup(UInt16?)
  /// The target chose a method or an algorithm that we did not offer.
  case badAuthMethod
  /// The target lets us in without having asked for CHAP, though it had to prove who it is.
  case targetNotAuthenticated
  /// The target's proof is wrong.
  case wrongTargetResponse
  /// The target sent our own challenge back.
  case reflectedChallenge
  /// A key of CHAP is missing or malformed.
  case badCHAP
  /// No TSIH in the last response.
  case noSessionHandle

  /// For a log or a person.
  public var description: String {
    switch self {
    case .redirected(let redirect): "the target moved to \(redirect.address)"
    case .badRedirect: "the target moved and does not say where to"
    case .refused(let status): "the target refused the login: \(status)"
    case .notALogin(let opcode): "a PDU with opcode \(opcode) during login"
    case .pdu(let error): "\(error)"
    case .text(let error): "\(error)"
    case .negotiation(let error): "\(error)"
    case .badVersion(let version): "the target speaks version \(version) of iSCSI, not 0"
    case .inconsistent: "a login response does not fit its request"
    case .tooManyRequests: "no end of the login after \(LoginLimits.requestCount) requests"
    case .wrongPortalGroup(let tag):
      "another portal group than expected: \(tag.map { "\($0)" } ?? "none")"
    case .badAuthMethod: "the target chose an authentication that was not offered"
    case .targetNotAuthenticated: "the target did not prove who it is"
    case .wrongTargetResponse: "the target's CHAP response is wrong: check its user and secret"
    case .reflectedChallenge: "the target sent back our own CHAP challenge"
    case .badCHAP: "a CHAP key is missing or malformed"
    case .noSessionHandle: "the target gave the session no handle"
    }
  }
}
