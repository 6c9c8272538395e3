import Devices
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Block commands at their limits")
struct BlockCommandTests {
  static let outOfRange = BlockOutcome.sense(.illegalRequest, 0x21, 0)
  static let invalidField = BlockOutcome.sense(.illegalRequest, 0x24, 0)

  @Test("blocks behind the last one are out of range, whatever the arithmetic")
  func boundaries() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring, blockCount: 1000)
      let codes: [UInt8] = [0x88, 0x8A, 0x8F, 0x8E, 0x8B, 0x93, 0x90, 0x91]
      for code in codes {
        for (lba, count): (UInt64, UInt64) in [
          (999, 2), (1000, 1), (1001, 0), (1 << 32, 1), (1 << 63, 1), (.max, 1), (.max - 1, 2),
          (0, 1001),
        ] {
          let outcome = await bench.run(
            BlockCDB.sixteen(code, lba, count), [UInt8](repeating: 0, count: 512))
          #expect(outcome.senseCodes == Self.outOfRange, "\(code) at \(lba), \(count)")
        }
      }
      for lba: UInt64 in [1000, 1 << 32, 1 << 63, .max] {
        #expect(await bench.run(BlockCDB.lbaStatus(lba)).senseCodes == Self.outOfRange)
        #expect(
          await bench.run(BlockCDB.compareAndWrite(lba, 1), [UInt8](repeating: 0, count: 1024))
            .senseCodes == Self.outOfRange)
      }
      #expect(await bench.run(BlockCDB.ten(0x28, 999, 2)).senseCodes == Self.outOfRange)
      #expect(await bench.run(BlockCDB.twelve(0xA8, 0xFFFF_FFFF, 1)).senseCodes == Self.outOfRange)
      #expect(await bench.run(BlockCDB.six(0x08, 999, 0)).senseCodes == Self.outOfRange)
      #expect(await bench.run(BlockCDB.read(999, 1)).data == [UInt8](repeating: 0, count: 512))
      await bench.unit.disk.close()
    }
  }

  @Test("nothing to transfer is a success, except that READ(6) means 256 blocks")
  func zeroLength() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      for code: UInt8 in [0x88, 0x8A, 0x8F, 0x8E, 0x8B, 0x90, 0x91] {
        #expect(await bench.run(BlockCDB.sixteen(code, 8191, 0)).status == .good, "\(code)")
      }
      #expect(await bench.run(BlockCDB.compareAndWrite(0, 0)).status == .good)
      #expect(await bench.run(BlockCDB.six(0x08, 0, 0)).data.count == 256 * 512)
      await bench.unit.disk.close()
    }
  }

  @Test("a transfer is not longer than page B0 says, and points at the length")
  func transferLimit() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let most = UInt64(bench.unit.limits.transferBlocks)
      #expect(most == 4096)
      let whole = await bench.run(BlockCDB.read(0, most))
      #expect(whole.data.count == Int(most) * 512 && whole.transferLength == whole.data.count)
      for (cdb, field): ([UInt8], UInt16) in [
        (BlockCDB.read(0, most + 1), 10), (BlockCDB.write(0, most + 1), 10),
        (BlockCDB.twelve(0xA8, 0, most + 1), 6), (BlockCDB.ten(0x28, 0, most + 1), 7),
        (BlockCDB.sixteen(0x8F, 0, most + 1, flags: 0x02), 10),
        (BlockCDB.sixteen(0x8B, 0, most + 1), 10),
      ] {
        let outcome = await bench.run(cdb)
        #expect(outcome.senseCodes == Self.invalidField)
        #expect(outcome.sense?.fieldPointer?.offset == field)
      }
      // Nothing is moved by a VERIFY that compares nothing.
      #expect(await bench.run(BlockCDB.sixteen(0x8F, 0, 8192)).status == .good)
      await bench.unit.disk.close()
    }
  }

  @Test(
    "fields of what is not there are refused",
    arguments: [
      BlockCDB.sixteen(0x88, 0, 1, flags: 0x20), BlockCDB.sixteen(0x8A, 0, 1, flags: 0xE0),
      BlockCDB.ten(0x2F, 0, 1, flags: 0x20), BlockCDB.sixteen(0x8B, 0, 1, flags: 0x40),
      BlockCDB.sixteen(0x8F, 0, 1, flags: 0x04), BlockCDB.sixteen(0x8E, 0, 1, flags: 0x06),
      BlockCDB.sixteen(0x93, 0, 1, flags: 0x10), BlockCDB.ten(0x41, 0, 1, flags: 0x01),
      BlockCDB.ten(0x41, 0, 1, flags: 0x04), [0x42, 1, 0, 0, 0, 0, 0, 0, 0, 0],
      [0x1E, 0, 0, 0, 2, 0], BlockCDB.sanitize(0x03, 0), BlockCDB.sanitize(0x02, 8),
      BlockCDB.sanitize(0x1F, 8), BlockCDB.sanitize(0x01, 4), BlockCDB.sanitize(0x01, 517),
      BlockCDB.startStop(0x02),
    ])
  func refusedFields(_ cdb: [UInt8]) async throws {
    try await withBlockBench(arenaBytes: 12 << 20) { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let outcome = await bench.run(cdb, [UInt8](repeating: 0, count: 1024))
      #expect(outcome.senseCodes == Self.invalidField)
      await bench.unit.disk.close()
    }
  }

  @Test("an initiator that sends less than it says writes whole blocks of what it sent")
  func shortData() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let data = [UInt8](repeating: 7, count: 1300)
      let outcome = await bench.run(BlockCDB.write(0, 4), data)
      #expect(outcome.status == .good && outcome.transferLength == 2048)
      let read = await bench.run(BlockCDB.read(0, 4)).data
      #expect(read == [UInt8](repeating: 7, count: 1024) + [UInt8](repeating: 0, count: 1024))
      for count in [512, 1024, 4096] {
        let pair = [UInt8](repeating: 7, count: count)
        let compared = await bench.run(BlockCDB.compareAndWrite(0, count == 1024 ? 2 : 1), pair)
        #expect(compared.senseCodes == Self.invalidField)
      }
      for count in [256, 1024] {
        let same = await bench.run(
          BlockCDB.sixteen(0x93, 0, 1, flags: 0x08), [UInt8](repeating: 0, count: count))
        #expect(same.senseCodes == Self.invalidField)
      }
      await bench.unit.disk.close()
    }
  }

  @Test("VERIFY compares one block with many, and tells the place of the difference")
  func verifyOne() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let block = (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      #expect(await bench.run(BlockCDB.sixteen(0x93, 10, 600), block).status == .good)
      let verify = BlockCDB.sixteen(0x8F, 10, 600, flags: 0x06)
      #expect(await bench.run(verify, block).status == .good)
      var other = block
      other[300] ^= 1
      let outcome = await bench.run(verify, other)
      #expect(outcome.senseCodes == BlockOutcome.sense(.miscompare, 0x1D, 0))
      #expect(outcome.sense?.information == 300)
      await bench.unit.disk.close()
    }
  }

  @Test("WRITE SAME has a longest length, also where 0 blocks go to the end of the medium")
  func writeSameLimit() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring, blockCount: 70_000)
      let zeros = [UInt8](repeating: 0, count: 512)
      let most = bench.unit.limits.writeSameBlocks
      #expect(most == 32768)
      #expect(await bench.run(BlockCDB.sixteen(0x93, 0, most, flags: 8), zeros).status == .good)
      let outcome = await bench.run(BlockCDB.sixteen(0x93, 0, most + 1, flags: 8), zeros)
      #expect(outcome.senseCodes == Self.invalidField)
      #expect(outcome.sense?.fieldPointer?.offset == 10)
      let whole = await bench.run(BlockCDB.sixteen(0x93, 0, 0, flags: 8), zeros)
      #expect(whole.senseCodes == Self.invalidField)
      let rest = BlockCDB.sixteen(0x93, 70_000 - most, 0, flags: 8)
      #expect(await bench.run(rest, zeros).status == .good)
      await bench.unit.disk.close()
    }
  }

  @Test("there is no WRITE ATOMIC, and page B0 offers none: a power loss may cut any write")
  func noAtomicWrites() async throws {
    try await withBlockBench(arenaBytes: 12 << 20) { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let outcome = await bench.run(BlockCDB.atomic(8, 8), [UInt8](repeating: 9, count: 4096))
      #expect(outcome.senseCodes == BlockOutcome.sense(.illegalRequest, 0x20, 0))
      #expect(bench.unit.vitalProductPage(0xB0)?.dropFirst(40).allSatisfy { $0 == 0 } == true)
      await bench.unit.disk.close()
    }
  }

  @Test("what is read-only, or protected by SWP, is not written")
  func writeProtected() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let protected = BlockOutcome.sense(.dataProtect, 0x27, 0)
      bench.unit.control.mode.isWriteProtected = true
      let block = [UInt8](repeating: 1, count: 512)
      let list = BlockCDB.unmapList([(0, 1)])
      for (cdb, data): ([UInt8], [UInt8]) in [
        (BlockCDB.write(0, 1), block), (BlockCDB.six(0x0A, 0, 1), block),
        (BlockCDB.sixteen(0x8E, 0, 1), block), (BlockCDB.sixteen(0x8B, 0, 1), block),
        (BlockCDB.sixteen(0x93, 0, 1), block), (BlockCDB.ten(0x41, 0, 1, flags: 0x08), []),
        (BlockCDB.compareAndWrite(0, 1), block + block),
        (BlockCDB.unmap(list.count), list), (BlockCDB.sanitize(0x02, 0), []),
        (BlockCDB.sanitize(0x01, 516), [1, 0, 2, 0] + block),
      ] {
        #expect(await bench.run(cdb, data).senseCodes == protected, "\(cdb)")
      }
      #expect(await bench.run(BlockCDB.read(0, 1)).status == .good)
      #expect(await bench.run(BlockCDB.synchronizeCache).status == .good)
      bench.unit.control.mode.isWriteProtected = false
      #expect(await bench.run(BlockCDB.write(0, 1), block).status == .good)
      await bench.unit.disk.close()

      let file = try await FileDisk.open(
        directory + "/disk", options: FileDisk.Options(), ring: ring)
      let readOnly = BlockBench(file, ring: ring)
      #expect(readOnly.unit.isReadOnly)
      #expect(await readOnly.run(BlockCDB.write(0, 1), block).senseCodes == protected)
      #expect(await readOnly.run(BlockCDB.read(0, 1)).data == block)
      await file.close()
    }
  }

  @Test("capacity and defects are those of the standard's tables")
  func capacity() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring, blockCount: 1000) {
        $0.physicalBlockExponent = 3
      }
      #expect(
        await bench.run([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]).data == [0, 0, 3, 0xE7, 0, 0, 2, 0])
      let long: [UInt8] =
        [0, 0, 0, 0, 0, 0, 3, 0xE7, 0, 0, 2, 0, 0, 3, 0xC0, 0]
        + [UInt8](repeating: 0, count: 16)
      #expect(await bench.run(BlockCDB.capacity16()).data == long)
      #expect(await bench.run(BlockCDB.capacity16(12)).data == Array(long.prefix(12)))
      #expect(
        await bench.run([0x37, 0, 0x1D, 0, 0, 0, 0, 0, 32, 0]).data == [0, 0x1D, 0, 0])
      #expect(
        await bench.run([0xB7, 0x0D, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0]).data
          == [0, 0x0D, 0, 0, 0, 0, 0, 0])
      await bench.unit.disk.close()
    }
  }
}
