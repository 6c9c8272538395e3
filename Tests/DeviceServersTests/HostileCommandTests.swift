import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Hostile commands")
struct HostileCommandTests {
  /// A random CDB: mostly of commands that exist, mostly with fields that pass the first checks.
  private static func cdb(
    _ random: inout BlockRandom, _ entries: [CommandEntry]
  ) -> [UInt8] {
    let entry = entries[Int(random.below(UInt64(entries.count)))]
    var bytes = random.bytes(16)
    switch random.below(4) {
    case 0: bytes[0] = UInt8(random.below(256))
    case 1:
      bytes[0] = entry.operationCode
      if let action = entry.serviceAction { bytes[1] = UInt8(action) | bytes[1] & 0xE0 }
    default:
      for index in 0..<16 {
        bytes[index] = index < entry.usage.count ? bytes[index] & entry.usage[index] : 0
      }
      bytes[0] = entry.operationCode
      if let action = entry.serviceAction {
        bytes[1] = UInt8(action) | bytes[1] & 0xE0 & entry.usage[1]
      }
      bytes[entry.usage.count - 1] = 0
      // Small numbers reach further than large ones.
      if random.below(2) == 0 {
        for index in 2..<16 where random.below(3) != 0 { bytes[index] = 0 }
      }
    }
    return bytes
  }

  @Test(
    "random CDBs with random parameter data end exactly once", arguments: 0..<6 as Range<UInt64>)
  func primary(_ seed: UInt64) async throws {
    try await withUnitBench { bench in
      bench.gate.open()
      var random = BlockRandom(seed: seed)
      let nexuses = (1...3).map { bench.join($0) }
      for _ in 0..<4000 {
        let nexus = nexuses[Int(random.below(3))]
        let cdb = Self.cdb(&random, bench.unit.table.entries)
        let data = random.bytes(Int(random.below(4) == 0 ? random.below(300) : 24))
        let client = bench.send(
          cdb, data, from: nexus,
          attribute: TaskAttribute(rawValue: UInt8(random.below(5))) ?? .simple,
          lun: random.below(10) == 0 ? random.next() : 0)
        _ = await client.wait()
        #expect(client.completionCount == 1)
      }
      #expect(bench.unit.tasks.isEmpty)
    }
  }

  @Test("a disk under random commands still answers", arguments: 0..<3 as Range<UInt64>)
  func disk(_ seed: UInt64) async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring, blockCount: 256)
      var random = BlockRandom(seed: seed)
      for _ in 0..<1500 {
        let cdb = Self.cdb(&random, bench.unit.table.entries)
        _ = await bench.run(cdb, random.bytes(Int(random.below(2000))))
        #expect(bench.unit.tasks.isEmpty)
      }
      #expect(await bench.run([0x12, 0, 0, 0, 36, 0]).data.count == 36)
      while case .running = bench.unit.server.sanitize {
        await ring.sleep(nanoseconds: 1_000_000)
      }
      #expect(bench.share.freeByteCount == bench.share.byteCount)
      await bench.unit.disk.close()
    }
  }
}
