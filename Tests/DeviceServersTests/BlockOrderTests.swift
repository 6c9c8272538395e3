import Devices
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Block commands at the same time")
struct BlockOrderTests {
  /// Counts tasks that have come to their end.
  private final class Count {
    var value = 0
  }

  private static func wait(_ count: Count, until value: Int, _ ring: Ring) async {
    while count.value < value { await ring.sleep(nanoseconds: 1_000_000) }
  }

  @Test("COMPARE AND WRITE of many initiators loses no count")
  func counters() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let done = Count()
      for number in 0..<8 {
        let nexus = BlockBench.nexus(UInt64(100 + number))
        bench.join(nexus)
        ring.start {
          for _ in 0..<10 {
            while true {
              let old = await bench.run(BlockCDB.read(5, 1), nexus: nexus).data
              var new = old
              new[0] += 1
              let outcome = await bench.run(
                BlockCDB.compareAndWrite(5, 1), old + new, nexus: nexus)
              if outcome.status == .good { break }
              #expect(outcome.senseCodes == BlockOutcome.sense(.miscompare, 0x1D, 0))
            }
          }
          done.value += 1
        }
      }
      await Self.wait(done, until: 8, ring)
      #expect(await bench.run(BlockCDB.read(5, 1)).data[0] == 80)
      await bench.unit.disk.close()
    }
  }

  @Test("nobody sees a part of ORWRITE, COMPARE AND WRITE or a short WRITE SAME")
  func wholeOrNothing() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let done = Count()
      let length = 64 * 512
      ring.start {
        for _ in 1...20 {
          // What it finds may be another's by the time it compares; what it leaves is whole.
          let old = await bench.run(BlockCDB.read(0, 64)).data
          let new = [UInt8](repeating: old[0] | 1, count: length)
          _ = await bench.run(BlockCDB.compareAndWrite(0, 64), old + new)
          #expect(await bench.run(BlockCDB.sixteen(0x8B, 0, 64), new).status == .good)
        }
        done.value += 1
      }
      ring.start {
        for round in 1...20 {
          let block = [UInt8](repeating: UInt8(round + 100), count: 512)
          #expect(await bench.run(BlockCDB.sixteen(0x93, 0, 64), block).status == .good)
        }
        done.value += 1
      }
      ring.start {
        for _ in 0..<40 {
          let bytes = await bench.run(BlockCDB.read(0, 64)).data
          #expect(bytes.allSatisfy { $0 == bytes[0] })
        }
        done.value += 1
      }
      await Self.wait(done, until: 3, ring)
      await bench.unit.disk.close()
    }
  }

  @Test("more transfers than run at once all end, and buffers wait their turn")
  func manyTransfers() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let done = Count()
      let blocks = UInt64(bench.unit.limits.transferBlocks)
      for number in 0..<300 {
        ring.start {
          let outcome =
            number % 10 == 0
            ? await bench.run(BlockCDB.read(0, blocks))
            : await bench.run(BlockCDB.read(UInt64(number), 8))
          #expect(outcome.status == .good)
          done.value += 1
        }
      }
      await Self.wait(done, until: 300, ring)
      #expect(bench.share.freeByteCount == bench.share.byteCount)
      await bench.unit.disk.close()
    }
  }

  @Test("an aborted read gives its buffer back and is not answered")
  func aborted() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let command = Command(nexus: bench.nexus)
      command.cdb = CommandDescriptorBlock(BlockCDB.read(0, 64))
      let client = BlockClient()
      guard case .execute(let length) = bench.unit.admit(command) else {
        Issue.record("a read is admitted")
        return
      }
      #expect(length == 0)
      bench.unit.execute(command, dataOut: ring.arena.empty(), for: client)
      await bench.unit.abortTasks { _ in true }
      let outcome = await client.wait()
      #expect(outcome.isSilent && outcome.data.isEmpty)
      #expect(bench.share.freeByteCount == bench.share.byteCount)
      await bench.unit.disk.close()
    }
  }
}
