import Glibc
import ISCSIProtocol
import Testing
import Uring

@testable import ISCSI

@Suite("A connection on a ring")
struct PDUChannelTests {
  /// Takes everything, and notes it.
  final class Recorder: PDUChannelOwner {
    let ring: Ring
    var received: [(header: BasicHeaderSegment, data: [UInt8])] = []
    var released: [UInt64] = []
    var error: ChannelError?
    var isClosed = false
    weak var channel: PDUChannel?

    init(_ ring: Ring) {
      self.ring = ring
      super.init()
    }

    override func place(_ header: BasicHeaderSegment) -> Placement {
      guard header.initiatorTaskTag != 13, let room = ring.arena.allocate(header.dataSegmentLength)
      else { return .discard }
      return .into(room)
    }

    override func received(
      _ header: BasicHeaderSegment, data: consuming Payload, dataDigestFails: Bool
    ) {
      received.append((header, data.bytes()))
    }

    override func released(tag: UInt64) { released.append(tag) }

    override func failed(_ error: ChannelError) {
      self.error = error
      channel?.close()
    }

    override func closed() { isClosed = true }
  }

  /// Two channels on a pair of sockets.
  private func withPair(
    _ body: @escaping @Sendable (Ring, PDUChannel, Recorder, PDUChannel, Recorder) async -> Void
  ) async throws -> Int {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 4 << 20
    let processor = try Processor(configuration)
    let held = await processor.run { ring in
      let free = ring.arena.freeByteCount
      var pair: [Int32] = [0, 0]
      _ = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
      let recorders = [Recorder(ring), Recorder(ring)]
      var channels: [PDUChannel] = []
      for (descriptor, recorder) in zip(pair, recorders) {
        guard let block = ring.arena.allocate(PDUChannel.blockByteCount) else { continue }
        let channel = PDUChannel(
          descriptor, ring: ring, block: block, owner: recorder, counters: ISCSICounters())
        channel.maximumDataSegmentLength = 1 << 20
        recorder.channel = channel
        channel.start()
        channels.append(channel)
      }
      await body(ring, channels[0], recorders[0], channels[1], recorders[1])
      for channel in channels { channel.close() }
      while !recorders.allSatisfy(\.isClosed) { await ring.sleep(nanoseconds: 1_000_000) }
      return free - ring.arena.freeByteCount
    }
    processor.stop()
    return held
  }

  private static func wait(_ ring: Ring, until isDone: () -> Bool) async {
    let deadline = ring.now + 10_000_000_000
    while !isDone(), ring.now < deadline { await ring.sleep(nanoseconds: 1_000_000) }
  }

  private static func header(_ tag: UInt32) -> BasicHeaderSegment {
    var header = BasicHeaderSegment()
    header.opcode = 0x25
    header.initiatorTaskTag = tag
    return header
  }

  @Test("sends many PDUs at once, and each arrives as it was", arguments: [false, true])
  func batch(hasDigests: Bool) async throws {
    let held = try await withPair { ring, one, sender, other, receiver in
      for channel in [one, other] {
        channel.hasHeaderDigest = hasDigests
        channel.hasDataDigest = hasDigests
      }
      // The receive that is in flight knows nothing of digests.
      if hasDigests {
        one.hasHeaderDigest = false
        one.send(Self.header(99), data: ring.arena.empty(), tag: 0)
        one.hasHeaderDigest = true
      }
      for tag in 1...20 {
        if tag % 2 == 0 {
          one.send(
            Self.header(UInt32(tag)), bytes: [UInt8](repeating: UInt8(tag), count: tag),
            tag: UInt64(tag))
        } else if var data = ring.arena.allocate(tag * 100 + 1) {
          data.overwrite(with: [UInt8](repeating: UInt8(tag), count: tag * 100 + 1))
          one.send(Self.header(UInt32(tag)), data: data, tag: UInt64(tag))
        }
      }
      one.flush()
      await Self.wait(ring) { receiver.received.count >= 19 + (hasDigests ? 1 : 0) }
      let arrived = receiver.received.filter { $0.header.initiatorTaskTag != 99 }
      let tags = arrived.map { Int($0.header.initiatorTaskTag) }
      let all = Array(1...20)
      #expect(tags == all.filter { $0 != 13 })
      for pdu in arrived {
        let tag = Int(pdu.header.initiatorTaskTag)
        let count = tag % 2 == 0 ? tag : tag * 100 + 1
        #expect(pdu.data == [UInt8](repeating: UInt8(tag), count: count))
      }
      let released = sender.released.map { Int($0) }.filter { $0 > 0 }
      #expect(released == all)
      #expect(one.counters.sends == 1)
      #expect(sender.error == nil && receiver.error == nil)
    }
    #expect(held == 0)
  }

  @Test("sends data in more pieces of memory than one operation takes")
  func manyRanges() async throws {
    let held = try await withPair { ring, one, sender, _, receiver in
      var content: [UInt8] = []
      guard let block = ring.arena.allocate(512 * 1024) else { return }
      var data = ring.arena.empty()
      for index in 0..<600 {
        var piece = block.sharing(index * 512..<index * 512 + 300)
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 300)
        piece.overwrite(with: bytes)
        content += bytes
        data.append(piece)
      }
      one.send(Self.header(1), bytes: [1], tag: 1)
      one.send(Self.header(2), data: data, tag: 2)
      one.send(Self.header(3), bytes: [3], tag: 3)
      one.flush()
      await Self.wait(ring) { receiver.received.count == 3 }
      #expect(receiver.received.map(\.header.initiatorTaskTag) == [1, 2, 3])
      #expect(receiver.received[1].data == content)
      #expect(sender.released == [1, 2, 3])
    }
    #expect(held == 0)
  }

  @Test("gives back what waits and what is in flight when it is closed")
  func closing() async throws {
    let held = try await withPair { ring, one, sender, other, receiver in
      other.pause()
      for tag in 1...32 {
        guard let data = ring.arena.allocate(64 << 10) else { continue }
        one.send(Self.header(UInt32(tag)), data: data, tag: UInt64(tag))
        one.flush()
      }
      #expect(!one.hasRoom)
      await ring.sleep(nanoseconds: 20_000_000)
      #expect(sender.released.count < 32)
      one.close()
      await Self.wait(ring) { sender.isClosed }
      #expect(sender.released.count == 32)
      #expect(sender.error == nil)
    }
    #expect(held == 0)
  }

  @Test("finishes only when everything was sent")
  func finishing() async throws {
    let held = try await withPair { ring, one, sender, _, receiver in
      for tag in 21...40 {
        guard let data = ring.arena.allocate(100_000) else { continue }
        one.send(Self.header(UInt32(tag)), data: data, tag: UInt64(tag))
      }
      one.finish()
      await Self.wait(ring) { sender.isClosed && receiver.isClosed }
      #expect(receiver.received.count == 20)
      #expect(receiver.error == .endOfStream && sender.error == nil)
    }
    #expect(held == 0)
  }

  @Test("keeps a PDU that is partly in flight until the kernel has done with it")
  func partInFlight() async throws {
    let held = try await withPair { ring, one, sender, _, _ in
      guard let block = ring.arena.allocate(16384) else { return }
      var data = ring.arena.empty()
      for index in 0..<600 {
        let start = index % 2 * 8192
        data.append(block.sharing(start..<start + 4096))
      }
      one.send(Self.header(1), data: data, tag: 1)
      one.send(Self.header(2), bytes: [2], tag: 2)
      one.flush()
      one.close()
      #expect(sender.released == [2])
      await Self.wait(ring) { sender.isClosed }
      #expect(sender.released == [2, 1])
    }
    #expect(held == 0)
  }

  @Test("fails where the kernel took a part only: nothing may follow in the stream")
  func shortHandOver() async throws {
    let held = try await withPair { ring, one, sender, _, receiver in
      one.send(Self.header(1), bytes: [1, 2, 3, 4], tag: 1)
      one.flush()
      one.send(Self.header(2), bytes: [2], tag: 2)
      one.handedOver(0, 48)
      #expect(sender.error == .endOfStream)
      await Self.wait(ring) { sender.isClosed && receiver.isClosed }
      #expect(one.counters.sends == 1)
      #expect(Set(sender.released) == [1, 2])
    }
    #expect(held == 0)
  }
}
