import Digests
import ISCSIProtocol
import SAM
import Uring

/// A connection until it is logged in: everything it may do is to log in, within a deadline.
final class TargetConnection: PDUChannelOwner {
  private unowned let server: TargetServer
  private let portal: SocketAddress
  private let peer: SocketAddress
  private var channel: PDUChannel?
  private var login: TargetLogin
  private var admission: TargetAdmission?
  private var initiatorName: ISCSIName?
  private var seconds = 0
  private var isWorking = false
  private var hasEnded = false
  /// The request for bytes of the data segment that is to come.
  private var request: BufferReceiver?
  /// Bytes of the control share that received text stands in.
  private var textByteCount = 0

  init(server: TargetServer, portal: SocketAddress, peer: SocketAddress) {
    self.server = server
    self.portal = portal
    self.peer = peer
    login = TargetLogin(
      policy: server.configuration.policy,
      challenge: CHAPChallenge(random: secureRandom(byteCount: CHAPChallenge.byteCount + 1)))
    super.init()
  }

  func start(_ channel: PDUChannel) {
    self.channel = channel
    channel.maximumDataSegmentLength = TextLimits.loginSegmentByteCount
    channel.start()
  }

  /// A second has passed.
  func tick() {
    seconds += 1
    guard seconds > server.configuration.loginSeconds else { return }
    if !hasEnded { server.counters.failedLogins += 1 }
    end()
  }

  /// Ends the connection; `closed` follows.
  func end() {
    hasEnded = true
    channel?.close()
  }

  // MARK: The channel

  override func place(_ header: BasicHeaderSegment) -> Placement {
    guard header.kind == .loginRequest else {
      // It is told that it must log in first; its data are not waited for.
      step(header, [])
      return .wait
    }
    let receiver = BufferReceiver { [self] payload in
      request = nil
      textByteCount = payload.byteCount
      channel?.place(.into(payload))
    }
    request = receiver
    server.control.take(header.dataSegmentLength, for: receiver, tag: 0)
    return .wait
  }

  override func received(
    _ header: BasicHeaderSegment, data: consuming Payload, dataDigestFails: Bool
  ) {
    let text = data.bytes()
    _ = consume data
    giveBackText()
    step(header, text)
  }

  private func giveBackText() {
    guard textByteCount > 0 else { return }
    let count = textByteCount
    textByteCount = 0
    server.control.giveBack(count)
  }

  override func released(tag: UInt64) {
    let count = TargetSession.textByteCount(of: tag)
    if count > 0 { server.control.giveBack(count) }
  }

  override func failed(_ error: ChannelError) {
    if !hasEnded { server.counters.failedLogins += 1 }
    end()
  }

  override func closed() {
    hasEnded = true
    if let request {
      _ = server.control.withdraw(request, tag: 0)
      self.request = nil
    }
    giveBackText()
    channel = nil
    if !isWorking { server.ended(self) }
  }

  // MARK: The login

  /// Takes one PDU to the login. Nothing is received meanwhile.
  private func step(_ header: BasicHeaderSegment, _ text: [UInt8]) {
    channel?.pause()
    isWorking = true
    server.ring.start { [self] in
      await perform(login.receive(header, data: text))
      isWorking = false
      if hasBegun { return }
      guard let channel else { return server.ended(self) }
      if !hasEnded { channel.resume() }
    }
  }

  /// The channel belongs to a session.
  private var hasBegun = false

  private func perform(_ action: TargetLogin.Action) async {
    switch action {
    case .needsAdmission(let identity):
      let admission = await server.directory.admission(of: identity, at: portal, from: peer)
      guard channel != nil, !hasEnded else { return }
      self.admission = admission
      initiatorName = identity.initiatorName
      await perform(login.decide(decision(admission, identity)))
    case .answer(let response, let text):
      _ = await send(response, text)
    case .established(let response, let text, let result):
      await establish(response, text, result)
    case .refused(let response, let text, let refusal):
      // Whoever does not admit an initiator knows why.
      if refusal != .notAdmitted {
        server.directory.report(
          .refused(initiatorName: initiatorName, peer: peer, refusal))
      }
      await refuse(response, text)
    }
  }

  private func decision(
    _ admission: TargetAdmission, _ identity: LoginIdentity
  ) -> AdmissionDecision {
    switch admission {
    case .admit(let policy, let port, _, let alias):
      identity.sessionType == .normal
        ? .admit(policy, portalGroupTag: port.portalGroupTag, alias: alias)
        : .refuse(.targetError)
    case .discover(let policy):
      identity.sessionType == .discovery
        ? .admit(policy, portalGroupTag: nil, alias: nil) : .refuse(.targetError)
    case .refuse(let status): .refuse(status)
    case .redirect(let address, let isPermanent): .redirect(address, isPermanent: isPermanent)
    }
  }

  private func refuse(_ response: LoginResponse, _ text: [UInt8]) async {
    guard !hasEnded else { return }
    hasEnded = true
    server.counters.failedLogins += 1
    if await send(response, text) { channel?.finish() }
  }

  /// Sends a response, unless the connection has ended.
  private func send(_ response: LoginResponse, _ text: [UInt8]) async -> Bool {
    let data = await payload(of: text)
    return send(response, data, text.count)
  }

  /// Text in bytes of the control share.
  private func payload(of text: [UInt8]) async -> Payload {
    precondition(
      text.count <= TextLimits.loginSegmentByteCount, "a login answers a bounded number of keys")
    guard !text.isEmpty else { return server.ring.arena.empty() }
    var data = await server.control.take(text.count)
    data.store(text, at: 0)
    return data
  }

  private func send(_ response: LoginResponse, _ data: consuming Payload, _ count: Int) -> Bool {
    guard let channel, channel.isOpen, channel.hasRoom else {
      _ = consume data
      if count > 0 { server.control.giveBack(count) }
      return false
    }
    channel.send(response.header, data: data, tag: TargetSession.textTag(count))
    channel.flush()
    return true
  }

  private func establish(
    _ response: LoginResponse, _ text: [UInt8], _ result: LoginResult
  ) async {
    let identity = SessionIdentity(
      initiatorName: result.initiatorName, isid: result.isid, targetName: result.targetName,
      portalGroupTag: result.portalGroupTag)
    guard result.tsih == 0 else {
      // A session has one connection, and error recovery level 0 does not replace it.
      let status: LoginStatus =
        server.session(withHandle: result.tsih)?.identity == identity
        ? .tooManyConnections : .sessionDoesNotExist
      return await refuse(login.refusal(status), [])
    }
    let data = await payload(of: text)
    if result.sessionType == .normal {
      while let old = server.session(like: identity) { await old.endAndWait() }
    }
    guard let channel, channel.isOpen, channel.hasRoom, !hasEnded, !server.isStopping else {
      _ = consume data
      if !text.isEmpty { server.control.giveBack(text.count) }
      return end()
    }
    // From here on nothing waits: whoever logs in at the same time finds this session.
    let session = TargetSession(
      server: server, channel: channel, result: result, identity: identity,
      handle: server.makeHandle(), admission: admission, portal: portal)
    var response = response
    response.tsih = session.handle
    response.maxCmdSN = session.maxCmdSN
    channel.send(response.header, data: data, tag: TargetSession.textTag(text.count))
    hasEnded = true
    self.channel = nil
    hasBegun = true
    server.began(session, instead: self)
    session.begin()
  }
}
