import Glibc
import Testing

@testable import Uring

@Suite("Sockets on a ring")
struct NetworkTests {
  /// Two ends of a connection over the loopback address given.
  private func connected(_ ring: Ring, _ host: String = "127.0.0.1") async throws -> (Int32, Int32)
  {
    let address = try #require(try SocketAddress.resolve(host: host, port: 0).first)
    let listener = try Socket.listen(on: address)
    defer { Socket.close(listener) }
    let bound = try #require(Socket.localAddress(of: listener))
    let client = try Socket.make(for: bound)
    let result = await ring.connect(client, to: bound, nanoseconds: 5_000_000_000)
    #expect(result == 0)
    let server = await ring.perform { ring.accept(listener, for: $0, tag: 0) }
    #expect(server >= 0)
    #expect(Socket.peerAddress(of: server) == Socket.localAddress(of: client))
    return (client, server)
  }

  @Test("carry a payload of many ranges into another, whole", arguments: ["127.0.0.1", "::1"])
  func gather(host: String) async throws {
    try await ProcessorTests.withProcessor { ring in
      do {
        let (client, server) = try await connected(ring, host)
        let (sender, receiver) = (ring.know(client), ring.know(server))
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var outgoing = ring.arena.allocate(300_000)
        outgoing?.overwrite(with: bytes)
        var first = outgoing?.removeFirst(1_001)
        if let rest = outgoing.take() { first?.append(rest) }
        first?.append(ring.arena.zeros(100_000))
        var incoming = ring.arena.allocate(7)
        if let rest = ring.arena.allocate(399_993) { incoming?.append(rest) }
        let collector = Collector()
        if let taken = first.take() { ring.send(sender, from: taken, for: collector, tag: 0) }
        let got = await ring.performWithPayload { handler in
          if let taken = incoming.take() {
            ring.receive(receiver, into: taken, for: handler, tag: 1)
          }
        }
        await collector.wait(for: 1)
        #expect(collector.results.map(\.result) == [400_000])
        #expect(got.result == 400_000)
        #expect(got.takePayload().bytes() == bytes + [UInt8](repeating: 0, count: 100_000))
        ring.forget(sender)
        ring.forget(receiver)
        Socket.close(client)
        Socket.close(server)
      } catch {
        Issue.record(error)
      }
    }
  }

  @Test("end a receive when the peer leaves, with the bytes that came")
  func shortStream() async throws {
    try await ProcessorTests.withProcessor { ring in
      do {
        let (client, server) = try await connected(ring)
        var payload = ring.arena.allocate(100)
        let bytes: [UInt8] = [1, 2, 3]
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(client, $0.baseAddress, 3, 0) }
        Socket.close(client)
        let result = await ring.perform {
          if let taken = payload.take() {
            ring.receive(ring.know(server), into: taken, for: $0, tag: 0)
          }
        }
        #expect(result == 3)
        Socket.close(server)
      } catch {
        Issue.record(error)
      }
    }
  }

  @Test("give the bytes of a send without copying back once, after saying that it went")
  func withoutCopying() async throws {
    try await ProcessorTests.withProcessor { ring in
      do {
        let (client, server) = try await connected(ring)
        let sent = SendWatcher()
        var payload = ring.arena.allocate(64 << 10)
        if let taken = payload.take() {
          ring.send(ring.know(client), from: taken, withoutCopying: true, for: sent, tag: 9)
        }
        var room = ring.arena.allocate(64 << 10)
        let got = await ring.perform {
          if let taken = room.take() {
            ring.receive(ring.know(server), into: taken, for: $0, tag: 0)
          }
        }
        #expect(got == 64 << 10)
        while sent.completed.isEmpty { await ring.sleep(nanoseconds: 1_000_000) }
        #expect(sent.completed == [64 << 10])
        #expect(sent.progressed == [64 << 10])
        // Over loopback the kernel always copies, and says so.
        #expect(ring.counters.uncopiedSends == 1 && ring.counters.copiedSends == 1)
        Socket.close(client)
        Socket.close(server)
      } catch {
        Issue.record(error)
      }
    }
  }

  @Test("give a refused connection its errno, and a silent one its deadline")
  func refused() async throws {
    try await ProcessorTests.withProcessor { ring in
      do {
        let listener = try Socket.listen(
          on: try #require(try SocketAddress.resolve(host: "127.0.0.1", port: 0).first))
        let address = try #require(Socket.localAddress(of: listener))
        Socket.close(listener)
        let client = try Socket.make(for: address)
        let result = await ring.connect(client, to: address, nanoseconds: 5_000_000_000)
        #expect(result == -ECONNREFUSED)
        Socket.close(client)
      } catch {
        Issue.record(error)
      }
    }
  }

  @Test(
    "know addresses in words",
    arguments: [("127.0.0.1", true), ("::1", true), ("192.0.2.1", false)])
  func addresses(host: String, isLoopback: Bool) throws {
    let address = try #require(try SocketAddress.resolve(host: host, port: 3260).first)
    #expect(address.host == host && address.isLoopback == isLoopback)
    #expect(address.description == (host.contains(":") ? "[\(host)]:3260" : "\(host):3260"))
  }

  @Test("say which name has no address")
  func unknownHost() throws {
    #expect(throws: NetworkError.self) {
      _ = try SocketAddress.resolve(host: "no-such-host.invalid", port: 1)
    }
  }
}

/// Notes both answers to a send.
private final class SendWatcher: CompletionHandler {
  var progressed: [Int32] = []
  var completed: [Int32] = []
  override func progress(tag: UInt64, result: Int32) { progressed.append(result) }
  override func complete(_ completion: consuming Completion) { completed.append(completion.result) }
}

@Suite("A share of the arena")
struct BufferShareTests {
  /// Keeps what it was given, in order.
  private final class Taker: BufferClient {
    var tags: [UInt64] = []
    var held: Payload?
    override func receive(_ payload: consuming Payload, tag: UInt64) {
      tags.append(tag)
      held = consume payload
    }
  }

  @Test("gives bytes in the order of the requests, all at once, and takes withdrawals back")
  func order() async throws {
    try await ProcessorTests.withProcessor { ring in
      let share = BufferShare(of: ring.arena, byteCount: 100_000)
      let taker = Taker()
      share.take(60_000, for: taker, tag: 1)
      share.take(60_000, for: taker, tag: 2)
      share.take(1, for: taker, tag: 3)
      #expect(taker.tags == [1] && share.waitingCount == 2)
      #expect(share.withdraw(taker, tag: 2) && !share.withdraw(taker, tag: 2))
      #expect(taker.tags == [1, 3])
      share.take(60_000, for: taker, tag: 4)
      #expect(taker.tags == [1, 3])
      share.giveBack(60_000)
      #expect(taker.tags == [1, 3, 4])
      share.giveBack(60_001)
      taker.held = nil
      #expect(share.freeByteCount == 100_000)
      let payload = await share.take(100_000)
      #expect(payload.byteCount == 100_000 && share.freeByteCount == 0)
      share.giveBack(100_000)
    }
  }

  @Test("is not needed to keep a processor alive for work it was told to start")
  func startedWork() async throws {
    let processor = try Processor()
    let ends = Lock(0)
    await processor.run { ring in
      for _ in 0..<10 {
        ring.start {
          await ring.sleep(nanoseconds: 2_000_000)
          ends.withLock { $0 += 1 }
        }
      }
    }
    processor.stop()
    #expect(ends.withLock { $0 } == 10)
  }
}
