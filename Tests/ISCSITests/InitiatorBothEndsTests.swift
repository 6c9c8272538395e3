import Devices
import ISCSIProtocol
import Testing
import Uring

@testable import ISCSI

@Suite("Both ends of ours")
struct InitiatorBothEndsTests {
  /// Ways to send data: immediate, unsolicited, asked for, with and without digests.
  struct Way: Sendable, CustomTestStringConvertible {
    let immediate: Bool, initialR2T: Bool, digests: Bool
    var testDescription: String {
      "immediate \(immediate), initial R2T \(initialR2T), digests \(digests)"
    }
  }

  static let ways = (0..<8).map {
    Way(immediate: $0 & 1 != 0, initialR2T: $0 & 2 != 0, digests: $0 & 4 != 0)
  }

  private func withDisk(
    _ fixture: TargetFixture, _ way: Way,
    _ body: @escaping @Sendable (RemoteDisk, Ring) async throws -> Void
  ) async throws {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 8 << 20
    let processor = try Processor(configuration)
    let port = fixture.port
    let result: Result<Void, any Error> = await processor.run { ring in
      let free = ring.arena.freeByteCount
      do {
        let url = try ISCSIURL("iscsi://127.0.0.1:\(port)/\(TargetFixture.targetName)/0")
        var options = InitiatorOptions(
          initiatorName: try ISCSIName("iqn.2026-11.org.example:tests"),
          targetName: url.targetName, portal: url.portal)
        options.negotiation.wanted.immediateData = way.immediate
        options.negotiation.wanted.initialR2T = way.initialR2T
        options.negotiation.wanted.firstBurstLength = 24 << 10
        options.negotiation.wanted.maxBurstLength = 64 << 10
        options.negotiation.wanted.maxRecvDataSegmentLength = 8192
        if way.digests {
          options.negotiation.headerDigests = [.crc32c]
          options.negotiation.dataDigests = [.crc32c]
        }
        let unit = try await RemoteUnit.open(url, options, ring: ring)
        let disk = try await RemoteDisk.open(unit)
        try await body(disk, ring)
        await disk.close()
        #expect(ring.arena.freeByteCount == free, "every byte of the arena is free again")
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    processor.stop()
    try result.get()
  }

  @Test("read what they wrote, with several commands in flight", arguments: ways)
  func roundTrip(_ way: Way) async throws {
    let fixture = try await TargetFixture.start()
    try await withDisk(fixture, way) { disk, ring in
      #expect(disk.blockCount == 2048 && disk.blockLength == 512)
      let lengths = [512, 8192, 24 << 10, 24 << 10 | 512, 100 << 10, 256 << 10]
      var offset: UInt64 = 0
      let writes = DiskCollector()
      for (number, length) in lengths.enumerated() {
        var payload = try ring.room(length)
        payload.overwrite(with: TargetDataTests.pattern(length, number))
        disk.write(at: offset, from: payload, for: writes, tag: UInt64(number))
        offset += UInt64(length)
      }
      await writes.wait(for: lengths.count)
      offset = 0
      let reads = DiskCollector()
      for (number, length) in lengths.enumerated() {
        #expect(writes.statuses[UInt64(number)] == .good(length))
        disk.read(at: offset, into: try ring.room(length), for: reads, tag: UInt64(number))
        offset += UInt64(length)
      }
      await reads.wait(for: lengths.count)
      for (number, length) in lengths.enumerated() {
        #expect(reads.bytes[UInt64(number)] == TargetDataTests.pattern(length, number))
      }
      check(await disk.flush() == .good())
    }
    #expect(await fixture.stop() == 0)
  }

  @Test("find the target that the portal offers")
  func discovery() async throws {
    let fixture = try await TargetFixture.start()
    let port = fixture.port
    let processor = try Processor()
    let names = try await processor.run { ring in
      let portal = PortalAddress(host: "127.0.0.1", port: port)
      guard let portal else { return [""] }
      let options = InitiatorOptions(
        initiatorName: try ISCSIName("iqn.2026-11.org.example:tests"), targetName: nil,
        portal: portal)
      return try await InitiatorDiscovery.targets(options, ring: ring).map { "\($0.name)" }
    }
    processor.stop()
    #expect(names == [TargetFixture.targetName])
    #expect(await fixture.stop() == 0)
  }
}

/// Collects how operations of a disk end.
private final class DiskCollector: DeviceClient {
  private(set) var statuses: [UInt64: DeviceStatus] = [:]
  private(set) var bytes: [UInt64: [UInt8]] = [:]
  private var waited: (count: Int, signal: InitiatorSignal)?

  override func complete(_ completion: consuming DeviceCompletion) {
    let tag = completion.tag
    statuses[tag] = completion.status
    bytes[tag] = completion.takePayload().bytes()
    if let waited, statuses.count >= waited.count { waited.signal.fire() }
  }

  func wait(for count: Int) async {
    guard statuses.count < count else { return }
    let signal = InitiatorSignal()
    waited = (count, signal)
    await signal.wait()
  }
}
