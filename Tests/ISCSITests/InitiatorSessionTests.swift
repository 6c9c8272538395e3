import Devices
import ISCSIProtocol
import SCSI
import Testing
import Uring

@testable import ISCSI

@Suite("A session of the initiator")
struct InitiatorSessionTests {
  @Test("reads data that come in pieces into their places")
  func reads() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let connection = try await target.logIn()
        let (command, _) = try await connection.command()
        try connection.dataIn(command, Array(counting(1000)[..<400]), isLast: false)
        try connection.dataIn(command, Array(counting(1000)[400...]), sn: 1, offset: 400)
        try await connection.end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      let client = Collector()
      try session.read(1000, for: client)
      await client.wait(for: 1)
      #expect(client.outcomes[0]?.isGood == true && client.outcomes[0]?.byteCount == 1000)
      #expect(client.bytes[0] == counting(1000))
      await session.close()
      await script.wait()
    }
  }

  @Test("writes immediate data, and the rest as R2Ts ask for it")
  func writes() async throws {
    try await withFakeTarget { target in
      var written: [UInt8] = []
      let script = target.play { target in
        let connection = try await target.logIn()
        let (command, immediate) = try await connection.command()
        written = immediate
        try connection.readyToTransfer(command, offset: 512, count: 1000, sn: 0, tag: 11)
        try connection.readyToTransfer(command, offset: 1512, count: 488, sn: 1, tag: 12)
        for (tag, offset, isLast) in [(UInt32(11), UInt32(512), true), (12, 1512, true)] {
          let pdu = try await connection.exchange.receive()
          let data = try DataOut(pdu.header)
          guard data.targetTransferTag == tag, data.bufferOffset == offset,
            data.isFinal == isLast, data.dataSN == 0
          else { throw PDUError(.protocolError, in: pdu.header, at: 0) }
          written += pdu.data
        }
        try connection.answer(command)
        try await connection.end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      let client = Collector()
      try session.write(counting(2000), for: client)
      await client.wait(for: 1)
      #expect(client.outcomes[0]?.isGood == true && client.outcomes[0]?.byteCount == 2000)
      #expect(written == counting(2000))
      await session.close()
      await script.wait()
    }
  }

  @Test("keeps a command back until the command window opens")
  func window() async throws {
    try await withFakeTarget { target in
      var arrivedBeforeOpening = 0
      let script = target.play { target in
        let connection = try await target.logIn(window: 1)
        let (first, _) = try await connection.command()
        connection.window = 0
        try connection.dataIn(first, counting(100))
        // What was sent too early would be there by now.
        await target.ring.sleep(nanoseconds: 200_000_000)
        arrivedBeforeOpening = Int(connection.expCmdSN.rawValue)
        connection.window = 4
        try connection.exchange.send(
          NopIn(
            targetTransferTag: 99, statSN: connection.statSN, expCmdSN: connection.expCmdSN,
            maxCmdSN: connection.maxCmdSN
          ).header, text: [])
        // The answer to the ping goes first, then the command.
        let ping = try NopOut(try await connection.exchange.receive().header)
        guard ping.targetTransferTag == 99 else { throw Wrong() }
        let (second, _) = try await connection.command()
        try connection.dataIn(second, counting(100))
        try await connection.end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      let client = Collector()
      try session.read(100, for: client, tag: 1)
      await client.wait(for: 1)
      try session.read(100, for: client, tag: 2)
      await client.wait(for: 2)
      #expect(client.outcomes[2]?.isGood == true)
      #expect(arrivedBeforeOpening == 2)
      await session.close()
      await script.wait()
    }
  }

  @Test("gives sense data on, and GOOD with fewer bytes than asked for as it is")
  func answers() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let connection = try await target.logIn()
        let (first, _) = try await connection.command()
        try connection.answer(first, status: 2, sense: sense(.mediumError, 0x11, 0, information: 7))
        let (second, _) = try await connection.command()
        try connection.dataIn(second, counting(30))
        try await connection.end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      let client = Collector()
      try session.read(100, for: client, tag: 1)
      await client.wait(for: 1)
      let condition = client.outcomes[1]?.condition
      #expect(condition?.key == .mediumError && condition?.information == 7)
      try session.read(100, for: client, tag: 2)
      await client.wait(for: 2)
      #expect(client.outcomes[2]?.isGood == true && client.outcomes[2]?.byteCount == 30)
      await session.close()
      await script.wait()
    }
  }

  @Test("counts of a write no more than was asked for, and no more than the target says")
  func shortWrites() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let connection = try await target.logIn()
        let (first, _) = try await connection.command()
        try connection.answer(first)
        let (second, _) = try await connection.command()
        try connection.answer(second, residual: .underflow(600))
        try await connection.end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      let client = Collector()
      for (tag, byteCount) in [(UInt64(1), 512), (2, 400)] {
        try session.write(counting(1000), for: client, tag: tag)
        await client.wait(for: Int(tag))
        #expect(client.outcomes[tag]?.byteCount == byteCount)
      }
      await session.close()
      await script.wait()
    }
  }

  @Test("aborts a command that is not answered in time, and goes on")
  func timeout() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let connection = try await target.logIn()
        let (command, _) = try await connection.command()
        let request = try TaskManagementRequest(try await connection.exchange.receive().header)
        guard request.function == .abortTask,
          request.referencedTaskTag == command.initiatorTaskTag
        else { throw Wrong() }
        try connection.exchange.send(
          TaskManagementResponse(
            response: .complete, initiatorTaskTag: request.initiatorTaskTag,
            statSN: connection.nextStatSN(), expCmdSN: connection.expCmdSN,
            maxCmdSN: connection.maxCmdSN
          ).header, text: [])
        let (second, _) = try await connection.command()
        try connection.dataIn(second, counting(100))
        try await connection.end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      let client = Collector()
      try session.read(100, for: client, tag: 1, timeoutSeconds: 1)
      await client.wait(for: 1)
      guard case .commandTimeout = client.outcomes[1]?.failure else {
        Issue.record("\(String(describing: client.outcomes[1]))")
        return
      }
      try session.read(100, for: client, tag: 2)
      await client.wait(for: 2)
      #expect(client.outcomes[2]?.isGood == true && session.loginCount == 1)
      await session.close()
      await script.wait()
    }
  }

  @Test("logs out and in again where the target asks for it")
  func logoutRequest() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let first = try await target.logIn()
        try first.exchange.send(
          AsynchronousMessage(
            event: .logoutRequest, statSN: first.nextStatSN(), expCmdSN: first.expCmdSN,
            maxCmdSN: first.maxCmdSN, parameter3: 10
          ).header, text: [])
        try await first.end()
        let second = try await target.logIn()
        let (command, _) = try await second.command()
        try second.dataIn(command, counting(100))
        try await second.end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      let client = Collector()
      while session.loginCount < 2 { await target.ring.sleep(nanoseconds: 10_000_000) }
      try session.read(100, for: client, tag: 1)
      await client.wait(for: 1)
      #expect(client.outcomes[1]?.isGood == true)
      await session.close()
      await script.wait()
    }
  }

  @Test("sends again after a loss only what may be sent twice")
  func recovery() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let first = try await target.logIn()
        _ = try await first.command()
        _ = try await first.command()
        await first.exchange.close()
        let second = try await target.logIn()
        let (command, _) = try await second.command()
        try second.dataIn(command, counting(100))
        try await second.end()
      }
      let session = try await InitiatorSession.open(try target.options, ring: target.ring)
      let client = Collector()
      try session.read(100, for: client, tag: 1)
      try session.read(100, for: client, tag: 2, recovery: .repeatable)
      await client.wait(for: 2)
      #expect(client.order == [1, 2])
      guard case .connectionLost = client.outcomes[1]?.failure else {
        Issue.record("\(String(describing: client.outcomes[1]))")
        return
      }
      #expect(client.outcomes[2]?.isGood == true && session.loginCount == 2)
      await session.close()
      await script.wait()
    }
  }

  @Test("gives up within its budget, and says so")
  func budget() async throws {
    try await withFakeTarget { target in
      let script = target.play { target in
        let first = try await target.logIn()
        _ = try await first.command()
        target.close()
        await first.exchange.close()
      }
      var options = try target.options
      options.reconnectAttempts = 2
      let session = try await InitiatorSession.open(options, ring: target.ring)
      let client = Collector()
      try session.read(100, for: client, tag: 1, recovery: .repeatable)
      await client.wait(for: 1)
      guard case .reconnectFailed(_, 2, _) = client.outcomes[1]?.failure else {
        Issue.record("\(String(describing: client.outcomes[1]))")
        return
      }
      await session.close()
      await script.wait()
    }
  }
}

struct Wrong: Error {}
