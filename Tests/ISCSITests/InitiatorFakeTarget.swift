import Digests
import ISCSIProtocol
import SAM
import Uring

@testable import ISCSI

/// A target that does what a test tells it, right or wrong, on the ring of the initiator.
final class FakeTarget {
  let ring: Ring
  private let listener: Int32
  private var isListening = true
  let address: SocketAddress
  /// Digests that its end computes and checks, whatever was agreed on.
  var keepsDigests = true
  var policy: NegotiationPolicy
  /// What the initiator says to its operator.
  let log = FakeLog()

  static let name = "iqn.2026-11.org.example:fake"

  init(_ ring: Ring) throws {
    self.ring = ring
    let any = try SocketAddress.resolve(host: "127.0.0.1", port: 0)[0]
    listener = try Socket.listen(on: any)
    address = Socket.localAddress(of: listener) ?? any
    policy = NegotiationPolicy()
    policy.wanted.maxRecvDataSegmentLength = UInt32(InitiatorExchange.fieldByteCount)
    policy.wanted.initialR2T = true
    policy.wanted.firstBurstLength = 512
  }

  func close() {
    if isListening { Socket.close(listener) }
    isListening = false
  }

  var options: InitiatorOptions {
    get throws {
      var options = InitiatorOptions(
        initiatorName: try ISCSIName("iqn.2026-11.org.example:tests"),
        targetName: try ISCSIName(Self.name),
        portal: PortalAddress(host: "127.0.0.1", port: address.port) ?? Self.nowhere)
      options.reconnectAttempts = 2
      options.reconnectSeconds = 5
      options.log = { [log] in log.lines.append($0) }
      return options
    }
  }

  private static var nowhere: PortalAddress {
    guard let address = PortalAddress(host: "127.0.0.1") else { preconditionFailure("an address") }
    return address
  }

  /// Runs `script` beside the test.
  func play(_ script: @escaping (FakeTarget) async throws -> Void) -> InitiatorSignal {
    let end = InitiatorSignal()
    ring.start { [self] in
      try? await script(self)
      end.fire()
    }
    return end
  }

  /// The next connection, before its login.
  func accept() async throws -> InitiatorExchange {
    let descriptor = await ring.perform { ring.accept(listener, for: $0, tag: 0) }
    return try InitiatorExchange(descriptor, "initiator", ring: ring)
  }

  /// The next connection, logged in.
  func logIn(
    _ decision: AdmissionDecision = .admit(.none, portalGroupTag: 1, alias: nil),
    tsih: UInt16 = 1, window: Int = 8
  ) async throws -> FakeConnection {
    let exchange = try await accept()
    var login = TargetLogin(
      policy: policy, challenge: CHAPChallenge(random: secureRandom(byteCount: 33)))
    while true {
      let request = try await exchange.receive()
      var action = login.receive(request.header, data: request.data)
      if case .needsAdmission = action { action = login.decide(decision) }
      switch action {
      case .needsAdmission: preconditionFailure("it was decided")
      case .answer(let response, let text): try exchange.send(response.header, text: text)
      case .established(var response, let text, let result):
        response.tsih = tsih
        response.expCmdSN = result.cmdSN
        response.maxCmdSN = result.cmdSN.advanced(by: window - 1)
        try exchange.send(response.header, text: text)
        if keepsDigests { exchange.adopt(result.parameters) }
        return FakeConnection(exchange, result)
      case .refused(let response, let text, _):
        try exchange.send(response.header, text: text)
        // The initiator closes, or would wait for more.
        _ = try? await exchange.receive()
        await exchange.close()
        throw InitiatorError.closed(target: "fake")
      }
    }
  }
}

/// The target's side of a session, with right numbers in what it sends.
final class FakeConnection {
  let exchange: InitiatorExchange
  private(set) var statSN: SerialNumber
  var expCmdSN: SerialNumber
  /// Commands the initiator may have ahead.
  var window = 8

  init(_ exchange: InitiatorExchange, _ result: LoginResult) {
    self.exchange = exchange
    statSN = result.statSN
    expCmdSN = result.cmdSN
  }

  var maxCmdSN: SerialNumber { expCmdSN.advanced(by: window - 1) }

  func nextStatSN() -> SerialNumber {
    defer { statSN = statSN.advanced(by: 1) }
    return statSN
  }

  /// The next command; others than commands are not expected.
  func command() async throws -> (SCSICommand, [UInt8]) {
    let pdu = try await exchange.receive()
    let command = try SCSICommand(pdu.header)
    expCmdSN = command.cmdSN.advanced(by: 1)
    return (command, pdu.data)
  }

  func dataIn(
    _ command: SCSICommand, _ bytes: [UInt8], sn: UInt32 = 0, offset: UInt32 = 0,
    tag: UInt32? = nil, isLast: Bool = true
  ) throws {
    var data = DataIn(
      initiatorTaskTag: tag ?? command.initiatorTaskTag, expCmdSN: expCmdSN, maxCmdSN: maxCmdSN,
      dataSN: sn, bufferOffset: offset, isFinal: isLast)
    if isLast { data.setStatus(0, statSN: nextStatSN()) }
    try exchange.send(data.header, text: bytes)
  }

  func answer(
    _ command: SCSICommand, status: UInt8 = 0, sense: [UInt8] = [], residual: Residual = .none
  ) throws {
    let response = SCSIResponse(
      status: status, initiatorTaskTag: command.initiatorTaskTag, statSN: nextStatSN(),
      expCmdSN: expCmdSN, maxCmdSN: maxCmdSN, residual: residual)
    try exchange.send(
      response.header, text: sense.isEmpty ? [] : SCSIResponse.dataSegment(sense: sense))
  }

  func readyToTransfer(
    _ command: SCSICommand, offset: UInt32, count: UInt32, sn: UInt32 = 0, tag: UInt32 = 7
  ) throws {
    try exchange.send(
      ReadyToTransfer(
        initiatorTaskTag: command.initiatorTaskTag, targetTransferTag: tag,
        logicalUnit: command.logicalUnit, statSN: statSN, expCmdSN: expCmdSN, maxCmdSN: maxCmdSN,
        r2tSN: sn, bufferOffset: offset, desiredDataTransferLength: count
      ).header, text: [])
  }

  /// Answers the logout, and closes.
  func end() async throws {
    let pdu = try await exchange.receive()
    let request = try LogoutRequest(pdu.header)
    try exchange.send(
      LogoutResponse(
        response: .closed, initiatorTaskTag: request.initiatorTaskTag, statSN: nextStatSN(),
        expCmdSN: expCmdSN, maxCmdSN: maxCmdSN
      ).header, text: [])
    _ = try? await exchange.receive()
    await exchange.close()
  }

  /// Executes commands by `drive` until the connection ends.
  func serve(
    _ drive: (CommandDescriptorBlock, [UInt8]) throws -> FakeAnswer
  ) async throws {
    while true {
      let pdu = try await exchange.receive()
      if pdu.header.kind == .logoutRequest {
        try exchange.send(
          LogoutResponse(
            response: .closed, initiatorTaskTag: pdu.header.initiatorTaskTag,
            statSN: nextStatSN(), expCmdSN: expCmdSN, maxCmdSN: maxCmdSN
          ).header, text: [])
        _ = try? await exchange.receive()
        return await exchange.close()
      }
      let command = try SCSICommand(pdu.header)
      expCmdSN = command.cmdSN.advanced(by: 1)
      let cdb = CommandDescriptorBlock((0..<16).map { command.cdb[$0] })
      switch try drive(cdb, pdu.data) {
      case .good: try answer(command)
      case .data(let bytes):
        let expected = Int(command.expectedDataTransferLength)
        if bytes.isEmpty {
          try answer(command)
        } else {
          try dataIn(command, Array(bytes.prefix(expected)))
        }
      case .check(let sense, let bytes):
        if !bytes.isEmpty { try dataIn(command, bytes, isLast: false) }
        try answer(command, status: 2, sense: sense)
      case .status(let status): try answer(command, status: status)
      case .cut:
        await exchange.close()
        return
      }
    }
  }
}

/// What a fake drive answers.
enum FakeAnswer {
  case good
  case data([UInt8])
  case check([UInt8], data: [UInt8] = [])
  case status(UInt8)
  /// The connection ends without an answer.
  case cut
}

/// Lines for an operator; read and written on the ring's thread.
final class FakeLog: @unchecked Sendable {
  var lines: [String] = []
}
