import Digests
import ISCSIProtocol
import Testing

@Suite("Negotiation") struct NegotiationTests {
  /// Offer, what the target answers.
  static let answers: [(String, String, String?)] = [
    ("HeaderDigest", "CRC32C,None", "CRC32C"), ("HeaderDigest", "None", "None"),
    ("DataDigest", "X-md5,CRC32C", "CRC32C"), ("DataDigest", "X-md5", "Reject"),
    ("MaxConnections", "4", "1"), ("MaxConnections", "0", "Reject"),
    ("InitialR2T", "Yes", "Yes"), ("InitialR2T", "No", "No"), ("InitialR2T", "maybe", "Reject"),
    ("ImmediateData", "Yes", "Yes"), ("ImmediateData", "No", "No"),
    ("MaxBurstLength", "16776192", "1048576"), ("MaxBurstLength", "65536", "65536"),
    ("MaxBurstLength", "511", "Reject"), ("FirstBurstLength", "262144", "262144"),
    ("DefaultTime2Wait", "0", "2"), ("DefaultTime2Wait", "3600", "3600"),
    ("DefaultTime2Retain", "20", "0"), ("DefaultTime2Retain", "3601", "Reject"),
    ("MaxOutstandingR2T", "1", "1"), ("MaxOutstandingR2T", "16", "8"),
    ("DataPDUInOrder", "No", "Yes"), ("DataSequenceInOrder", "No", "Yes"),
    ("ErrorRecoveryLevel", "2", "0"), ("ErrorRecoveryLevel", "3", "Reject"),
    ("IFMarker", "Yes", "No"), ("OFMarker", "No", "No"), ("IFMarkInt", "1~4", "Reject"),
    ("OFMarkInt", "2048", "Reject"), ("TaskReporting", "FastAbort,RFC3720", "RFC3720"),
    ("iSCSIProtocolLevel", "2", "1"), ("X-org.example.a", "1", "NotUnderstood"),
    ("Unheard", "1", "NotUnderstood"), ("Unheard", "NotUnderstood", nil),
    ("MaxRecvDataSegmentLength", "4096", nil), ("InitiatorAlias", "me", nil),
  ]

  private func target(_ type: SessionType = .normal) -> ParameterNegotiation {
    ParameterNegotiation(role: .target, policy: NegotiationPolicy(), sessionType: type)
  }

  @Test("each key is answered by its rule", arguments: answers)
  func answer(key: String, offer: String, expected: String?) throws {
    var negotiation = target()
    let answers = try negotiation.receive(
      TextKeys([.init(key, offer)]), in: .operationalNegotiation)
    #expect(answers[key] == expected)
    #expect(answers.pairs.count == (expected == nil ? 0 : 1))
  }

  @Test("what has no meaning in discovery is irrelevant") func discovery() throws {
    var negotiation = target(.discovery)
    let offer = TextKeys([.init("MaxBurstLength", "4096"), .init("ErrorRecoveryLevel", "0")])
    let answers = try negotiation.receive(offer, in: .operationalNegotiation)
    #expect(answers["MaxBurstLength"] == "Irrelevant" && answers["ErrorRecoveryLevel"] == "0")
  }

  @Test("the first burst is no longer than the longest") func bursts() throws {
    var negotiation = target()
    let offer = TextKeys([.init("FirstBurstLength", "65536"), .init("MaxBurstLength", "8192")])
    let answers = try negotiation.receive(offer, in: .operationalNegotiation)
    #expect(answers["FirstBurstLength"] == "8192")
  }

  @Test("a key comes once") func repeated() throws {
    var negotiation = target()
    let offer = TextKeys([.init("InitialR2T", "No")])
    _ = try negotiation.receive(offer, in: .operationalNegotiation)
    #expect(throws: NegotiationError.repeated("InitialR2T")) {
      try negotiation.receive(offer, in: .operationalNegotiation)
    }
  }

  @Test(
    "keys in the wrong place, or declarations out of range, end the negotiation",
    arguments: [
      ("MaxBurstLength", "4096", LoginStage.securityNegotiation),
      ("TargetAlias", "a", .operationalNegotiation),
      ("SendTargets", "All", .operationalNegotiation),
      ("MaxRecvDataSegmentLength", "511", .operationalNegotiation),
      ("MaxRecvDataSegmentLength", "16777216", .operationalNegotiation),
      ("TargetPortalGroupTag", "1", .securityNegotiation),
    ])
  func misplaced(key: String, value: String, stage: LoginStage) {
    var negotiation = target()
    #expect(throws: NegotiationError.self) {
      try negotiation.receive(TextKeys([.init(key, value)]), in: stage)
    }
  }

  @Test(
    "an answer that does not follow from the offer is refused",
    arguments: [
      ("MaxBurstLength", "2097152"), ("ImmediateData", "perhaps"), ("HeaderDigest", "MD5"),
      ("DefaultTime2Wait", "1"), ("DataPDUInOrder", "No"), ("ErrorRecoveryLevel", "1"),
      ("MaxOutstandingR2T", "0"), ("FirstBurstLength", "Reject"),
    ])
  func badAnswer(key: String, value: String) {
    var negotiation = ParameterNegotiation(
      role: .initiator, policy: NegotiationPolicy(), sessionType: .normal)
    _ = negotiation.offers()
    #expect(throws: NegotiationError.self) {
      try negotiation.receive(TextKeys([.init(key, value)]), in: .operationalNegotiation)
    }
  }
}

@Suite("Target login") struct TargetLoginTests {
  private func login() -> TargetLogin {
    TargetLogin(
      policy: NegotiationPolicy(), challenge: CHAPChallenge(random: secureRandom(byteCount: 33)))
  }

  private func request(
    _ stage: LoginStage = .operationalNegotiation, next: LoginStage? = nil, continued: Bool = false
  ) -> LoginRequest {
    LoginRequest(
      isid: InitiatorSessionID(rawValue: 1), initiatorTaskTag: 0, cmdSN: SerialNumber(1),
      expStatSN: SerialNumber(0), currentStage: stage, nextStage: next, isContinued: continued)
  }

  private func status(_ login: inout TargetLogin, _ text: String) -> LoginStatus? {
    guard
      case .refused(let response, _, _) = login.receive(
        request().header, data: Array(text.utf8))
    else { return nil }
    return response.status
  }

  @Test(
    "a first request that cannot be is refused by its own status",
    arguments: [
      ("", LoginStatus.missingParameter),
      ("InitiatorName=iqn.2026-11.org:a\0", .missingParameter),
      ("InitiatorName=../../a\0TargetName=iqn.2026-11.org:b\0", .initiatorError),
      ("InitiatorName=iqn.2026-11.org:a\0TargetName=b\0", .notFound),
      ("InitiatorName=iqn.2026-11.org:a\0SessionType=Other\0", .sessionTypeNotSupported),
      ("InitiatorName", .initiatorError), ("A=1\0A=2\0", .initiatorError),
    ])
  func firstRequest(text: String, expected: LoginStatus) {
    var login = login()
    #expect(status(&login, text) == expected)
  }

  @Test("a later version is refused") func version() {
    var login = login()
    var request = request()
    request.versionMin = 1
    request.versionMax = 1
    guard case .refused(let response, _, .badVersion) = login.receive(request.header, data: [])
    else {
      Issue.record("not refused")
      return
    }
    #expect(response.status == .unsupportedVersion)
  }

  @Test("text that never ends is cut off") func endless() {
    var login = login()
    for _ in 0..<100 {
      let action = login.receive(
        request(continued: true).header, data: [UInt8](repeating: 65, count: 8192))
      if case .refused(_, _, let refusal) = action {
        #expect(refusal == .text(.tooLong))
        return
      }
    }
    Issue.record("never refused")
  }

  @Test("requests that never end are cut off") func tooMany() {
    var login = login()
    for _ in 0..<100 {
      let action = login.receive(request(continued: true).header, data: [])
      if case .refused(_, _, let refusal) = action {
        #expect(refusal == .tooManyRequests)
        return
      }
    }
    Issue.record("never refused")
  }

  @Test("our own challenge sent back is refused") func reflected() throws {
    let secret = try CHAPSecret(Array("a secret of the host".utf8))
    let other = try CHAPSecret(Array("a secret of the disks".utf8))
    let chap = try TargetCHAP(
      accepted: [CHAPCredential(user: "host", secret: secret)],
      own: CHAPCredential(user: "disks", secret: other))
    let challenge = CHAPChallenge(random: secureRandom(byteCount: 33))
    var login = TargetLogin(policy: NegotiationPolicy(), challenge: challenge)
    let names = "InitiatorName=iqn.2026-11.org:a\0TargetName=iqn.2026-11.org:b\0AuthMethod=CHAP\0"
    let security = request(.securityNegotiation)
    _ = login.receive(security.header, data: Array(names.utf8))
    _ = login.decide(.admit(.chap(chap), portalGroupTag: 1, alias: nil))
    _ = login.receive(security.header, data: Array("CHAP_A=7\0".utf8))
    let response = try #require(
      CHAPAlgorithm.sha256.response(
        identifier: challenge.identifier, secret: secret, challenge: challenge.bytes))
    let keys = TextKeys([
      .init("CHAP_N", "host"), .init("CHAP_R", TextValue.base64(response)), .init("CHAP_I", "1"),
      .init("CHAP_C", TextValue.base64(challenge.bytes)),
    ])
    guard
      case .refused(let answer, _, .reflectedChallenge) = login.receive(
        security.header, data: keys.encode())
    else {
      Issue.record("not refused")
      return
    }
    #expect(answer.status == .authenticationFailure)
  }
}
