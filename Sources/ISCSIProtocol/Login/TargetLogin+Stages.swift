extension TargetLogin {
  /// Takes a whole text in the stage that the login is in.
  mutating func go(on keys: TextKeys) -> Action {
    guard let request else { preconditionFailure("a request was received") }
    switch state {
    case .security(let identity, let step): return secure(identity, step, keys, request)
    case .operational(let identity): return operate(identity, keys, request)
    case .first, .deciding, .over: preconditionFailure("no stage to take text in")
    }
  }

  private mutating func secure(
    _ identity: LoginIdentity, _ step: SecurityStep, _ keys: TextKeys, _ request: LoginRequest
  ) -> Action {
    var text = takeGreeting()
    do throws(NegotiationError) {
      for pair in try negotiation.receive(keys, in: .securityNegotiation).pairs {
        text.append(pair.key, pair.value)
      }
    } catch {
      return refuse(.initiatorError, .negotiation(error))
    }
    let next: SecurityStep
    switch authenticate(step, keys, &text) {
    case .success(let step): next = step
    case .failure(let refusal): return refuse(.authenticationFailure, refusal)
    }
    state = .security(identity, next)
    guard let stage = request.nextStage, request.isTransit, case .done = next else {
      // An initiator that goes on without having authenticated itself is told so by no T.
      return answer(text)
    }
    return advance(identity, to: stage, text)
  }

  private mutating func operate(
    _ identity: LoginIdentity, _ keys: TextKeys, _ request: LoginRequest
  ) -> Action {
    var text = takeGreeting()
    guard !keys.pairs.contains(where: { ParameterKey(rawValue: $0.key)?.rule == .security }) else {
      return refuse(.initiatorError, .negotiation(.misplaced("AuthMethod")))
    }
    do throws(NegotiationError) {
      for pair in try negotiation.receive(keys, in: .operationalNegotiation).pairs {
        text.append(pair.key, pair.value)
      }
    } catch {
      return refuse(.initiatorError, .negotiation(error))
    }
    negotiation.declare(&text)
    guard request.isTransit, let stage = request.nextStage else {
      return answer(text)
    }
    return advance(identity, to: stage, text)
  }

  private mutating func advance(
    _ identity: LoginIdentity, to stage: LoginStage, _ text: TextKeys
  ) -> Action {
    let bytes = text.encode()
    let answer = response(bytes, nextStage: stage)
    guard stage == .fullFeature else {
      state = .operational(identity)
      return .answer(answer, text: bytes)
    }
    state = .over
    let result = LoginResult(
      initiatorName: identity.initiatorName, targetName: identity.targetName,
      sessionType: identity.sessionType, isid: identity.isid, tsih: identity.tsih,
      connectionID: identity.connectionID, parameters: negotiation.parameters, user: user,
      peerAlias: negotiation.peerAlias, portalGroupTag: portalGroupTag, cmdSN: answer.expCmdSN,
      statSN: statSN)
    return .established(answer, text: bytes, result)
  }

  /// One step of the authentication; adds what to say to `text`. RFC 7143 12.1.3.
  private mutating func authenticate(
    _ step: SecurityStep, _ keys: TextKeys, _ text: inout TextKeys
  ) -> Result<SecurityStep, LoginRefusal> {
    switch (step, authentication) {
    case (.done, _):
      return keys.pairs.contains { ParameterKey(rawValue: $0.key)?.rule == .security }
        ? .failure(.badCHAP) : .success(.done)
    case (.method, .none):
      guard let offers = keys["AuthMethod"] else { return .success(.done) }
      guard TextValue.list(offers).contains(TextValue.none) else {
        return .failure(.noAuthentication)
      }
      text.append("AuthMethod", TextValue.none)
      return .success(.done)
    case (.method, .chap):
      guard let offers = keys["AuthMethod"] else {
        // Without T the initiator may still have something to say first.
        return request?.isTransit == true ? .failure(.noAuthentication) : .success(.method)
      }
      guard TextValue.list(offers).contains("CHAP") else { return .failure(.noAuthentication) }
      text.append("AuthMethod", "CHAP")
      return .success(.algorithm)
    case (.algorithm, .chap(let chap)):
      guard let offers = keys["CHAP_A"] else { return .failure(.badCHAP) }
      let numbers = TextValue.list(offers).compactMap(TextValue.number)
      guard let algorithm = chap.algorithms.first(where: { numbers.contains(UInt64($0.rawValue)) })
      else { return .failure(.noAuthentication) }
      text.append("CHAP_A", "\(algorithm.rawValue)")
      text.append("CHAP_I", "\(challenge.identifier)")
      text.append("CHAP_C", TextValue.hexadecimal(challenge.bytes))
      return .success(.response(algorithm))
    case (.response(let algorithm), .chap(let chap)):
      return verify(keys, chap, algorithm, &text)
    case (.algorithm, .none), (.response, .none):
      preconditionFailure("CHAP without a policy of CHAP")
    }
  }

  private mutating func verify(
    _ keys: TextKeys, _ chap: TargetCHAP, _ algorithm: CHAPAlgorithm, _ text: inout TextKeys
  ) -> Result<SecurityStep, LoginRefusal> {
    guard let name = keys["CHAP_N"], let given = keys["CHAP_R"],
      let response = TextValue.binary(given, maximumByteCount: CHAPChallenge.maximumByteCount)
    else { return .failure(.badCHAP) }
    guard chap.accepts(user: name, response: response, to: challenge, by: algorithm) else {
      return .failure(.wrongResponse(user: name))
    }
    user = name
    guard keys["CHAP_I"] != nil || keys["CHAP_C"] != nil else { return .success(.done) }
    guard let own = chap.own else { return .failure(.noMutualSecret) }
    guard
      let identifier = keys["CHAP_I"].flatMap(TextValue.number).flatMap(UInt8.init(exactly:)),
      let theirs = keys["CHAP_C"].flatMap({
        TextValue.binary($0, maximumByteCount: CHAPChallenge.maximumByteCount)
      }), !theirs.isEmpty
    else { return .failure(.badCHAP) }
    guard theirs != challenge.bytes else { return .failure(.reflectedChallenge) }
    guard
      let answer = algorithm.response(
        identifier: identifier, secret: own.secret, challenge: theirs)
    else { return .failure(.noAuthentication) }
    text.append("CHAP_N", own.user)
    text.append("CHAP_R", TextValue.hexadecimal(answer))
    return .success(.done)
  }

  private mutating func takeGreeting() -> TextKeys {
    defer { greeting = TextKeys() }
    return greeting
  }

  /// An answer that stays in the stage.
  mutating func answer(_ text: TextKeys) -> Action {
    let bytes = text.encode()
    return .answer(response(bytes), text: bytes)
  }

  /// The response to the request at hand that carries `text`.
  private mutating func response(_ text: [UInt8], nextStage: LoginStage? = nil) -> LoginResponse {
    precondition(
      text.count <= TextLimits.loginSegmentByteCount, "our keys and 64 answers fit a segment")
    guard let request, let stage = request.currentStage else {
      preconditionFailure("a request was received")
    }
    defer { statSN = statSN.advanced(by: 1) }
    // CmdSN of a login does not advance: it is that of the first command.
    var response = LoginResponse(
      isid: request.isid, tsih: request.tsih, initiatorTaskTag: request.initiatorTaskTag,
      statSN: statSN, expCmdSN: request.cmdSN, maxCmdSN: request.cmdSN, currentStage: stage,
      nextStage: nextStage)
    response.dataSegmentLength = text.count
    return response
  }

  mutating func refuse(
    _ status: LoginStatus, _ refusal: LoginRefusal, _ text: TextKeys = TextKeys()
  ) -> Action {
    state = .over
    let bytes = text.encode()
    var response = failure(status)
    response.dataSegmentLength = bytes.count
    return .refused(response, text: bytes, refusal)
  }

  mutating func failure(_ status: LoginStatus) -> LoginResponse {
    defer { statSN = statSN.advanced(by: 1) }
    let cmdSN = request?.cmdSN ?? SerialNumber(0)
    return LoginResponse(
      isid: request?.isid ?? InitiatorSessionID(rawValue: 0), tsih: request?.tsih ?? 0,
      initiatorTaskTag: request?.initiatorTaskTag ?? LoginResponse.reservedTag, status: status,
      statSN: statSN, expCmdSN: cmdSN, maxCmdSN: cmdSN,
      currentStage: request?.currentStage ?? .securityNegotiation)
  }
}
