import ISCSIProtocol

/// The first 48 bytes as a header, and what is behind them.
private func split(_ bytes: [UInt8]) -> (BasicHeaderSegment, [UInt8])? {
  guard bytes.count >= BasicHeaderSegment.byteCount else { return nil }
  return (BasicHeaderSegment(InlineArray { bytes[$0] }), Array(bytes.dropFirst(48)))
}

/// Every header is read as every PDU; additional headers that are accepted read back equal.
@Sendable func pdu(_ bytes: [UInt8]) {
  guard let (header, rest) = split(bytes) else { return }
  func read<PDU: ProtocolDataUnit>(_: PDU.Type) {
    guard let pdu = try? PDU(header) else { return }
    precondition(pdu.header == header && header.kind == PDU.opcode)
  }
  read(NopOut.self)
  read(NopIn.self)
  read(SCSICommand.self)
  read(SCSIResponse.self)
  read(TaskManagementRequest.self)
  read(TaskManagementResponse.self)
  read(LoginRequest.self)
  read(LoginResponse.self)
  read(TextRequest.self)
  read(TextResponse.self)
  read(DataOut.self)
  read(DataIn.self)
  read(ReadyToTransfer.self)
  read(LogoutRequest.self)
  read(LogoutResponse.self)
  read(AsynchronousMessage.self)
  read(Reject.self)
  read(SNACKRequest.self)
  _ = SCSIResponse.sense(in: rest)
  _ = Reject.header(in: rest)
  let count = min(header.additionalHeaderByteCount, rest.count)
  let segments = Array(rest.prefix(count))
  if let read = try? AdditionalHeaderSegments(segments.span, of: header) {
    precondition(read.encode().count <= AdditionalHeaderSegments.maximumByteCount)
  }
}

/// Text that is accepted reads back equal.
@Sendable func text(_ bytes: [UInt8]) {
  if let keys = try? TextKeys(parsing: bytes) {
    precondition((try? TextKeys(parsing: keys.encode())) == keys)
  }
  if let targets = try? SendTargets.decode(bytes) {
    precondition((try? SendTargets.decode(SendTargets.encode(targets))) == targets)
  }
}

/// Cuts the input into PDUs: two bytes of length, two of flags and stages, then text.
private func exchanges(_ bytes: [UInt8]) -> [(flags: UInt8, extra: UInt8, text: [UInt8])] {
  var rest = bytes[...]
  var found: [(flags: UInt8, extra: UInt8, text: [UInt8])] = []
  while rest.count >= 4 {
    let head = Array(rest.prefix(4))
    rest = rest.dropFirst(4)
    let text = Array(rest.prefix(Int(head[0]) << 8 | Int(head[1])))
    rest = rest.dropFirst(text.count)
    found.append((head[2], head[3], text))
  }
  return found
}

private let fixed = CHAPChallenge(random: [UInt8](repeating: 7, count: 33))

private func credential(_ user: String, _ secret: String) -> CHAPCredential? {
  guard let secret = try? CHAPSecret(Array(secret.utf8)) else { return nil }
  return try? CHAPCredential(user: user, secret: secret)
}

@Sendable func loginTarget(_ bytes: [UInt8]) {
  guard let user = credential("user", "secret of a user"),
    let own = credential("disk", "secret of a disk"),
    let chap = try? TargetCHAP(accepted: [user], own: own, allowsLegacyAlgorithms: true)
  else { preconditionFailure("the secrets are long enough") }
  var login = TargetLogin(policy: NegotiationPolicy(), challenge: fixed)
  for (flags, extra, text) in exchanges(bytes) {
    var header = BasicHeaderSegment()
    header.bytes[0] = extra & 0x80 == 0 ? 0x43 : extra
    header.bytes[1] = flags
    var action = login.receive(header, data: text)
    if case .needsAdmission = action {
      let policy: AuthenticationPolicy = extra & 1 == 0 ? .chap(chap) : .none
      action = login.decide(.admit(policy, portalGroupTag: 1, alias: nil))
      if case .established(_, _, let result) = action, extra & 1 == 0 {
        precondition(result.user != nil, "in without CHAP")
      }
    }
    switch action {
    case .answer: continue
    case .needsAdmission: preconditionFailure("asked twice")
    case .established, .refused: return
    }
  }
}

@Sendable func loginInitiator(_ bytes: [UInt8]) {
  guard let name = try? ISCSIName("iqn.2026-11.org.ecopy:a"),
    let own = credential("user", "secret of a user"),
    let target = credential("disk", "secret of a disk")
  else { preconditionFailure("the names are good") }
  let isMutual = (bytes.first ?? 0) & 1 == 1
  let chap = try? InitiatorCHAP(own: own, target: isMutual ? target : nil)
  var login = InitiatorLogin(
    .init(
      initiatorName: name, targetName: name, isid: InitiatorSessionID(rawValue: 0), chap: chap,
      policy: NegotiationPolicy(), challenge: fixed))
  _ = login.start()
  for (index, exchange) in exchanges(Array(bytes.dropFirst())).enumerated() {
    var header = BasicHeaderSegment()
    header.bytes[0] = 0x23
    header.bytes[1] = exchange.flags
    header.bytes[15] = 1
    header.bytes[27] = UInt8(truncatingIfNeeded: index)
    header.bytes[36] = exchange.extra & 3
    guard let action = try? login.receive(header, data: exchange.text) else { return }
    if case .established = action {
      precondition(!isMutual, "nobody guesses the response of a target")
      return
    }
  }
}

/// Binary values in either form read back equal.
@Sendable func chap(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  if let value = TextValue.binary(text, maximumByteCount: CHAPChallenge.maximumByteCount) {
    precondition(value.count <= CHAPChallenge.maximumByteCount)
    for again in [TextValue.hexadecimal(value), TextValue.base64(value)] where !value.isEmpty {
      precondition(TextValue.binary(again, maximumByteCount: value.count) == value)
    }
  }
  _ = TextValue.number(text)
  _ = TextValue.range(text)
  _ = TextValue.list(text)
}

/// Names, portals and URLs that are accepted read back equal.
@Sendable func names(_ bytes: [UInt8]) {
  let text = String(decoding: bytes, as: UTF8.self)
  if let name = try? ISCSIName(text) { precondition((try? ISCSIName("\(name)")) == name) }
  if let portal = PortalAddress(text) { precondition(PortalAddress("\(portal)") == portal) }
  _ = PortName.parseInitiator(text)
  if let url = try? ISCSIURL(text), url.user == nil {
    precondition((try? ISCSIURL("\(url)"))?.targetName == url.targetName)
  }
}
