import ISCSIProtocol
import Testing

@testable import ISCSI

@Suite("Task management and the end of sessions")
struct TargetManagementTests {
  private func manage(
    _ client: WireClient, _ function: TaskManagementRequest.Function, tag: UInt32 = .max,
    refCmdSN: SerialNumber = SerialNumber(0)
  ) throws -> TaskManagementResponse.Response {
    let request = TaskManagementRequest(
      function: function, initiatorTaskTag: client.nextTag(), referencedTaskTag: tag,
      cmdSN: client.cmdSN, expStatSN: client.expStatSN, refCmdSN: refCmdSN)
    client.send(request.header)
    return try TaskManagementResponse(client.receive(.taskManagementResponse).header).response
  }

  @Test("aborts a command that is being executed, which is not answered")
  func executing() async throws {
    let fixture = try await TargetFixture.start()
    _ = await fixture.look { _, disk in disk.isHolding = true }
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    let request = client.command(WireClient.testUnitReady)
    client.send(request.header)
    #expect(try manage(client, .abortTask, tag: request.initiatorTaskTag) == .complete)
    _ = await fixture.look { _, disk in disk.isHolding = false }
    #expect(try client.testUnitReady() == 0)
    #expect(try manage(client, .abortTask, tag: request.initiatorTaskTag) == .taskDoesNotExist)
    #expect(await fixture.stop() == 0)
  }

  @Test(
    "ends commands whose data are to come, and their bytes are free",
    arguments: [
      TaskManagementRequest.Function.abortTask, .abortTaskSet, .clearTaskSet, .logicalUnitReset,
      .targetWarmReset,
    ])
  func collecting(_ function: TaskManagementRequest.Function) async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn([("ImmediateData", "No")])
    let request = client.command(
      WireClient.cdb(0x2A, at: 0, blocks: 128), expected: 65536, isWrite: true)
    client.send(request.header)
    let ready = try ReadyToTransfer(client.receive(.readyToTransfer).header)
    #expect(try manage(client, function, tag: request.initiatorTaskTag) == .complete)
    #expect(await fixture.heldByteCount() == PDUChannel.blockByteCount)
    // What is still on its way comes to nothing.
    client.sendData(
      request, TargetDataTests.pattern(65536), from: 0, to: 65536, segment: 8192,
      transferTag: ready.targetTransferTag)
    #expect(try client.testUnitReady() == 0)
    #expect(await fixture.look { _, disk in disk.withdrawn } == 1)
    #expect(await fixture.stop() == 0)
  }

  @Test("aborts a command that has not come: it is skipped in the order")
  func absent() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    let missing = client.command(WireClient.testUnitReady)
    #expect(
      try manage(
        client, .abortTask, tag: missing.initiatorTaskTag, refCmdSN: missing.cmdSN) == .complete)
    #expect(try client.testUnitReady() == 0)
    #expect(
      try manage(client, .abortTask, tag: 4711, refCmdSN: client.cmdSN.advanced(by: 900))
        == .taskDoesNotExist)
    #expect(await fixture.stop() == 0)
  }

  @Test("says which functions there are not")
  func unsupported() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    #expect(try manage(client, .taskReassign) == .reassignmentNotSupported)
    #expect(try manage(client, .queryTask) == .functionNotSupported)
    #expect(try manage(client, .clearACA) == .functionNotSupported)
    #expect(await fixture.stop() == 0)
  }

  @Test("ends every session of the target with a cold reset")
  func coldReset() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    let other = try WireClient(port: fixture.port)
    try other.logIn(isid: 0x80_0000_0000_05)
    #expect(try manage(client, .targetColdReset) == .complete)
    #expect(client.isClosed())
    #expect(
      try AsynchronousMessage(other.receive(.asynchronousMessage).header).event == .dropSession)
    #expect(other.isClosed())
    #expect(await fixture.stop() == 0)
  }

  @Test("asks for a logout when the server stops, and ends who does not")
  func shutdown() async throws {
    var options = TargetFixture.Options()
    options.configuration.drainSeconds = 1
    let fixture = try await TargetFixture.start(options)
    let polite = try WireClient(port: fixture.port)
    try polite.logIn()
    let rude = try WireClient(port: fixture.port)
    try rude.logIn(isid: 0x80_0000_0000_05)
    let stopping = fixture.beginToStop()
    for client in [polite, rude] {
      let message = try AsynchronousMessage(client.receive(.asynchronousMessage).header)
      #expect(message.event == .logoutRequest && message.parameter3 == 1)
    }
    #expect(try polite.logOut() == .closed)
    let last = try AsynchronousMessage(rude.receive(.asynchronousMessage).header)
    #expect(last.event == .dropSession)
    #expect(rude.isClosed())
    await stopping.value
    #expect(await fixture.end() == 0)
  }

  @Test("asks a silent initiator whether it is there, and ends it where it is not")
  func silence() async throws {
    var options = TargetFixture.Options()
    options.configuration.silenceSeconds = 1
    options.configuration.answerSeconds = 2
    let fixture = try await TargetFixture.start(options)
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    let ping = try NopIn(client.receive(.nopIn).header)
    #expect(ping.initiatorTaskTag == NopIn.reservedTag)
    #expect(ping.targetTransferTag != NopIn.reservedTag)
    let answer = NopOut(
      initiatorTaskTag: NopOut.reservedTag, targetTransferTag: ping.targetTransferTag,
      cmdSN: client.cmdSN, expStatSN: client.expStatSN)
    client.send(answer.header)
    _ = try client.receive(.nopIn)
    #expect(client.isClosed())
    #expect(await fixture.wait { server, _ in server.sessionCount == 0 })
    #expect(await fixture.stop() == 0)
  }

  @Test("ends an initiator that answers, and never sends the data it was asked for")
  func stall() async throws {
    var options = TargetFixture.Options()
    options.configuration.silenceSeconds = 1
    options.configuration.answerSeconds = 1
    let fixture = try await TargetFixture.start(options)
    let client = try WireClient(port: fixture.port)
    try client.logIn([("ImmediateData", "No")])
    let request = client.command(
      WireClient.cdb(0x2A, at: 0, blocks: 8), expected: 4096, isWrite: true)
    client.send(request.header)
    _ = try client.receive(.readyToTransfer)
    while let ping = try? client.receive(.nopIn) {
      let answer = NopOut(
        initiatorTaskTag: NopOut.reservedTag,
        targetTransferTag: try NopIn(ping.header).targetTransferTag, cmdSN: client.cmdSN,
        expStatSN: client.expStatSN)
      client.send(answer.header)
    }
    #expect(await fixture.wait { server, _ in server.sessionCount == 0 })
    #expect(await fixture.heldByteCount() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("ends an initiator that leaves one write without data while it goes on with another")
  func stallBesideAnother() async throws {
    var options = TargetFixture.Options()
    options.configuration.silenceSeconds = 1
    options.configuration.answerSeconds = 1
    let fixture = try await TargetFixture.start(options)
    let client = try WireClient(port: fixture.port)
    try client.logIn([("ImmediateData", "No")])
    var ready: [ReadyToTransfer] = []
    var requests: [SCSICommand] = []
    for start in [0, 8] {
      let request = client.command(
        WireClient.cdb(0x2A, at: start, blocks: 64), expected: 32768, isWrite: true)
      client.send(request.header)
      requests.append(request)
      ready.append(try ReadyToTransfer(client.receive(.readyToTransfer).header))
    }
    var number: UInt32 = 0
    while number < 12, let ping = try? client.receive(.nopIn) {
      let answer = NopOut(
        initiatorTaskTag: NopOut.reservedTag,
        targetTransferTag: try NopIn(ping.header).targetTransferTag, cmdSN: client.cmdSN,
        expStatSN: client.expStatSN)
      client.send(answer.header)
      let pdu = DataOut(
        initiatorTaskTag: requests[1].initiatorTaskTag,
        targetTransferTag: ready[1].targetTransferTag, expStatSN: client.expStatSN,
        dataSN: number, bufferOffset: number * 512, isFinal: false)
      client.send(pdu.header, [UInt8](repeating: 7, count: 512))
      number += 1
    }
    #expect(number > 0 && number < 12)
    #expect(await fixture.wait { server, _ in server.sessionCount == 0 })
    #expect(await fixture.heldByteCount() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test(
    "aborts commands that wait for their turn, or that come later with a lower CmdSN",
    arguments: [TaskManagementRequest.Function.abortTaskSet, .clearTaskSet, .logicalUnitReset])
  func waitingForOrder(_ function: TaskManagementRequest.Function) async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    let first = client.command(WireClient.testUnitReady)
    let second = client.command(WireClient.testUnitReady)
    client.send(second.header)
    client.send(
      TaskManagementRequest(
        function: function, initiatorTaskTag: client.nextTag(), referencedTaskTag: .max,
        cmdSN: client.cmdSN, expStatSN: client.expStatSN, refCmdSN: SerialNumber(0)
      ).header)
    client.send(first.header)
    let answer = try TaskManagementResponse(client.receive(.taskManagementResponse).header)
    #expect(answer.response == .complete)
    #expect(answer.expCmdSN == client.cmdSN)
    #expect(try client.testUnitReady() == 0)
    #expect(await fixture.look { _, disk in disk.executed.count } == 1)
    #expect(await fixture.stop() == 0)
  }

  @Test("refuses recovery and unknown connections at a logout, and stays")
  func logouts() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    for (reason, connection, expected) in [
      (
        LogoutRequest.Reason.removeForRecovery, UInt16(0),
        LogoutResponse.Response.recoveryNotSupported
      ),
      (.closeConnection, 9, .connectionNotFound), (.closeConnection, 0, .closed),
    ] {
      let request = LogoutRequest(
        reason: reason, connectionID: connection, initiatorTaskTag: client.nextTag(),
        cmdSN: client.cmdSN, expStatSN: client.expStatSN)
      client.send(request.header)
      #expect(try LogoutResponse(client.receive(.logoutResponse).header).response == expected)
    }
    #expect(client.isClosed())
    #expect(await fixture.stop() == 0)
  }
}
