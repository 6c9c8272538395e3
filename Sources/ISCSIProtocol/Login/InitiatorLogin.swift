/// The initiator's end of a login, without I/O. RFC 7143 6.3.
public struct InitiatorLogin: Sendable {
  /// Who logs in, where and how.
  public struct Configuration: Sendable {
    /// InitiatorName.
    public var initiatorName: ISCSIName
    /// InitiatorAlias.
    public var initiatorAlias: String?
    /// TargetName; nil makes a discovery session.
    public var targetName: ISCSIName?
    /// ISID.
    public var isid: InitiatorSessionID
    /// CID.
    public var connectionID: UInt16 = 0
    /// CHAP, or nil for none.
    public var chap: InitiatorCHAP?
    /// What to offer.
    public var policy: NegotiationPolicy
    /// Our challenge for mutual CHAP, for this login only.
    public var challenge: CHAPChallenge
    /// The portal group that must answer, where it is known.
    public var portalGroupTag: UInt16?
    /// CmdSN of the session's first command.
    public var cmdSN = SerialNumber(1)

    /// A login of `initiatorName` to `targetName`, or for discovery without one.
    public init(
      initiatorName: ISCSIName, targetName: ISCSIName?, isid: InitiatorSessionID,
      chap: InitiatorCHAP? = nil, policy: NegotiationPolicy, challenge: CHAPChallenge
    ) {
      self.initiatorName = initiatorName
      self.targetName = targetName
      self.isid = isid
      self.chap = chap
      self.policy = policy
      self.challenge = challenge
    }
  }

  /// What to do next.
  public enum Action: Sendable {
    /// Send the request with its text, and wait for the response.
    case send(LoginRequest, text: [UInt8])
    /// The full feature phase begins.
    case established(LoginResult)
  }

  enum Step {
    case method
    case algorithm
    case response
    case securityEnd
    case operational
    case over
  }

  let configuration: Configuration
  var step: Step
  var negotiation: ParameterNegotiation
  var assembler = TextAssembler()
  var requestCount = 0
  var request: LoginRequest?
  var expStatSN = SerialNumber(0)
  var tsih: UInt16 = 0
  var portalGroupTag: UInt16?
  var isTargetAuthenticated = false
  var hasAnswered = false
  var chosen: CHAPAlgorithm?

  /// A login that begins with `start`.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    step = .method
    negotiation = ParameterNegotiation(
      role: .initiator, policy: configuration.policy,
      sessionType: configuration.targetName == nil ? .discovery : .normal)
  }

  /// The first request.
  public mutating func start() -> Action {
    precondition(requestCount == 0, "a login starts once")
    var text = TextKeys()
    text.append("InitiatorName", "\(configuration.initiatorName)")
    if let alias = configuration.initiatorAlias { text.append("InitiatorAlias", alias) }
    if let target = configuration.targetName { text.append("TargetName", "\(target)") }
    text.append("SessionType", configuration.targetName == nil ? "Discovery" : "Normal")
    guard let chap = configuration.chap else {
      text.append("AuthMethod", TextValue.none)
      return send(text, .securityNegotiation, next: .operationalNegotiation)
    }
    // Without a secret of the target, one that asks for nothing may let us in as well.
    text.append("AuthMethod", chap.target == nil ? "CHAP,None" : "CHAP")
    return send(text, .securityNegotiation)
  }

  /// Takes the header and data segment of the next PDU. After an error the login is over.
  public mutating func receive(
    _ header: BasicHeaderSegment, data: [UInt8]
  ) throws(LoginError) -> Action {
    guard header.opcode == Opcode.loginResponse.rawValue else {
      throw .notALogin(opcode: header.opcode)
    }
    let response: LoginResponse
    do throws(PDUError) {
      response = try LoginResponse(header)
    } catch {
      throw .pdu(error)
    }
    var keys: TextKeys?
    do throws(TextError) {
      let isContinued = response.isContinued && response.status == .success
      if let text = try assembler.append(data, isContinued: isContinued) {
        keys = try TextKeys(parsing: text)
      }
    } catch {
      throw .text(error)
    }
    guard let keys else { return try proceed(response) }
    guard response.status == .success else { throw failure(response.status, keys) }
    try check(response)
    return try take(keys, response)
  }

  private func failure(_ status: LoginStatus, _ keys: TextKeys) -> LoginError {
    guard status.statusClass == 1 else { return .refused(status) }
    guard let address = keys["TargetAddress"].flatMap(PortalAddress.init(_:)) else {
      return .badRedirect
    }
    return .redirected(
      Redirect(address: address, isPermanent: status == .targetMovedPermanently))
  }

  /// The target has more to say: an empty request asks for it.
  private mutating func proceed(_ response: LoginResponse) throws(LoginError) -> Action {
    try check(response)
    guard let stage = request?.currentStage else { throw .inconsistent }
    try count()
    return send(TextKeys(), stage)
  }

  private mutating func check(_ response: LoginResponse) throws(LoginError) {
    guard let request, step != .over else { throw .inconsistent }
    guard response.versionActive == LoginRequest.version else {
      throw .badVersion(response.versionActive)
    }
    guard response.isid == request.isid, response.initiatorTaskTag == request.initiatorTaskTag,
      response.currentStage == request.currentStage,
      !response.isTransit || (request.isTransit && response.nextStage == request.nextStage),
      requestCount == 1 || response.statSN == expStatSN
    else { throw .inconsistent }
    expStatSN = response.statSN.advanced(by: 1)
  }

  private mutating func take(
    _ keys: TextKeys, _ response: LoginResponse
  ) throws(LoginError) -> Action {
    if let text = keys["TargetPortalGroupTag"] {
      guard let tag = TextValue.number(text), tag <= 0xFFFF else {
        throw .negotiation(.badValue("TargetPortalGroupTag"))
      }
      portalGroupTag = UInt16(tag)
    }
    if let expected = configuration.portalGroupTag, let portalGroupTag, portalGroupTag != expected {
      throw .wrongPortalGroup(portalGroupTag)
    }
    let answers: TextKeys
    do throws(NegotiationError) {
      answers = try negotiation.receive(
        keys, in: response.currentStage ?? .securityNegotiation)
    } catch {
      throw .negotiation(error)
    }
    try count()
    switch step {
    case .over: throw .inconsistent
    case .operational:
      guard !keys.pairs.contains(where: { ParameterKey(rawValue: $0.key)?.rule == .security })
      else { throw .badCHAP }
      if response.isTransit {
        guard answers.isEmpty else { throw .inconsistent }
        return try finish(response)
      }
      return send(answers, .operationalNegotiation, next: .fullFeature)
    default: return try secure(keys, response, answers)
    }
  }

  private mutating func finish(_ response: LoginResponse) throws(LoginError) -> Action {
    guard response.tsih != 0 else { throw .noSessionHandle }
    step = .over
    return .established(
      LoginResult(
        initiatorName: configuration.initiatorName, targetName: configuration.targetName,
        sessionType: configuration.targetName == nil ? .discovery : .normal,
        isid: configuration.isid, tsih: response.tsih, connectionID: configuration.connectionID,
        parameters: negotiation.parameters, user: hasAnswered ? configuration.chap?.own.user : nil,
        peerAlias: negotiation.peerAlias, portalGroupTag: portalGroupTag,
        cmdSN: configuration.cmdSN, statSN: expStatSN))
  }

  private func count() throws(LoginError) {
    guard requestCount < LoginLimits.requestCount else { throw .tooManyRequests }
  }

  mutating func send(_ text: TextKeys, _ stage: LoginStage, next: LoginStage? = nil) -> Action {
    requestCount += 1
    let bytes = text.encode()
    precondition(
      bytes.count <= TextLimits.loginSegmentByteCount, "our keys and 64 answers fit a segment")
    var request = LoginRequest(
      isid: configuration.isid, connectionID: configuration.connectionID, initiatorTaskTag: 0,
      cmdSN: configuration.cmdSN, expStatSN: expStatSN, currentStage: stage, nextStage: next)
    request.dataSegmentLength = bytes.count
    self.request = request
    return .send(request, text: bytes)
  }
}
