import ISCSIProtocol
import SAM
import Uring

/// Text of an initiator that comes and goes in several PDUs. RFC 7143 11.10.
struct TextExchange {
  var assembler = TextAssembler()
  var cutter: TextCutter?
  /// The tag that the next request must have; nil where a new exchange may begin.
  var transferTag: UInt32?
  var lastTransferTag: UInt32 = 0
  /// Being answered: its requests come one by one.
  var isAnswering = false
}

/// Pings, text, logout and what the target says by itself.
extension TargetSession {
  /// A ping or text with data.
  func placeText(_ header: BasicHeaderSegment) -> Placement {
    let receiver = BufferReceiver { [self] payload in
      textRequest = nil
      receivedTextByteCount = payload.byteCount
      channel.place(.into(payload))
    }
    guard header.dataSegmentLength <= server.data.byteCount else { return .refuse }
    textRequest = receiver
    server.data.take(header.dataSegmentLength, for: receiver, tag: 0)
    return .wait
  }

  /// Gives back the bytes that text was received in.
  func giveBackText() {
    guard receivedTextByteCount > 0 else { return }
    let count = receivedTextByteCount
    receivedTextByteCount = 0
    server.data.giveBack(count)
  }

  func giveBackText(dropping data: consuming Payload) {
    _ = consume data
    giveBackText()
  }

  // MARK: Pings

  func takeNop(
    _ header: BasicHeaderSegment, _ data: consuming Payload, _ digestFails: Bool
  ) {
    if digestFails {
      giveBackText(dropping: data)
      return reject(header, .dataDigestError)
    }
    let request: NopOut
    do throws(PDUError) {
      request = try NopOut(header)
    } catch {
      giveBackText(dropping: data)
      return reject(header, error.reason)
    }
    let echo = ControlData(data, byteCount: receivedTextByteCount)
    receivedTextByteCount = 0
    let isPing = request.initiatorTaskTag != NopOut.reservedTag
    switch order(request.cmdSN, isImmediate: request.isImmediate) {
    case .now:
      if isPing { answer(request, echo) } else { echo.giveBack(to: server.data) }
      continueOrder()
    case .later:
      // A ping that waits keeps no bytes: its data are not echoed.
      echo.giveBack(to: server.data)
      held[request.cmdSN.rawValue] = { [self] in
        if isPing { answer(request, ControlData(ring.arena.empty(), byteCount: 0)) }
      }
    case .never: echo.giveBack(to: server.data)
    }
  }

  private func answer(_ request: NopOut, _ echo: ControlData) {
    let response = NopIn(
      initiatorTaskTag: request.initiatorTaskTag, logicalUnit: request.logicalUnit,
      statSN: statSN, expCmdSN: expCmdSN, maxCmdSN: maxCmdSN)
    guard var data = echo.take(), !data.isEmpty else { return send(response.header) }
    data.truncate(to: min(data.byteCount, Int(parameters.peerMaxRecvDataSegmentLength)))
    send(response.header, data: data, byteCount: echo.byteCount)
  }

  /// Asks an initiator that has been silent whether it is there.
  func ping() {
    let request = NopIn(
      targetTransferTag: 1, statSN: statSN, expCmdSN: expCmdSN, maxCmdSN: maxCmdSN)
    send(request.header, advancesStatSN: false)
    pump()
  }

  // MARK: Text

  func takeText(
    _ header: BasicHeaderSegment, _ data: consuming Payload, _ digestFails: Bool
  ) {
    let bytes = data.bytes()
    giveBackText(dropping: data)
    if digestFails { return reject(header, .dataDigestError) }
    let request: TextRequest
    do throws(PDUError) {
      request = try TextRequest(header)
    } catch {
      return reject(header, error.reason)
    }
    inOrder(request.cmdSN, isImmediate: request.isImmediate) { [self] in
      take(request, bytes)
    }
  }

  private func take(_ request: TextRequest, _ bytes: [UInt8]) {
    guard !text.isAnswering else { return reject(again: request.header, .protocolError) }
    if request.targetTransferTag == TextRequest.reservedTag {
      // Without a tag a new exchange begins, whatever became of the last one. RFC 7143 11.10.4.
      text.assembler = TextAssembler()
      text.cutter = nil
    } else if request.targetTransferTag != text.transferTag {
      return reject(again: request.header, .invalidPDUField)
    }
    text.transferTag = nil
    if text.cutter != nil { return answer(request) }
    let keys: TextKeys
    do throws(TextError) {
      guard let whole = try text.assembler.append(bytes, isContinued: request.isContinued) else {
        return answer(request, [], isAtEnd: false)
      }
      keys = try TextKeys(parsing: whole)
    } catch {
      return reject(again: request.header, .protocolError)
    }
    text.isAnswering = true
    hold(.text)
    work { [self] in
      let answer = await answer(to: keys)
      text.isAnswering = false
      guard !isEnding else { return }
      text.cutter = TextCutter(
        answer,
        segmentByteCount: min(
          Int(parameters.peerMaxRecvDataSegmentLength), TextLimits.loginSegmentByteCount))
      self.answer(request)
      pump()
    }
  }

  /// Sends the next part of an answer.
  private func answer(_ request: TextRequest) {
    guard var cutter = text.cutter.take() else { preconditionFailure("there is an answer") }
    let segment = cutter.next()
    let goesOn = !cutter.isAtEnd
    if goesOn { text.cutter = cutter }
    // While the initiator has more to say the exchange does not end. RFC 7143 11.11.1.
    answer(request, segment, isAtEnd: !goesOn && request.isFinal, goesOn: goesOn)
  }

  private func answer(
    _ request: TextRequest, _ segment: [UInt8], isAtEnd: Bool, goesOn: Bool = false
  ) {
    var tag = TextResponse.reservedTag
    if !isAtEnd {
      text.lastTransferTag = text.lastTransferTag % 0xFFFF_FFFE + 1
      tag = text.lastTransferTag
      text.transferTag = tag
    }
    let response = TextResponse(
      initiatorTaskTag: request.initiatorTaskTag, targetTransferTag: tag, statSN: statSN,
      expCmdSN: expCmdSN, maxCmdSN: maxCmdSN, isContinued: goesOn)
    guard segment.count > PDUChannel.mostCopiedBytes else {
      send(response.header, bytes: segment)
      return unhold(.text)
    }
    hold(.text)
    work { [self] in
      var data = await server.data.take(segment.count)
      data.store(segment, at: 0)
      send(response.header, data: data, byteCount: segment.count)
      pump()
    }
  }

  private func answer(to keys: TextKeys) async -> [UInt8] {
    var answer: [UInt8] = []
    for pair in keys.pairs {
      if pair.key == ParameterKey.sendTargets.rawValue {
        answer += await targets(pair.value)
      } else {
        var one = TextKeys()
        one.append(
          pair.key, ParameterKey(rawValue: pair.key) == nil ? "NotUnderstood" : "Reject")
        answer += one.encode()
      }
    }
    return answer
  }

  private func targets(_ value: String) async -> [UInt8] {
    guard let query = SendTargets.Query(value) else {
      return Array("SendTargets=Reject\0".utf8)
    }
    if query == .all, !isDiscovery { return Array("SendTargets=Reject\0".utf8) }
    let visible = await server.directory.visibleTargets(for: identity.initiatorName, at: portal)
    let shown = visible.prefix(SendTargets.maximumTargetCount).filter {
      switch query {
      case .all: true
      case .one(let name): $0.name == name
      case .current: $0.name == identity.targetName
      }
    }
    return SendTargets.encode(Array(shown))
  }

  /// A Reject of a PDU that has had its turn.
  private func reject(again header: BasicHeaderSegment, _ reason: RejectReason) {
    var shown = header
    shown.isImmediate = true
    server.counters.rejects += 1
    send(
      Reject(reason: reason, statSN: statSN, expCmdSN: expCmdSN, maxCmdSN: maxCmdSN).header,
      bytes: Reject.dataSegment(of: header))
  }

  // MARK: Logout

  func takeLogout(_ header: BasicHeaderSegment) {
    let request: LogoutRequest
    do throws(PDUError) {
      request = try LogoutRequest(header)
    } catch {
      return reject(header, error.reason)
    }
    inOrder(request.cmdSN, isImmediate: request.isImmediate) { [self] in
      switch request.reason {
      case .removeForRecovery: answer(request, .recoveryNotSupported)
      case .closeConnection where request.connectionID != connectionID:
        answer(request, .connectionNotFound)
      case .closeConnection, .closeSession:
        hold(.end)
        work { [self] in
          await detach()
          answer(request, .closed)
          pump()
        }
      }
    }
  }

  private func answer(_ request: LogoutRequest, _ response: LogoutResponse.Response) {
    send(
      LogoutResponse(
        response: response, initiatorTaskTag: request.initiatorTaskTag, statSN: statSN,
        expCmdSN: expCmdSN, maxCmdSN: maxCmdSN
      ).header, isLast: response == .closed)
  }

  /// Asks the initiator to log out within a time; a discovery session just ends.
  func askForLogout(seconds: UInt16) {
    guard !isDiscovery else { return end() }
    send(message(.logoutRequest, seconds))
    pump()
  }

  /// Tells the initiator that its session ends, and ends it.
  func drop() {
    guard !isEnding, !isFinishing else { return }
    if !isDiscovery { send(message(.dropSession, 0)) }
    finish()
  }

  private func message(
    _ event: AsynchronousMessage.Event, _ seconds: UInt16
  ) -> BasicHeaderSegment {
    AsynchronousMessage(
      event: event, statSN: statSN, expCmdSN: expCmdSN, maxCmdSN: maxCmdSN, parameter3: seconds
    ).header
  }
}

/// Data of a control PDU with the bytes of the share that they stand in.
final class ControlData {
  private var payload: Payload?
  let byteCount: Int

  init(_ payload: consuming Payload, byteCount: Int) {
    self.payload = consume payload
    self.byteCount = byteCount
  }

  func take() -> Payload? { payload.take() }

  func giveBack(to share: BufferShare) {
    payload = nil
    if byteCount > 0 { share.giveBack(byteCount) }
  }
}
