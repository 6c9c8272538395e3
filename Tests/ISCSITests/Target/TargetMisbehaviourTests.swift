import ISCSIProtocol
import Testing

@testable import ISCSI

@Suite("A target whose initiator breaks the rules")
struct TargetMisbehaviourTests {
  private func logIn(
    _ fixture: TargetFixture, _ keys: [(String, String)] = []
  ) throws -> WireClient {
    let client = try WireClient(port: fixture.port)
    try client.logIn(keys)
    return client
  }

  @Test("ignores commands outside the window, and those that came before")
  func window() async throws {
    let fixture = try await TargetFixture.start()
    let client = try logIn(fixture)
    #expect(try client.testUnitReady() == 0)
    #expect(client.cmdSN.distance(to: client.maxCmdSN) == TargetSession.window - 1)
    for wrong in [
      client.maxCmdSN.advanced(by: 1), client.cmdSN.advanced(by: -1), client.cmdSN.advanced(by: -9),
    ] {
      client.send(client.command(WireClient.testUnitReady, at: wrong).header)
    }
    #expect(try client.testUnitReady() == 0)
    #expect(await fixture.look { _, disk in disk.executed.count } == 2)
    #expect(await fixture.stop() == 0)
  }

  @Test("puts commands in their order")
  func order() async throws {
    let fixture = try await TargetFixture.start()
    let client = try logIn(fixture)
    let first = client.command(WireClient.testUnitReady)
    let second = client.command(
      WireClient.cdb(0x2A, at: 0, blocks: 1), expected: 512, isWrite: true)
    let third = client.command(WireClient.cdb(0x35, at: 0, blocks: 1))
    client.send(third.header)
    client.send(second.header, [UInt8](repeating: 9, count: 512))
    client.send(third.header)
    client.send(first.header)
    var answered: [UInt32] = []
    while answered.count < 3 {
      let (header, _) = try client.receive()
      if header.kind == .readyToTransfer {
        let ready = try ReadyToTransfer(header)
        client.sendData(
          second, [UInt8](repeating: 9, count: 512), from: 0, to: 512, segment: 512,
          transferTag: ready.targetTransferTag)
      } else {
        answered.append(try SCSIResponse(header).initiatorTaskTag)
      }
    }
    #expect(Set(answered).count == 3)
    let codes = await fixture.look { _, disk in disk.executed.map(\.operationCode) }
    #expect(codes?.first == 0 && codes?.count == 3)
    #expect(await fixture.stop() == 0)
  }

  @Test("rejects a task tag that is in use, and more immediate commands than it takes")
  func tags() async throws {
    let fixture = try await TargetFixture.start()
    _ = await fixture.look { _, disk in disk.isHolding = true }
    let client = try logIn(fixture)
    let request = client.command(WireClient.testUnitReady)
    client.send(request.header)
    client.send(
      client.command(WireClient.testUnitReady, tag: request.initiatorTaskTag).header)
    #expect(try Reject(client.receive(.reject).header).reason == .taskInProgress)
    for _ in 0..<TargetSession.mostImmediate + 1 {
      var immediate = client.command(WireClient.testUnitReady, at: client.cmdSN)
      immediate.isImmediate = true
      client.send(immediate.header)
    }
    #expect(try Reject(client.receive(.reject).header).reason == .tooManyImmediateCommands)
    _ = await fixture.look { _, disk in disk.release() }
    for _ in 0..<TargetSession.mostImmediate + 1 {
      #expect(try SCSIResponse(client.receive(.scsiResponse).header).status == 0)
    }
    #expect(try client.testUnitReady() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("ends the connection over a header digest that is wrong, and over oversize segments")
  func fatal() async throws {
    let fixture = try await TargetFixture.start()
    let client = try logIn(fixture, [("HeaderDigest", "CRC32C")])
    #expect(try client.testUnitReady() == 0)
    client.send(client.command(WireClient.testUnitReady).header, breaksHeader: true)
    #expect(client.isClosed())

    let second = try logIn(fixture)
    var huge = second.command(WireClient.testUnitReady, isWrite: true).header
    huge.dataSegmentLength = 0xFF_FFFF
    second.write((0..<48).map { huge.bytes[$0] })
    #expect(second.isClosed())

    let third = try logIn(fixture)
    var headers = third.command(WireClient.testUnitReady).header
    headers.bytes[4] = 255
    third.write((0..<48).map { headers.bytes[$0] })
    #expect(third.isClosed())
    let counts = await fixture.look { server, _ in
      (server.counters.headerDigestErrors, server.counters.failedSessions)
    }
    #expect(counts?.0 == 1 && counts?.1 == 3)
    #expect(await fixture.wait { server, _ in server.sessionCount == 0 })
    #expect(await fixture.heldByteCount() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("rejects data whose digest is wrong, and ends their command when all have come")
  func dataDigest() async throws {
    let fixture = try await TargetFixture.start()
    let client = try logIn(
      fixture,
      [("DataDigest", "CRC32C"), ("InitialR2T", "No"), ("FirstBurstLength", "16384")])
    let content = TargetDataTests.pattern(16384)
    let request = client.command(
      WireClient.cdb(0x2A, at: 0, blocks: 32), expected: 16384, isWrite: true, isFinal: false)
    client.send(request.header, Array(content.prefix(8192)), breaksData: true)
    client.sendData(request, content, from: 8192, to: 16384, segment: 4096)
    let (header, data) = try client.receive(.reject)
    #expect(try Reject(header).reason == .dataDigestError)
    #expect(Reject.header(in: data)?.initiatorTaskTag == request.initiatorTaskTag)
    let (answer, sense) = try client.receive(.scsiResponse)
    #expect(try SCSIResponse(answer).status == 2)
    let decoded = SCSIResponse.sense(in: sense) ?? []
    #expect(decoded.count == 18 && decoded[2] == 0x0B && decoded[12] == 0x47 && decoded[13] == 5)
    #expect(try client.writeBlocks(at: 0, content).status == 0)
    let state = await fixture.look { _, disk in (disk.withdrawn, disk.standingCount) }
    #expect(state?.0 == 1 && state?.1 == 0)
    #expect(await fixture.stop() == 0)
  }

  enum Fault: CaseIterable, Sendable { case number, offset, tooLong, tooShort }

  @Test("ends a command whose solicited data break the order", arguments: Fault.allCases)
  func sequence(_ fault: Fault) async throws {
    let fixture = try await TargetFixture.start()
    let client = try logIn(fixture, [("ImmediateData", "No")])
    let content = TargetDataTests.pattern(8192)
    let request = client.command(
      WireClient.cdb(0x2A, at: 0, blocks: 16), expected: 8192, isWrite: true)
    client.send(request.header)
    let ready = try ReadyToTransfer(client.receive(.readyToTransfer).header)
    #expect(ready.desiredDataTransferLength == 8192 && ready.bufferOffset == 0)
    let count = fault == .tooShort ? 4096 : fault == .tooLong ? 8196 : 8192
    let pdu = DataOut(
      initiatorTaskTag: request.initiatorTaskTag, targetTransferTag: ready.targetTransferTag,
      expStatSN: client.expStatSN, dataSN: fault == .number ? 27 : 0,
      bufferOffset: fault == .offset ? 512 : 0, isFinal: true)
    client.send(pdu.header, Array((content + content).prefix(count)))
    let (answer, sense) = try client.receive(.scsiResponse)
    #expect(try SCSIResponse(answer).status == 2)
    let expected: [UInt8] = fault == .number || fault == .offset ? [0x47, 5] : [0x0C, 0x0D]
    #expect(Array((SCSIResponse.sense(in: sense) ?? []).suffix(6).prefix(2)) == expected)
    #expect(await fixture.look { _, disk in disk.executed.count } == 0)
    #expect(try client.writeBlocks(at: 0, content).status == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("forgets data of commands that are not there, and rejects what it did not ask for")
  func strayData() async throws {
    let fixture = try await TargetFixture.start()
    let client = try logIn(fixture, [("ImmediateData", "No")])
    let stray = client.command(WireClient.testUnitReady, at: client.cmdSN)
    client.sendData(stray, TargetDataTests.pattern(20_000), from: 0, to: 20_000, segment: 7001)
    #expect(try client.testUnitReady() == 0)
    let request = client.command(
      WireClient.cdb(0x2A, at: 0, blocks: 1), expected: 512, isWrite: true)
    client.send(request.header)
    let ready = try ReadyToTransfer(client.receive(.readyToTransfer).header)
    let content = TargetDataTests.pattern(512)
    client.sendData(request, content, from: 0, to: 512, segment: 512)
    #expect(try Reject(client.receive(.reject).header).reason == .protocolError)
    client.sendData(
      request, content, from: 0, to: 512, segment: 512,
      transferTag: ready.targetTransferTag ^ 0x100)
    #expect(try Reject(client.receive(.reject).header).reason == .protocolError)
    client.sendData(
      request, content, from: 0, to: 512, segment: 100, transferTag: ready.targetTransferTag)
    #expect(try SCSIResponse(client.receive(.scsiResponse).header).status == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("rejects immediate data that were not agreed on, and goes on with the next command")
  func immediateData() async throws {
    let fixture = try await TargetFixture.start()
    let client = try logIn(fixture, [("ImmediateData", "No")])
    client.send(
      client.command(WireClient.cdb(0x2A, at: 0, blocks: 1), expected: 512, isWrite: true).header,
      TargetDataTests.pattern(512))
    #expect(try Reject(client.receive(.reject).header).reason == .protocolError)
    #expect(try client.testUnitReady() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("rejects PDUs that are none of an initiator's, or of no session")
  func opcodes() async throws {
    let fixture = try await TargetFixture.start()
    let client = try logIn(fixture)
    for (opcode, reason) in [
      (0x1F, RejectReason.commandNotSupported), (0x25, .commandNotSupported), (0x10, .snackReject),
      (0x03, .protocolError),
    ] {
      var header = client.command(WireClient.testUnitReady, at: client.cmdSN).header
      header.opcode = UInt8(opcode)
      client.send(header)
      #expect(try Reject(client.receive(.reject).header).reason == reason)
    }
    #expect(try client.testUnitReady() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("gives everything back when it is cut off in the middle of whatever", arguments: 0..<8)
  func cut(_ state: Int) async throws {
    let fixture = try await TargetFixture.start()
    _ = await fixture.look { _, disk in disk.isHolding = true }
    do {
      let client = try WireClient(port: fixture.port)
      if state > 0 { try client.logIn([("InitialR2T", "No"), ("FirstBurstLength", "32768")]) }
      let content = TargetDataTests.pattern(65536)
      let write = client.command(
        WireClient.cdb(0x2A, at: 0, blocks: 128), expected: 65536, isWrite: true, isFinal: false,
        at: client.cmdSN)
      var bytes = (0..<48).map { write.header.bytes[$0] }
      bytes[5...7] = [0, 0x20, 0]
      switch state {
      case 0: client.write([3, 0x87, 0])
      case 1: client.write(Array(bytes.prefix(20)))
      case 2: client.write(bytes + content.prefix(5000))
      case 3: client.send(write.header, Array(content.prefix(8192)))
      case 4:
        client.send(write.header, Array(content.prefix(8192)))
        client.sendData(write, content, from: 8192, to: 32768, segment: 8192)
        _ = try client.receive(.readyToTransfer)
      case 5:
        client.send(client.command(WireClient.cdb(0x28, at: 0, blocks: 1)).header)
        #expect(await fixture.wait { _, disk in disk.heldCount == 1 })
      case 6:
        // An answer that nobody takes.
        _ = await fixture.look { _, disk in disk.isHolding = false }
        for _ in 0..<16 {
          client.send(
            client.command(
              WireClient.cdb(0x28, at: 0, blocks: 2048), expected: 1 << 20, isRead: true
            ).header)
        }
        #expect(await fixture.wait { _, disk in disk.executed.count == 16 })
      default:
        let ping = NopOut(
          initiatorTaskTag: 1, cmdSN: client.cmdSN, expStatSN: client.expStatSN)
        var header = ping.header
        header.dataSegmentLength = 8192
        client.write((0..<48).map { header.bytes[$0] } + [1, 2, 3])
      }
    }
    #expect(await fixture.wait { server, _ in server.counters.connections == 1 })
    #expect(
      await fixture.wait { server, disk in
        server.sessionCount == 0 && server.loginCount == 0 && disk.heldCount == 0
      })
    #expect(await fixture.heldByteCount() == 0)
    let standing = await fixture.look { _, disk in disk.standingCount }
    #expect(standing == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("stays well whatever bytes come, before and after the login", arguments: 0..<6)
  func noise(_ seed: UInt64) async throws {
    let fixture = try await TargetFixture.start()
    var random = Noise(state: seed &* 0x9E37_79B9 &+ 1)
    let bystander = try logIn(fixture)
    for round in 0..<120 {
      let client = try WireClient(port: fixture.port)
      if round % 3 > 0 {
        try client.logIn(
          [("InitialR2T", round % 2 == 0 ? "No" : "Yes")], isid: 0x80_0000_0001_00)
      }
      for _ in 0..<12 {
        var header = client.command(
          WireClient.cdb(random.below(2) == 0 ? 0x2A : 0x28, at: 0, blocks: 8), expected: 4096,
          isRead: random.below(3) == 0, isWrite: random.below(2) == 0
        ).header
        header.opcode = [0, 1, 1, 2, 3, 4, 5, 5, 6, 0x10, 0x1F, 0x3F][random.below(12)]
        for _ in 0..<random.below(4) {
          header.bytes[random.below(48)] = UInt8(random.below(256))
        }
        header.bytes[4] = UInt8([0, 0, 0, 1, 5, 40][random.below(6)])
        let count = [0, 0, 1, 512, 4096, 8192][random.below(6)]
        header.dataSegmentLength = count
        var bytes = (0..<48).map { header.bytes[$0] }
        for _ in 0..<header.additionalHeaderByteCount + count + header.paddingByteCount {
          bytes.append(UInt8(random.below(256)))
        }
        client.write(bytes)
      }
    }
    #expect(try bystander.testUnitReady() == 0)
    #expect(await fixture.wait { server, _ in server.sessionCount == 1 && server.loginCount == 0 })
    #expect(await fixture.heldByteCount() == PDUChannel.blockByteCount)
    #expect(await fixture.look { _, disk in disk.standingCount } == 0)
    #expect(await fixture.stop() == 0)
  }

  private struct Noise {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(limit))
    }
  }
}
