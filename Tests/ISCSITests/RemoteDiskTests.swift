import Devices
import ISCSIProtocol
import SAM
import SCSI
import Testing
import Uring

@testable import ISCSI

/// A disk of 64 blocks of 512 bytes in memory.
final class FakeDisk {
  var bytes = counting(64 * 512)
  var attentions: [(UInt8, UInt8)] = [(0x29, 0x00)]
  var busyCount = 0
  var mostBlocks: UInt32 = 0
  var knowsLongCommands = true
  var badBlock: UInt64?
  var cuts = 0
  /// Unit attentions that the next login finds.
  var attentionsAtLoss: [(UInt8, UInt8)] = []
  /// WCE of the caching mode page; nil where there is none.
  var hasWriteCache: Bool? = true
  private(set) var commands: [UInt8] = []

  func execute(_ cdb: CommandDescriptorBlock, _ data: [UInt8]) -> FakeAnswer {
    let code = cdb.operationCode
    if code != 0x12, let (code, qualifier) = attentions.first {
      attentions.removeFirst()
      return .check(sense(.unitAttention, code, qualifier))
    }
    commands.append(code)
    let isTransfer = [0x88, 0x8A, 0x28, 0x2A].contains(code)
    if isTransfer, busyCount > 0 {
      busyCount -= 1
      return .status(0x08)
    }
    if isTransfer, cuts > 0 {
      cuts -= 1
      attentions += attentionsAtLoss
      return .cut
    }
    switch code {
    case 0x00, 0x35: return .good
    case 0x12 where cdb[1] == 1:
      var page = [UInt8](repeating: 0, count: 64)
      page[1] = 0xB0
      page[11] = UInt8(mostBlocks)
      return .data(page)
    case 0x12: return .data([0, 0, 5, 2, 31] + [UInt8](repeating: 0x20, count: 31))
    case 0x1A where cdb[2] == 0x08:
      guard let hasWriteCache else { return .check(sense(.illegalRequest, 0x24, 0)) }
      let page: [UInt8] = [0x08, 18, hasWriteCache ? 0x04 : 0] + [UInt8](repeating: 0, count: 17)
      return .data([23, 0, 0, 0] + page)
    case 0x1A: return .data([3, 0, 0, 0])
    case 0x9E where knowsLongCommands && cdb[1] == 0x10:
      return .data([0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 2, 0] + [UInt8](repeating: 0, count: 20))
    case 0x25: return .data([0, 0, 0, 63, 0, 0, 2, 0])
    case 0x88 where knowsLongCommands:
      return read(Int(cdb.uint64(at: 2)), Int(cdb.uint32(at: 10)))
    case 0x28: return read(Int(cdb.uint32(at: 2)), Int(cdb.uint16(at: 7)))
    case 0x8A where knowsLongCommands: return write(Int(cdb.uint64(at: 2)), data)
    case 0x2A: return write(Int(cdb.uint32(at: 2)), data)
    default: return .check(sense(.illegalRequest, 0x20, 0))
    }
  }

  private func read(_ block: Int, _ count: Int) -> FakeAnswer {
    if let badBlock, (block..<block + count).contains(Int(badBlock)) {
      return .check(
        sense(.mediumError, 0x11, 0, information: badBlock),
        data: Array(bytes[block * 512..<Int(badBlock) * 512]))
    }
    return .data(Array(bytes[block * 512..<(block + count) * 512]))
  }

  private func write(_ block: Int, _ data: [UInt8]) -> FakeAnswer {
    bytes.replaceSubrange(block * 512..<block * 512 + data.count, with: data)
    return .good
  }
}

@Suite("A disk over iSCSI")
struct RemoteDiskTests {
  private func withDisk(
    connections: Int = 1, _ setUp: @escaping @Sendable (FakeDisk) -> Void = { _ in },
    _ body: @escaping @Sendable (RemoteDisk, FakeDisk) async throws -> Void
  ) async throws {
    try await withFakeTarget { target in
      target.policy.wanted.firstBurstLength = 8192
      let fake = FakeDisk()
      setUp(fake)
      let script = target.play { target in
        for _ in 0..<connections {
          let connection = try await target.logIn()
          try? await connection.serve { fake.execute($0, $1) }
          await connection.exchange.close()
        }
      }
      let url = try ISCSIURL("iscsi://127.0.0.1:\(target.address.port)/\(FakeTarget.name)/0")
      let unit = try await RemoteUnit.open(url, try target.options, ring: target.ring)
      let disk = try await RemoteDisk.open(unit)
      try await body(disk, fake)
      await disk.close()
      await script.wait()
    }
  }

  private func read(
    _ disk: RemoteDisk, at offset: UInt64, _ count: Int
  ) async throws -> (DeviceStatus, [UInt8]) {
    let payload = try disk.unit.ring.room(count)
    let completion = await disk.read(at: offset, into: payload)
    let status = completion.status
    return (status, Array(completion.takePayload().bytes().prefix(status.byteCount)))
  }

  @Test("has the blocks it says; is read, written and flushed, with long and short commands")
  func transfers() async throws {
    for isLong in [true, false] {
      try await withDisk({ $0.knowsLongCommands = isLong }) { disk, fake in
        #expect(disk.blockCount == 64 && disk.blockLength == 512 && !disk.isReadOnly)
        let (status, bytes) = try await read(disk, at: 1024, 2048)
        #expect(status == .good(2048) && bytes == Array(fake.bytes[1024..<3072]))
        var payload = try disk.unit.ring.room(1024)
        payload.overwrite(with: [UInt8](repeating: 9, count: 1024))
        check(await disk.write(at: 512, from: payload).status == .good(1024))
        #expect(fake.bytes[512..<1536].allSatisfy { $0 == 9 })
        #expect(fake.bytes[1536] == counting(1537)[1536])
        check(await disk.flush() == .good() && fake.commands.last == 0x35)
      }
    }
  }

  @Test("cuts a transfer into parts no longer than the disk takes")
  func parts() async throws {
    try await withDisk({ $0.mostBlocks = 3 }) { disk, fake in
      let (status, bytes) = try await read(disk, at: 512, 8 * 512)
      #expect(status == .good(8 * 512) && bytes == Array(fake.bytes[512..<9 * 512]))
      #expect(fake.commands.count { $0 == 0x88 } == 3)
    }
  }

  @Test("asks again after a unit attention, of a busy disk, and after a loss of the connection")
  func again() async throws {
    try await withDisk(connections: 2) { disk, fake in
      fake.attentions = [(0x29, 0x00), (0x2A, 0x09)]
      fake.busyCount = 1
      fake.cuts = 1
      let (status, bytes) = try await read(disk, at: 0, 2048)
      #expect(status == .good(2048) && bytes == Array(fake.bytes[..<2048]))
      #expect(disk.unit.session.loginCount == 2)
    }
  }

  @Test("does not go on where somebody else took the reservation")
  func fenced() async throws {
    try await withDisk { disk, fake in
      fake.attentions = [(0x2A, 0x05)]
      let (status, _) = try await read(disk, at: 0, 512)
      #expect(status.condition?.key == .unitAttention && status.byteCount == 0)
    }
  }

  @Test("tells how much was read before a bad block")
  func badBlock() async throws {
    try await withDisk({ $0.badBlock = 5 }) { disk, fake in
      let (status, bytes) = try await read(disk, at: 1024, 8 * 512)
      #expect(status.byteCount == 3 * 512 && status.condition?.key == .mediumError)
      #expect(status.condition?.information == 5 && bytes == Array(fake.bytes[1024..<5 * 512]))
    }
  }

  private func write(_ disk: RemoteDisk, at offset: UInt64) async throws {
    var payload = try disk.unit.ring.room(1024)
    payload.overwrite(with: counting(1024))
    check(await disk.write(at: offset, from: payload).status == .good(1024))
  }

  @Test(
    "fails the next flush where it began anew with writes in its cache, and not where it did not",
    arguments: [
      (true, [0x00], true), (true, [0x01], true), (true, [0x02], true), (true, [0x04], true),
      (true, [0x07], false), (true, [], false), (true, [0x07, 0x00], true),
      (false, [0x00], false), (nil, [0x00], true),
    ] as [(Bool?, [UInt8], Bool)])
  func lostCache(hasWriteCache: Bool?, qualifiers: [UInt8], isLost: Bool) async throws {
    try await withDisk(connections: 2, { $0.hasWriteCache = hasWriteCache }) { disk, fake in
      try await write(disk, at: 0)
      fake.attentionsAtLoss = qualifiers.map { (0x29, $0) }
      fake.cuts = 1
      try await write(disk, at: 1024)
      #expect(disk.unit.session.loginCount == 2)
      let status = await disk.flush()
      #expect((status.condition != nil) == isLost)
      if isLost {
        #expect(status.condition?.key == .unitAttention && status.condition?.isDeferred == true)
        #expect(status.condition?.additional.code == 0x29)
      }
      #expect(fake.commands.last == 0x35, "what is there is made durable all the same")
      check(await disk.flush() == .good())
    }
  }

  @Test("fails the next flush also where it began anew in the same session, whoever heard of it")
  func lostCacheWithoutLogin() async throws {
    try await withDisk { disk, fake in
      for flushHears in [true, false] {
        try await write(disk, at: 0)
        fake.attentions = [(0x29, 0x00)]
        if !flushHears { _ = try await read(disk, at: 0, 512) }
        check(await disk.flush().condition?.key == .unitAttention)
      }
    }
  }

  @Test("loses nothing that was flushed before, or not yet acknowledged")
  func nothingLost() async throws {
    try await withDisk(connections: 3) { disk, fake in
      fake.attentionsAtLoss = [(0x29, 0x00)]
      fake.cuts = 1
      try await write(disk, at: 0)
      check(await disk.flush() == .good())
      fake.cuts = 1
      _ = try await read(disk, at: 0, 512)
      #expect(disk.unit.session.loginCount == 3)
      try await write(disk, at: 0)
      check(await disk.flush() == .good())
    }
  }
}
