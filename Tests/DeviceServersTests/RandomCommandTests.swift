import Devices
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Hostile commands")
struct RandomCommandTests {
  /// A random CDB: wholly random, or a known command with some fields random.
  private static func cdb(_ code: UInt8, _ unit: LogicalUnit, _ random: inout BlockRandom)
    -> [UInt8]
  {
    var bytes = random.bytes(16)
    bytes[0] = code
    let group = unit.table.entries(of: code)
    guard !group.isEmpty, random.below(4) != 0 else { return bytes }
    let entry = group[Int(random.below(UInt64(group.count)))]
    for index in 1..<16 {
      bytes[index] &= index < entry.usage.count ? entry.usage[index] : 0
      if random.below(2) == 0 { bytes[index] = 0 }
    }
    bytes[entry.usage.count - 1] = 0
    if let action = entry.serviceAction { bytes[1] = bytes[1] & 0xE0 | UInt8(action) }
    return bytes
  }

  @Test(
    "Random commands with random data end exactly once, whatever they are", .timeLimit(.minutes(2)))
  func random() async throws {
    try await withBlockBench(arenaBytes: 48 << 20) { ring, directory in
      let disk = try await BlockBench.thin(directory, ring: ring, blockCount: 256)
      let bench = CoreBench([disk.unit, HeldUnit(ring: ring)], ring: ring)
      let nexuses = [bench.attach(11), bench.attach(12), bench.attach(13)]
      let luns: [UInt64] = [0, 0, 0, 0, 0, 1 << 48, 2 << 48, LogicalUnitNumber.reportLUNs]
      let attributes: [TaskAttribute] = [.simple, .simple, .simple, .ordered, .headOfQueue]
      var random = BlockRandom(seed: 14)
      for round in 0..<12 {
        var sent: [Sent] = []
        for code in 0...255 as ClosedRange<UInt8> where code != HeldUnit.operationCode {
          let lun = luns[Int(random.below(UInt64(luns.count)))]
          let nexus = nexuses[Int(random.below(3))]
          let attribute = attributes[Int(random.below(UInt64(attributes.count)))]
          let data = random.bytes(Int(random.below(3) == 0 ? random.below(4096) : random.below(64)))
          let cdb = Self.cdb(code, disk.unit, &random)
          sent.append(bench.send(cdb, data, lun: lun, from: nexus, attribute))
          if random.below(64) == 0 {
            let victim = sent[Int(random.below(UInt64(sent.count)))].command
            _ = await bench.router.manage(
              .abortTask(tag: victim.tag), logicalUnit: victim.logicalUnit, nexus: victim.nexus)
          }
        }
        for one in sent {
          _ = await one.wait()
          #expect(one.endCount == 1, "\(one.command.cdb.array)")
        }
        while disk.unit.notReady()?.additional == .sanitizeInProgress {
          await ring.sleep(nanoseconds: 1_000_000)
        }
        // What may have stopped or protected the disk is put right, for the next round.
        _ = await bench.router.manage(.logicalUnitReset, logicalUnit: 0, nexus: nexuses[0])
        #expect(disk.unit.tasks.isEmpty, "round \(round)")
        _ = await bench.run(BlockCDB.startStop(0x01), from: nexuses[0])
        _ = await bench.run(BlockCDB.startStop(0x01), from: nexuses[0])
      }
      for nexus in nexuses { await bench.router.detach(nexus) }
      #expect(disk.share.freeByteCount == disk.share.byteCount)
    }
  }

  @Test("Parameter lists of any length and content are refused or taken, never more")
  func parameterLists() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      var random = BlockRandom(seed: 3)
      for _ in 0..<3000 {
        var list = random.bytes(Int(random.below(48)))
        if random.below(2) == 0 {
          list = PrimaryCDB.control()
          let index = Int(random.below(UInt64(list.count)))
          list[index] = UInt8(truncatingIfNeeded: random.next())
        }
        let isLong = random.below(2) == 0
        let cdb: [UInt8] =
          isLong
          ? [0x55, 0x10, 0, 0, 0, 0, 0, 0, UInt8(list.count), 0]
          : PrimaryCDB.modeSelect(list.count)
        let sent = bench.send(cdb, list, from: nexus)
        let outcome = await sent.wait()
        #expect(sent.endCount == 1)
        if outcome.status != .good {
          #expect(outcome.senseCodes == [5, 0x26, 0] || outcome.senseCodes == [5, 0x1A, 0])
        }
      }
    }
  }
}
