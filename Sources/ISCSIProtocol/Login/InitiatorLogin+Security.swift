extension InitiatorLogin {
  /// One step of the authentication. RFC 7143 12.1.3.
  mutating func secure(
    _ keys: TextKeys, _ response: LoginResponse, _ answers: TextKeys
  ) throws(LoginError) -> Action {
    switch step {
    case .method: return try method(keys, response, answers)
    case .algorithm: return try respond(keys, answers)
    case .response:
      try verifyTarget(keys)
      step = .securityEnd
      return try leave(response, answers)
    case .securityEnd: return try leave(response, answers)
    case .operational, .over: preconditionFailure("no authentication goes on")
    }
  }

  private mutating func method(
    _ keys: TextKeys, _ response: LoginResponse, _ answers: TextKeys
  ) throws(LoginError) -> Action {
    guard let chap = configuration.chap else {
      // A target that has nothing to ask may leave the answer out.
      guard (keys["AuthMethod"] ?? TextValue.none) == TextValue.none else { throw .badAuthMethod }
      step = .securityEnd
      return try leave(response, answers)
    }
    switch keys["AuthMethod"] {
    case "CHAP":
      step = .algorithm
      var text = answers
      text.append("CHAP_A", chap.algorithms.map { "\($0.rawValue)" }.joined(separator: ","))
      return send(text, .securityNegotiation)
    case TextValue.none?:
      guard chap.target == nil else { throw .targetNotAuthenticated }
      step = .securityEnd
      return send(answers, .securityNegotiation, next: .operationalNegotiation)
    default: throw .badAuthMethod
    }
  }

  private mutating func respond(
    _ keys: TextKeys, _ answers: TextKeys
  ) throws(LoginError) -> Action {
    guard let chap = configuration.chap else { throw .badAuthMethod }
    guard
      let algorithm = keys["CHAP_A"].flatMap(TextValue.number)
        .flatMap(UInt8.init(exactly:)).flatMap(CHAPAlgorithm.init(rawValue:)),
      chap.algorithms.contains(algorithm)
    else { throw .badAuthMethod }
    guard
      let identifier = keys["CHAP_I"].flatMap(TextValue.number).flatMap(UInt8.init(exactly:)),
      let challenge = keys["CHAP_C"].flatMap({
        TextValue.binary($0, maximumByteCount: CHAPChallenge.maximumByteCount)
      }), !challenge.isEmpty
    else { throw .badCHAP }
    guard challenge != configuration.challenge.bytes else { throw .reflectedChallenge }
    guard
      let answer = algorithm.response(
        identifier: identifier, secret: chap.own.secret, challenge: challenge)
    else { throw .badAuthMethod }
    var text = answers
    text.append("CHAP_N", chap.own.user)
    text.append("CHAP_R", TextValue.hexadecimal(answer))
    if chap.target != nil {
      text.append("CHAP_I", "\(configuration.challenge.identifier)")
      text.append("CHAP_C", TextValue.hexadecimal(configuration.challenge.bytes))
    }
    chosen = algorithm
    hasAnswered = true
    step = .response
    return send(text, .securityNegotiation, next: .operationalNegotiation)
  }

  private mutating func verifyTarget(_ keys: TextKeys) throws(LoginError) {
    guard let target = configuration.chap?.target, let chosen else { return }
    guard let name = keys["CHAP_N"],
      let given = keys["CHAP_R"].flatMap({
        TextValue.binary($0, maximumByteCount: CHAPChallenge.maximumByteCount)
      })
    else { throw .targetNotAuthenticated }
    let challenge = configuration.challenge
    guard
      let expected = chosen.response(
        identifier: challenge.identifier, secret: target.secret, challenge: challenge.bytes),
      isEqualInConstantTime(expected, given),
      isEqualInConstantTime(Array(name.utf8), Array(target.user.utf8))
    else { throw .wrongTargetResponse }
    isTargetAuthenticated = true
  }

  /// Goes on to the operational stage as soon as the target agrees.
  private mutating func leave(
    _ response: LoginResponse, _ answers: TextKeys
  ) throws(LoginError) -> Action {
    guard response.isTransit else {
      return send(answers, .securityNegotiation, next: .operationalNegotiation)
    }
    guard configuration.chap?.target == nil || isTargetAuthenticated else {
      throw .targetNotAuthenticated
    }
    step = .operational
    var text = negotiation.offers()
    for pair in answers.pairs { text.append(pair.key, pair.value) }
    return send(text, .operationalNegotiation, next: .fullFeature)
  }
}
