import ISCSIProtocol
import SCSI
import Testing
import Uring

@testable import ISCSI

@Suite("A target that breaks the protocol loses the session, and nothing else is lost")
struct InitiatorMisbehaviourTests {
  /// What becomes of a command of 1000 bytes, where `misbehave` follows its arrival.
  private func outcome(
    writing count: Int = 0,
    policy: @escaping @Sendable (FakeTarget) -> Void = { _ in },
    _ misbehave: @escaping @Sendable (FakeConnection, SCSICommand) async throws -> Void
  ) async throws -> InitiatorError? {
    let found = Found()
    try await withFakeTarget { target in
      policy(target)
      let script = target.play { target in
        let connection = try await target.logIn()
        let (command, _) = try await connection.command()
        try await misbehave(connection, command)
        // The initiator ends the connection, and then there is nobody.
        _ = try? await connection.exchange.receive()
        await connection.exchange.close()
      }
      var options = try target.options
      options.reconnectAttempts = 0
      if target.policy.headerDigests == [.crc32c] {
        options.negotiation.headerDigests = [.crc32c]
      }
      if target.policy.dataDigests == [.crc32c] { options.negotiation.dataDigests = [.crc32c] }
      let session = try await InitiatorSession.open(options, ring: target.ring)
      let client = Collector()
      if count > 0 {
        try session.write(counting(count), for: client)
      } else {
        try session.read(1000, for: client)
      }
      await client.wait(for: 1)
      found.error = client.outcomes[0]?.failure
      await session.close()
      await script.wait()
    }
    return found.error
  }

  private final class Found: @unchecked Sendable {
    var error: InitiatorError?
  }

  private func isViolation(_ error: InitiatorError?, _ words: String) -> Bool {
    guard case .protocolViolation(_, let what) = error else { return false }
    return what.contains(words)
  }

  @Test("by a DataSN out of order")
  func dataSN() async throws {
    let error = try await outcome { connection, command in
      try connection.dataIn(command, counting(1000), sn: 1)
    }
    #expect(isViolation(error, "DataSN 1"), "\(String(describing: error))")
  }

  @Test("by data behind the end of the buffer")
  func beyond() async throws {
    let error = try await outcome { connection, command in
      try connection.dataIn(command, counting(1001))
    }
    #expect(isViolation(error, "behind the end"), "\(String(describing: error))")
  }

  @Test("by data at another offset than follows")
  func offset() async throws {
    let error = try await outcome { connection, command in
      try connection.dataIn(command, counting(10), offset: 0xFFFF_FFF0)
    }
    #expect(isViolation(error, "offset"), "\(String(describing: error))")
  }

  @Test("by data for a command that writes")
  func direction() async throws {
    let error = try await outcome(writing: 1000) { connection, command in
      try connection.dataIn(command, counting(10))
    }
    #expect(isViolation(error, "reads none"), "\(String(describing: error))")
  }

  @Test("by data and by answers with a tag that no task has", arguments: [true, false])
  func tag(ofData: Bool) async throws {
    let error = try await outcome { connection, command in
      let tag = command.initiatorTaskTag ^ 0x400
      if ofData { return try connection.dataIn(command, counting(10), tag: tag) }
      var other = command
      other.initiatorTaskTag = tag
      try connection.answer(other)
    }
    #expect(isViolation(error, "that there is not"), "\(String(describing: error))")
  }

  @Test(
    "by an R2T behind the end, before what was sent, or with an offset that overflows",
    arguments: [
      (UInt32(512), UInt32(489)), (0, 100), (600, 100), (1000, 1), (0xFFFF_FF00, 0xFF),
    ])
  func readyToTransfer(offset: UInt32, count: UInt32) async throws {
    let error = try await outcome(writing: 1000) { connection, command in
      try connection.readyToTransfer(command, offset: offset, count: count)
    }
    #expect(isViolation(error, "R2T"), "\(String(describing: error))")
  }

  @Test("by an R2T for a command that reads, and by an R2TSN out of order")
  func requests() async throws {
    let reading = try await outcome { connection, command in
      try connection.readyToTransfer(command, offset: 0, count: 100)
    }
    #expect(isViolation(reading, "writes nothing"), "\(String(describing: reading))")
    let order = try await outcome(writing: 1000) { connection, command in
      try connection.readyToTransfer(command, offset: 512, count: 100, sn: 3)
    }
    #expect(isViolation(order, "R2TSN 3"), "\(String(describing: order))")
  }

  @Test("by GOOD for a write whose data were asked for and are still being sent")
  func earlyGood() async throws {
    // In PDUs of 512 bytes they do not fit into the channel at once.
    let error = try await outcome(
      writing: 256 << 10,
      policy: { $0.policy.wanted.maxRecvDataSegmentLength = 512 },
      { connection, command in
        try connection.readyToTransfer(command, offset: 512, count: 255 << 10)
        try connection.answer(command)
      })
    #expect(isViolation(error, "GOOD"), "\(String(describing: error))")
  }

  @Test("by more data in one PDU than was declared")
  func tooLong() async throws {
    let error = try await outcome { connection, command in
      var data = DataIn(
        initiatorTaskTag: command.initiatorTaskTag, expCmdSN: connection.expCmdSN,
        maxCmdSN: connection.maxCmdSN, dataSN: 0, bufferOffset: 0, isFinal: true)
      data.setStatus(0, statSN: connection.statSN)
      try connection.exchange.send(data.header, text: [UInt8](repeating: 0, count: 300_000))
    }
    #expect(isViolation(error, "data segment"), "\(String(describing: error))")
  }

  @Test("by a PDU that only initiators send, and by sense data longer than their segment")
  func nonsense() async throws {
    let opcode = try await outcome { connection, command in
      try connection.exchange.send(command.header, text: [])
    }
    #expect(isViolation(opcode, "opcode"), "\(String(describing: opcode))")
    let sense = try await outcome { connection, command in
      let response = SCSIResponse(
        status: 2, initiatorTaskTag: command.initiatorTaskTag, statSN: connection.nextStatSN(),
        expCmdSN: connection.expCmdSN, maxCmdSN: connection.maxCmdSN)
      try connection.exchange.send(response.header, text: [0, 200, 0x70, 0])
    }
    #expect(isViolation(sense, "sense"), "\(String(describing: sense))")
  }

  @Test("by a header digest that is none")
  func headerDigest() async throws {
    let error = try await outcome(
      policy: {
        $0.policy.headerDigests = [.crc32c]
        $0.keepsDigests = false
      },
      { connection, command in try connection.dataIn(command, counting(1000)) })
    #expect(isDigest(error, header: true), "\(String(describing: error))")
  }

  @Test("by a data digest that is none")
  func dataDigest() async throws {
    let error = try await outcome(
      policy: {
        $0.policy.dataDigests = [.crc32c]
        $0.keepsDigests = false
      },
      { connection, command in
        try connection.dataIn(command, counting(1000))
        // Four bytes more, which stand where the digest should.
        try connection.answer(command)
      })
    #expect(isDigest(error, header: false), "\(String(describing: error))")
  }

  private func isDigest(_ error: InitiatorError?, header: Bool) -> Bool {
    guard case .digest(_, let ofHeader) = error else { return false }
    return ofHeader == header
  }

  @Test("by a Reject of the command")
  func reject() async throws {
    let error = try await outcome { connection, command in
      try connection.exchange.send(
        Reject(
          reason: .invalidPDUField, statSN: connection.nextStatSN(),
          expCmdSN: connection.expCmdSN, maxCmdSN: connection.maxCmdSN
        ).header, text: Reject.dataSegment(of: command.header))
    }
    guard case .rejected(_, .invalidPDUField) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("by closing the connection behind a command, inside its data, or before they were taken")
  func cuts() async throws {
    let behind = try await outcome { connection, _ in await connection.exchange.close() }
    let inside = try await outcome { connection, command in
      try connection.dataIn(command, Array(counting(1000)[..<400]), isLast: false)
      await connection.exchange.close()
    }
    let before = try await outcome(writing: 1000) { connection, command in
      try connection.readyToTransfer(command, offset: 512, count: 488)
      await connection.exchange.close()
    }
    for error in [behind, inside, before] {
      guard case .connectionLost = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
  }
}
