/// Who wants to log in, from the first request.
public struct LoginIdentity: Equatable, Sendable {
  /// InitiatorName.
  public let initiatorName: ISCSIName
  /// TargetName; nil only in a discovery session.
  public let targetName: ISCSIName?
  /// SessionType.
  public let sessionType: SessionType
  /// ISID.
  public let isid: InitiatorSessionID
  /// TSIH; 0 asks for a new session, which ends an old one of the same name and ISID.
  public let tsih: UInt16
  /// CID.
  public let connectionID: UInt16
}

/// What the caller says to a `LoginIdentity`.
public enum AdmissionDecision: Sendable {
  /// Let it in when it has authenticated itself. The tag and the alias are told to the initiator.
  case admit(AuthenticationPolicy, portalGroupTag: UInt16?, alias: String?)
  /// Turn it away.
  case refuse(LoginStatus)
  /// Send it elsewhere.
  case redirect(PortalAddress, isPermanent: Bool)
}

/// The target's end of a login, without I/O. RFC 7143 6.3.
///
/// The first request is checked and shown to the caller as a `LoginIdentity`; what follows is
/// bounded in text, in requests and in stages. Nothing but the login's own text is done before the
/// initiator is authenticated. After `established` or `refused` the value is used up.
public struct TargetLogin: Sendable {
  /// What to do next.
  public enum Action: Sendable {
    /// Call `decide` with what to do about this initiator.
    case needsAdmission(LoginIdentity)
    /// Send the response with its text, and wait for the next request.
    case answer(LoginResponse, text: [UInt8])
    /// Set TSIH of the response to the session's and send it with its text: the full feature phase
    /// begins. Or call `refusal(_:)` instead, where the session cannot be.
    case established(LoginResponse, text: [UInt8], LoginResult)
    /// Send the response with its text, then close the connection.
    case refused(LoginResponse, text: [UInt8], LoginRefusal)
  }

  enum State {
    case first
    case deciding(LoginIdentity, TextKeys)
    case security(LoginIdentity, SecurityStep)
    case operational(LoginIdentity)
    case over
  }

  enum SecurityStep {
    case method
    case algorithm
    case response(CHAPAlgorithm)
    case done
  }

  let policy: NegotiationPolicy
  let challenge: CHAPChallenge
  var state = State.first
  var authentication = AuthenticationPolicy.none
  var negotiation: ParameterNegotiation
  var assembler = TextAssembler()
  var request: LoginRequest?
  var requestCount = 0
  var statSN: SerialNumber
  var user: String?
  var portalGroupTag: UInt16?
  var greeting = TextKeys()

  /// A login on a new connection. `challenge` is for this login only; `statSN` is that of the first
  /// response.
  public init(
    policy: NegotiationPolicy, challenge: CHAPChallenge, statSN: SerialNumber = SerialNumber(1)
  ) {
    self.policy = policy
    self.challenge = challenge
    self.statSN = statSN
    negotiation = ParameterNegotiation(role: .target, policy: policy, sessionType: .normal)
  }

  /// Takes the header and data segment of the next PDU.
  public mutating func receive(_ header: BasicHeaderSegment, data: [UInt8]) -> Action {
    if case .over = state { preconditionFailure("the login is over") }
    if case .deciding = state { return refuse(.invalidDuringLogin, .pipelined) }
    guard header.opcode == Opcode.loginRequest.rawValue else {
      return refuse(.invalidDuringLogin, .notALogin(opcode: header.opcode))
    }
    let received: LoginRequest
    do throws(PDUError) {
      received = try LoginRequest(header)
    } catch {
      return refuse(.initiatorError, .pdu(error))
    }
    guard data.count <= TextLimits.loginSegmentByteCount else {
      return refuse(.initiatorError, .text(.tooLong))
    }
    requestCount += 1
    guard requestCount <= LoginLimits.requestCount else {
      return refuse(.initiatorError, .tooManyRequests)
    }
    if let refusal = inconsistency(of: received) { return refuse(refusal.0, refusal.1) }
    request = received
    let text: [UInt8]?
    let keys: TextKeys
    do throws(TextError) {
      text = try assembler.append(data, isContinued: received.isContinued)
      guard let text else { return answer(TextKeys()) }
      keys = try TextKeys(parsing: text)
    } catch {
      return refuse(.initiatorError, .text(error))
    }
    return receive(keys)
  }

  /// Goes on after `needsAdmission`.
  public mutating func decide(_ decision: AdmissionDecision) -> Action {
    guard case .deciding(let identity, let keys) = state else {
      preconditionFailure("no admission was asked for")
    }
    switch decision {
    case .refuse(let status): return refuse(status, .notAdmitted)
    case .redirect(let address, let isPermanent):
      var text = TextKeys()
      text.append(ParameterKey.targetAddress.rawValue, "\(address)")
      return refuse(
        isPermanent ? .targetMovedPermanently : .targetMovedTemporarily, .redirected, text)
    case .admit(let authentication, let portalGroupTag, let alias):
      self.authentication = authentication
      self.portalGroupTag = portalGroupTag
      if let portalGroupTag, identity.sessionType == .normal {
        greeting.append(ParameterKey.targetPortalGroupTag.rawValue, "\(portalGroupTag)")
      }
      if let alias { greeting.append(ParameterKey.targetAlias.rawValue, alias) }
      if request?.currentStage == .operationalNegotiation {
        if case .chap = authentication { return refuse(.authenticationFailure, .noAuthentication) }
        state = .operational(identity)
      } else {
        state = .security(identity, .method)
      }
      return go(on: keys)
    }
  }

  /// The response that turns the initiator away, for whatever reason the caller has.
  public mutating func refusal(_ status: LoginStatus) -> LoginResponse {
    state = .over
    return failure(status)
  }

  /// Version, sequence and stage of a request against what came before.
  private func inconsistency(of received: LoginRequest) -> (LoginStatus, LoginRefusal)? {
    guard received.versionMin <= LoginRequest.version else {
      return (.unsupportedVersion, .badVersion)
    }
    guard received.header.isImmediate, received.header.additionalHeaderByteCount == 0 else {
      return (.initiatorError, .inconsistent)
    }
    if let request {
      guard received.isid == request.isid, received.tsih == request.tsih,
        received.connectionID == request.connectionID
      else { return (.initiatorError, .inconsistent) }
    }
    let isSecurity = received.currentStage == .securityNegotiation
    switch state {
    case .security where !isSecurity, .operational where isSecurity:
      return (.initiatorError, .inconsistent)
    default: return nil
    }
  }

  private mutating func receive(_ keys: TextKeys) -> Action {
    guard case .first = state else { return go(on: keys) }
    guard let request else { preconditionFailure("a request was received") }
    guard let name = keys[ParameterKey.initiatorName.rawValue] else {
      return refuse(.missingParameter, .noInitiatorName)
    }
    guard let type = SessionType(rawValue: keys[ParameterKey.sessionType.rawValue] ?? "Normal")
    else { return refuse(.sessionTypeNotSupported, .badSessionType) }
    let initiatorName: ISCSIName
    var targetName: ISCSIName?
    do throws(NameError) {
      initiatorName = try ISCSIName(name)
    } catch {
      return refuse(.initiatorError, .name(error))
    }
    if let target = keys[ParameterKey.targetName.rawValue] {
      // A name that is none belongs to no target; the initiator is told as of an unknown one.
      guard let parsed = try? ISCSIName(target) else { return refuse(.notFound, .badTargetName) }
      targetName = parsed
    }
    guard type == .discovery || targetName != nil else {
      return refuse(.missingParameter, .noTargetName)
    }
    let identity = LoginIdentity(
      initiatorName: initiatorName, targetName: targetName, sessionType: type, isid: request.isid,
      tsih: request.tsih, connectionID: request.connectionID)
    negotiation = ParameterNegotiation(role: .target, policy: policy, sessionType: type)
    state = .deciding(identity, keys)
    return .needsAdmission(identity)
  }
}

/// Why a target turned an initiator away, for its log; the initiator is told the status only.
public enum LoginRefusal: Error, Equatable, Sendable {
  /// A PDU that is no Login Request.
  case notALogin(opcode: UInt8)
  /// A request while the one before is being decided.
  case pipelined
  /// A header that RFC 7143 does not allow.
  case pdu(PDUError)
  /// Text that RFC 7143 does not allow.
  case text(TextError)
  /// Parameters that cannot be.
  case negotiation(NegotiationError)
  /// Only a later version of iSCSI is spoken.
  case badVersion
  /// ISID, TSIH, CID or stage do not fit the request before.
  case inconsistent
  /// Over `LoginLimits.requestCount`.
  case tooManyRequests
  /// No InitiatorName.
  case noInitiatorName
  /// An InitiatorName that is none.
  case name(NameError)
  /// No TargetName for a normal session.
  case noTargetName
  /// A TargetName that is none.
  case badTargetName
  /// A SessionType nobody assigned.
  case badSessionType
  /// The caller said no.
  case notAdmitted
  /// The caller sent it elsewhere.
  case redirected
  /// The initiator did not offer a method or an algorithm that we accept.
  case noAuthentication
  /// The user or the response is wrong.
  case wrongResponse(user: String)
  /// The initiator sent our own challenge back.
  case reflectedChallenge
  /// The initiator wants us to prove who we are, and we have no secret for it.
  case noMutualSecret
  /// A key of CHAP is missing or malformed.
  case badCHAP
}
