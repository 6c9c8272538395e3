import Digests
import ISCSIProtocol
import Testing

/// Both ends of a login, one against the other.
struct Login {
  var initiator: InitiatorLogin
  var target: TargetLogin
  var decision: AdmissionDecision

  init(
    chap: InitiatorCHAP? = nil, authentication: AuthenticationPolicy = .none,
    isDiscovery: Bool = false, policy: NegotiationPolicy = NegotiationPolicy()
  ) throws {
    initiator = InitiatorLogin(
      .init(
        initiatorName: try ISCSIName("iqn.2026-11.org.ecopy:host"),
        targetName: isDiscovery ? nil : try ISCSIName("iqn.2026-11.org.ecopy:disks"),
        isid: InitiatorSessionID(random: 1, qualifier: 2), chap: chap, policy: policy,
        challenge: CHAPChallenge(random: secureRandom(byteCount: 33))))
    target = TargetLogin(
      policy: NegotiationPolicy(), challenge: CHAPChallenge(random: secureRandom(byteCount: 33)))
    decision = .admit(authentication, portalGroupTag: 1, alias: "lab")
  }

  enum End {
    case established(LoginResult, LoginResult)
    case refused(LoginRefusal, LoginError)
  }

  /// Runs until both agree.
  mutating func run() throws -> End {
    var sent = initiator.start()
    for _ in 0..<20 {
      guard case .send(let request, let text) = sent else { throw Unexpected() }
      var action = target.receive(request.header, data: text)
      if case .needsAdmission = action { action = target.decide(decision) }
      switch action {
      case .needsAdmission: throw Unexpected()
      case .answer(let response, let text):
        sent = try initiator.receive(response.header, data: text)
      case .established(var response, let text, let theirs):
        response.tsih = 9
        guard case .established(let ours) = try initiator.receive(response.header, data: text)
        else { throw Unexpected() }
        return .established(ours, theirs)
      case .refused(let response, let text, let refusal):
        do throws(LoginError) {
          _ = try initiator.receive(response.header, data: text)
        } catch {
          return .refused(refusal, error)
        }
        throw Unexpected()
      }
    }
    throw Unexpected()
  }

  struct Unexpected: Error {}
}

@Suite("Login") struct LoginTests {
  private func credential(_ user: String, _ secret: String) throws -> CHAPCredential {
    try CHAPCredential(user: user, secret: CHAPSecret(Array(secret.utf8)))
  }

  @Test("both ends agree on the same parameters") func plain() throws {
    var login = try Login(policy: NegotiationPolicy(headerDigests: [.crc32c, .none]))
    guard case .established(let ours, let theirs) = try login.run() else {
      Issue.record("not established")
      return
    }
    #expect(ours.parameters == theirs.parameters)
    #expect(ours.parameters.headerDigest == .crc32c && ours.parameters.dataDigest == .none)
    #expect(!ours.parameters.initialR2T && ours.parameters.maxBurstLength == 1_048_576)
    #expect(ours.tsih == 9 && ours.portalGroupTag == 1 && ours.peerAlias == "lab")
    #expect(ours.statSN == theirs.statSN && ours.cmdSN == theirs.cmdSN)
  }

  @Test("a discovery session needs no target") func discovery() throws {
    var login = try Login(isDiscovery: true)
    guard case .established(let ours, let theirs) = try login.run() else {
      Issue.record("not established")
      return
    }
    #expect(ours.targetName == nil && theirs.sessionType == .discovery)
  }

  @Test("CHAP both ways, the strongest algorithm first") func mutual() throws {
    let host = try credential("host", "a secret of the host")
    let disks = try credential("disks", "a secret of the disks")
    var login = try Login(
      chap: InitiatorCHAP(own: host, target: disks),
      authentication: .chap(TargetCHAP(accepted: [host], own: disks)))
    guard case .established(let ours, let theirs) = try login.run() else {
      Issue.record("not established")
      return
    }
    #expect(ours.user == "host" && theirs.user == "host")
  }

  @Test("a wrong secret and an unknown user get the same answer") func wrong() throws {
    let host = try credential("host", "a secret of the host")
    for bad in [
      try credential("host", "another secret of it"),
      try credential("guest", "a secret of the host"),
    ] {
      var login = try Login(
        chap: InitiatorCHAP(own: bad), authentication: .chap(TargetCHAP(accepted: [host])))
      guard case .refused(.wrongResponse, .refused(let status)) = try login.run() else {
        Issue.record("not refused")
        return
      }
      #expect(status == .authenticationFailure)
    }
  }

  @Test("an initiator without CHAP does not get in where it is asked for") func none() throws {
    let host = try credential("host", "a secret of the host")
    var login = try Login(authentication: .chap(TargetCHAP(accepted: [host])))
    guard case .refused(.noAuthentication, .refused(.authenticationFailure)) = try login.run()
    else {
      Issue.record("not refused")
      return
    }
  }

  @Test("a target with a wrong secret is found out") func falseTarget() throws {
    let host = try credential("host", "a secret of the host")
    var login = try Login(
      chap: InitiatorCHAP(own: host, target: credential("disks", "a secret of the disks")),
      authentication: .chap(
        TargetCHAP(accepted: [host], own: credential("disks", "some secret of a thief"))))
    #expect(throws: LoginError.wrongTargetResponse) { try login.run() }
  }

  @Test("a redirect is told by its address") func redirect() throws {
    var login = try Login()
    let address = try #require(PortalAddress("10.0.0.9:3262,1"))
    login.decision = .redirect(address, isPermanent: false)
    guard case .refused(.redirected, .redirected(let redirect)) = try login.run() else {
      Issue.record("not redirected")
      return
    }
    #expect(redirect == Redirect(address: address, isPermanent: false))
  }

  @Test("a PDU that is no login gets 020Bh") func notALogin() throws {
    var login = try Login()
    let ping = NopOut(initiatorTaskTag: 1, cmdSN: SerialNumber(1), expStatSN: SerialNumber(1))
    guard case .refused(let response, _, .notALogin) = login.target.receive(ping.header, data: [])
    else {
      Issue.record("not refused")
      return
    }
    #expect(response.status == .invalidDuringLogin)
  }

  @Test("secrets are long, and differ by direction") func secrets() throws {
    #expect(throws: CHAPPolicyError.secretTooShort(byteCount: 11)) {
      try CHAPSecret([UInt8](repeating: 1, count: 11))
    }
    let same = try credential("a", "the same secret")
    #expect(throws: CHAPPolicyError.sameSecretBothWays) {
      try TargetCHAP(accepted: [same], own: same)
    }
    #expect("\(same)".contains("same secret") == false)
  }

  @Test("digests of “abc” are those of the standards")
  func digests() {
    let expected: [MessageDigest: String] = [
      .md5: "0x900150983cd24fb0d6963f7d28e17f72",
      .sha1: "0xa9993e364706816aba3e25717850c26c9cd0d89d",
      .sha256: "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      .sha3With256Bits: "0x3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    ]
    for (digest, text) in expected {
      #expect(digest.digest(of: Array("abc".utf8)).map(TextValue.hexadecimal) == text)
    }
  }
}
