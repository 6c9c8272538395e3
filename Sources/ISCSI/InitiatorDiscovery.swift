public import ISCSIProtocol
public import Uring

/// Asks a portal what targets there are. RFC 7143 appendix C.
public enum InitiatorDiscovery {
  /// PDUs of one answer: what 64 KiB of text take in the smallest useful pieces.
  private static let mostPieces = 256

  /// Logs in to a discovery session, sends SendTargets=All, and logs out.
  ///
  /// - Parameter options: without a target name.
  /// - Throws: why there is no answer, with the way out.
  public static func targets(
    _ options: InitiatorOptions, ring: Ring
  ) async throws(InitiatorError) -> [DiscoveredTarget] {
    precondition(options.targetName == nil, "a discovery session has no target")
    let connection = try await InitiatorConnection.open(options, ring: ring)
    let exchange = connection.exchange
    exchange.adopt(connection.result.parameters)
    let deadline = InitiatorDeadline(ring, seconds: options.loginTimeoutSeconds) {
      exchange.fail(
        .loginTimeout(target: options.label, seconds: options.loginTimeoutSeconds))
    }
    do throws(InitiatorError) {
      let targets = try await ask(exchange, connection.result, options)
      await deadline.cancel()
      await exchange.close()
      return targets
    } catch {
      await deadline.cancel()
      await exchange.close()
      throw error
    }
  }

  private static func ask(
    _ exchange: InitiatorExchange, _ login: LoginResult, _ options: InitiatorOptions
  ) async throws(InitiatorError) -> [DiscoveredTarget] {
    var query = TextKeys()
    query.append("SendTargets", SendTargets.Query.all.value)
    var text = query.encode()
    var transferTag = TextRequest.reservedTag
    var statSN = login.statSN
    var cmdSN = login.cmdSN
    var assembler = TextAssembler()
    for _ in 0..<mostPieces {
      let request = TextRequest(
        initiatorTaskTag: 1, targetTransferTag: transferTag, cmdSN: cmdSN, expStatSN: statSN,
        isFinal: true)
      try exchange.send(request.header, text: text)
      let answer = try await exchange.receive()
      let pdu: TextResponse
      let whole: [UInt8]?
      do {
        pdu = try TextResponse(answer.header)
        // More comes where C says so, and where F is missing.
        whole = try assembler.append(answer.data, isContinued: !pdu.isFinal)
      } catch {
        throw .discovery(target: options.label, reason: "\(error)")
      }
      if let whole {
        try await logOut(exchange, cmdSN.advanced(by: 1), pdu.statSN.advanced(by: 1))
        do throws(DiscoveryError) {
          return try SendTargets.decode(whole)
        } catch {
          throw .discovery(target: options.label, reason: "\(error)")
        }
      }
      text = []
      transferTag = pdu.targetTransferTag
      statSN = pdu.statSN.advanced(by: 1)
      cmdSN = cmdSN.advanced(by: 1)
    }
    throw .discovery(target: options.label, reason: "it comes in more than \(mostPieces) pieces")
  }

  private static func logOut(
    _ exchange: InitiatorExchange, _ cmdSN: SerialNumber, _ statSN: SerialNumber
  ) async throws(InitiatorError) {
    let request = LogoutRequest(
      reason: .closeSession, initiatorTaskTag: 2, cmdSN: cmdSN, expStatSN: statSN)
    try exchange.send(request.header, text: [])
    // Whatever comes, or nothing: the answer to the question is there.
    _ = try? await exchange.receive()
  }
}
