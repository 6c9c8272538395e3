import Glibc
import ISCSIProtocol
import Testing

@testable import ISCSI

@Suite("A login to the target")
struct TargetLoginTests {
  @Test("opens a session that answers commands, and a logout closes it")
  func session() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    #expect(client.answers["TargetPortalGroupTag"] == "1")
    #expect(try client.testUnitReady() == 0)
    #expect(try client.logOut() == .closed)
    #expect(client.isClosed())
    #expect(await fixture.stop() == 0)
  }

  @Test("for discovery shows the target, and takes no commands")
  func discovery() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn(target: nil)
    var query = TextKeys()
    query.append("SendTargets", "All")
    query.append("X-unknown", "1")
    let request = TextRequest(
      initiatorTaskTag: client.nextTag(), cmdSN: client.cmdSN, expStatSN: client.expStatSN,
      isFinal: true)
    client.cmdSN = client.cmdSN.advanced(by: 1)
    client.send(request.header, query.encode())
    let (header, data) = try client.receive(.textResponse)
    #expect(try TextResponse(header).isFinal)
    let text = String(decoding: data, as: UTF8.self)
    #expect(
      text == "TargetName=\(TargetFixture.targetName)\0TargetAddress=127.0.0.1:\(fixture.port),1\0"
        + "X-unknown=NotUnderstood\0")
    client.send(client.command(WireClient.testUnitReady).header)
    #expect(try Reject(client.receive(.reject).header).reason == .protocolError)
    #expect(try client.logOut() == .closed)
    #expect(await fixture.stop() == 0)
  }

  @Test("gives the other end a session's text in parts where it takes only short segments")
  func shortSegments() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn([("MaxRecvDataSegmentLength", "512")])
    // 40 unknown keys are answered with more than 512 bytes.
    var query = TextKeys()
    for number in 0..<40 { query.append("X-key-number-\(number)", "1") }
    var request = TextRequest(
      initiatorTaskTag: client.nextTag(), cmdSN: client.cmdSN, expStatSN: client.expStatSN,
      isFinal: true)
    client.send(request.header, query.encode())
    var text: [UInt8] = []
    var parts = 0
    while true {
      let (header, data) = try client.receive(.textResponse)
      text += data
      parts += 1
      let response = try TextResponse(header)
      #expect(data.count <= 512)
      if response.isFinal { break }
      client.cmdSN = client.cmdSN.advanced(by: 1)
      request = TextRequest(
        initiatorTaskTag: request.initiatorTaskTag, targetTransferTag: response.targetTransferTag,
        cmdSN: client.cmdSN, expStatSN: client.expStatSN, isFinal: true)
      client.send(request.header)
    }
    #expect(parts == 3)
    #expect(try TextKeys(parsing: text).pairs.count == 40)
    #expect(await fixture.stop() == 0)
  }

  @Test("comes first: any other PDU is refused as invalid during login")
  func otherPDUFirst() async throws {
    let fixture = try await TargetFixture.start()
    for data in [[], [UInt8](repeating: 1, count: 4000)] {
      let client = try WireClient(port: fixture.port)
      client.send(client.command(WireClient.testUnitReady, isWrite: true).header, data)
      let response = try LoginResponse(client.receive(.loginResponse).header)
      #expect(response.status == .invalidDuringLogin)
      #expect(client.isClosed())
    }
    #expect(await fixture.stop() == 0)
  }

  @Test("is refused where the directory says so, and for targets that are not there")
  func refused() async throws {
    let fixture = try await TargetFixture.start()
    #expect(
      throws: WireClient.Failure.login(.authorizationFailure),
      performing: {
        try WireClient(port: fixture.port).logIn(initiator: "iqn.2026-11.org.ecopy:forbidden")
      })
    #expect(
      throws: WireClient.Failure.login(.notFound),
      performing: { try WireClient(port: fixture.port).logIn(target: "iqn.2026-11.org.ecopy:none") }
    )
    #expect(
      throws: WireClient.Failure.login(.sessionDoesNotExist),
      performing: { try WireClient(port: fixture.port).logIn(tsih: 77) })
    let counts = await fixture.look { server, _ in
      (server.counters.failedLogins, server.counters.logins)
    }
    #expect(counts?.0 == 3 && counts?.1 == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("has a deadline for the whole of it")
  func deadline() async throws {
    var options = TargetFixture.Options()
    options.configuration.loginSeconds = 1
    let fixture = try await TargetFixture.start(options)
    let silent = try WireClient(port: fixture.port)
    let slow = try WireClient(port: fixture.port)
    slow.write([0x43, 0x87])
    #expect(silent.isClosed())
    #expect(slow.isClosed())
    #expect(await fixture.wait { server, _ in server.loginCount == 0 })
    #expect(await fixture.heldByteCount() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("waits for nobody: more strangers than there is room for are turned away")
  func tooMany() async throws {
    var options = TargetFixture.Options()
    options.configuration.mostLogins = 4
    let fixture = try await TargetFixture.start(options)
    let strangers = try (0..<4).map { _ in try WireClient(port: fixture.port) }
    #expect(await fixture.wait { server, _ in server.loginCount == 4 })
    let next = try WireClient(port: fixture.port)
    #expect(next.isClosed())
    #expect(strangers.count == 4)
    #expect(await fixture.look { server, _ in server.counters.refusedConnections } == 1)
    #expect(await fixture.stop() == 0)
  }

  @Test("of the same port ends the session before it, with its commands")
  func reinstatement() async throws {
    let fixture = try await TargetFixture.start()
    _ = await fixture.look { _, disk in disk.isHolding = true }
    let first = try WireClient(port: fixture.port)
    try first.logIn()
    first.send(first.command(WireClient.testUnitReady).header)
    #expect(await fixture.wait { _, disk in disk.heldCount == 1 })
    let second = try WireClient(port: fixture.port)
    try second.logIn()
    #expect(first.isClosed())
    let state = await fixture.look { server, disk in
      disk.isHolding = false
      return (server.sessionCount, disk.heldCount, disk.attached)
    }
    #expect(state?.0 == 1 && state?.1 == 0 && state?.2 == 1)
    #expect(try second.testUnitReady() == 0)
    let other = try WireClient(port: fixture.port)
    try other.logIn(isid: 0x80_0000_0000_02)
    #expect(try second.testUnitReady() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("and logout leave nothing behind, a thousand times")
  func cycles() async throws {
    let fixture = try await TargetFixture.start()
    for _ in 0..<1000 {
      let client = try WireClient(port: fixture.port)
      try client.logIn()
      #expect(try client.logOut() == .closed)
    }
    #expect(await fixture.wait { server, _ in server.sessionCount == 0 && server.loginCount == 0 })
    #expect(await fixture.heldByteCount() == 0)
    #expect(await fixture.look { server, _ in server.counters.openConnections } == 0)
    #expect(await fixture.stop() == 0)
  }
}
