import ISCSIProtocol
import Testing

@testable import ISCSI

@Suite("Data of commands")
struct TargetDataTests {
  /// Bytes that differ from block to block.
  static func pattern(_ count: Int, _ salt: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 / 512) &* 7 &+ $0 &* 3 &+ salt) }
  }

  struct Way: Sendable, CustomTestStringConvertible {
    let immediate: Bool, initialR2T: Bool, header: Bool, data: Bool
    var testDescription: String {
      "immediate \(immediate), initial R2T \(initialR2T), digests \(header) \(data)"
    }
    var keys: [(String, String)] {
      [
        ("ImmediateData", immediate ? "Yes" : "No"), ("InitialR2T", initialR2T ? "Yes" : "No"),
        ("HeaderDigest", header ? "CRC32C" : "None"), ("DataDigest", data ? "CRC32C" : "None"),
        ("FirstBurstLength", "16384"), ("MaxBurstLength", "32768"),
        ("MaxRecvDataSegmentLength", "8192"),
      ]
    }
  }

  static let ways = (0..<16).map {
    Way(
      immediate: $0 & 1 != 0, initialR2T: $0 & 2 != 0, header: $0 & 4 != 0, data: $0 & 8 != 0)
  }

  @Test("are the same when they come back, however they were sent", arguments: ways)
  func roundTrip(_ way: Way) async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn(way.keys)
    for (number, byteCount) in [512, 8192, 16384, 16896, 100 * 1024, 262_144].enumerated() {
      let content = Self.pattern(byteCount, number)
      let written = try client.writeBlocks(at: number * 3, content, segment: 8192 - 8 * number)
      #expect(written.status == 0 && written.residual == .none)
      let read = try client.readBlocks(at: number * 3, blocks: byteCount / 512)
      #expect(read.status == 0 && read.residual == .none)
      #expect(read.data == content)
    }
    #expect(try client.logOut() == .closed)
    let copied = await fixture.look { server, _ in server.counters.copiedPayloadBytes }
    #expect(copied == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("are cut by the segments and bursts of the initiator, and the last PDU has the status")
  func cutting() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn([("MaxRecvDataSegmentLength", "1024"), ("MaxBurstLength", "2560")])
    let request = client.command(
      WireClient.cdb(0x28, at: 0, blocks: 6), expected: 3072, isRead: true)
    client.send(request.header)
    var pdus: [DataIn] = []
    var lengths: [Int] = []
    repeat {
      let (header, data) = try client.receive(.dataIn)
      pdus.append(try DataIn(header))
      lengths.append(data.count)
    } while pdus.last?.hasStatus == false
    #expect(lengths == [1024, 1024, 512, 512])
    #expect(pdus.map(\.isFinal) == [false, false, true, true])
    #expect(pdus.map(\.dataSN) == [0, 1, 2, 3])
    #expect(pdus.map(\.bufferOffset) == [0, 1024, 2048, 2560])
    #expect(await fixture.stop() == 0)
  }

  @Test("that are more or fewer than the initiator expects are told by the residual")
  func residuals() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    let content = Self.pattern(4096)
    _ = try client.writeBlocks(at: 0, content)
    let over = try client.readBlocks(at: 0, blocks: 8, expected: 1000)
    #expect(over.data == Array(content.prefix(1000)) && over.residual == .overflow(3096))
    let under = try client.readBlocks(at: 0, blocks: 2, expected: 4096)
    #expect(under.data == Array(content.prefix(1024)) && under.residual == .underflow(3072))
    let none = try client.readBlocks(at: 0, blocks: 0, expected: 512)
    #expect(none.data == [] && none.residual == .underflow(512))
    // A write of one block whose initiator has four to send.
    let request = client.command(
      WireClient.cdb(0x2A, at: 100, blocks: 1), expected: 2048, isWrite: true)
    client.send(request.header, Self.pattern(2048, 5))
    let answer = try SCSIResponse(client.receive(.scsiResponse).header)
    #expect(answer.status == 0 && answer.residual == .underflow(1536))
    let after = try client.readBlocks(at: 100, blocks: 2)
    #expect(after.data == Self.pattern(512, 5) + [UInt8](repeating: 0, count: 512))
    // A write of four blocks whose initiator has one to send.
    let short = client.command(
      WireClient.cdb(0x2A, at: 200, blocks: 4), expected: 512, isWrite: true)
    client.send(short.header, Self.pattern(512, 6))
    let shortAnswer = try SCSIResponse(client.receive(.scsiResponse).header)
    #expect(shortAnswer.residual == .overflow(1536))
    #expect(await fixture.look { _, disk in disk.executed.last?.dataOut } == 512)
    #expect(await fixture.stop() == 0)
  }

  @Test("that nobody wants are forgotten: the command fails before they are looked at")
  func unwanted() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn([("InitialR2T", "No"), ("FirstBurstLength", "65536")])
    // Behind the end of the disk, with immediate and further unsolicited data.
    let beyond = try client.writeBlocks(at: 1 << 20, Self.pattern(32768))
    #expect(beyond.status == 2 && beyond.sense.count == 18 && beyond.sense[12] == 0x21)
    #expect(try client.testUnitReady() == 0)
    // A command without data that is sent some.
    let request = client.command(WireClient.testUnitReady, expected: 4096, isWrite: true)
    client.send(request.header, Self.pattern(4096))
    let answer = try SCSIResponse(client.receive(.scsiResponse).header)
    #expect(answer.status == 0 && answer.residual == .underflow(4096))
    #expect(try client.testUnitReady() == 0)
    #expect(await fixture.stop() == 0)
  }

  @Test("wait for bytes of the share, and every command is executed in the end")
  func scarcity() async throws {
    var options = TargetFixture.Options()
    options.dataByteCount = 262_144
    let fixture = try await TargetFixture.start(options)
    let client = try WireClient(port: fixture.port)
    try client.logIn([("InitialR2T", "No"), ("FirstBurstLength", "65536")])
    // Eight writes of 128 KiB at once, of which the share holds two.
    let content = (0..<8).map { Self.pattern(131_072, $0) }
    let requests = (0..<8).map { number in
      client.command(
        WireClient.cdb(0x2A, at: number * 256, blocks: 256), expected: 131_072, isWrite: true,
        isFinal: false)
    }
    for (number, request) in requests.enumerated() {
      client.send(request.header, Array(content[number].prefix(8192)))
      client.sendData(request, content[number], from: 8192, to: 65536, segment: 8192)
    }
    var done = 0
    while done < 8 {
      let (header, _) = try client.receive()
      if header.kind == .readyToTransfer {
        let ready = try ReadyToTransfer(header)
        guard
          let number = requests.firstIndex(where: {
            $0.initiatorTaskTag == ready.initiatorTaskTag
          })
        else { continue }
        let start = Int(ready.bufferOffset)
        client.sendData(
          requests[number], content[number], from: start,
          to: start + Int(ready.desiredDataTransferLength), segment: 8192,
          transferTag: ready.targetTransferTag)
      } else {
        #expect(try SCSIResponse(header).status == 0)
        done += 1
      }
    }
    let written = await fixture.look { _, disk in Array(disk.bytes.prefix(8 * 131_072)) }
    #expect(written == content.flatMap { $0 })
    #expect(await fixture.stop() == 0)
  }

  @Test("of a ping come back")
  func ping() async throws {
    let fixture = try await TargetFixture.start()
    let client = try WireClient(port: fixture.port)
    try client.logIn()
    for byteCount in [0, 1, 300, 8192] {
      let request = NopOut(
        initiatorTaskTag: client.nextTag(), cmdSN: client.cmdSN, expStatSN: client.expStatSN)
      client.send(request.header, Self.pattern(byteCount))
      let (header, data) = try client.receive(.nopIn)
      #expect(header.initiatorTaskTag == request.initiatorTaskTag)
      #expect(data == Self.pattern(byteCount))
    }
    #expect(await fixture.stop() == 0)
  }
}
