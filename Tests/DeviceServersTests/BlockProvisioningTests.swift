import Devices
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Blocks that are given back")
struct BlockProvisioningTests {
  private static let mebibyte = [UInt8](repeating: 0xA5, count: 1 << 20)

  /// LBA, count and status of each descriptor.
  private static func descriptors(_ data: [UInt8]) -> [[UInt64]] {
    func number(_ at: Int, _ count: Int) -> UInt64 {
      var value: UInt64 = 0
      for byte in data[at..<at + count] { value = value << 8 | UInt64(byte) }
      return value
    }
    return stride(from: 8, to: data.count, by: 16).map { at in
      [number(at, 8), number(at + 8, 4), number(at + 12, 1)]
    }
  }

  @Test("UNMAP gives room back to the file system, and reads as zeros")
  func unmapGivesBack() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      for part in 0..<4 {
        #expect(
          await bench.run(BlockCDB.write(UInt64(part) * 2048, 2048), Self.mebibyte).status
            == .good)
      }
      #expect(await bench.run(BlockCDB.synchronizeCache).status == .good)
      #expect(BlockFolder.allocated(directory + "/disk") >= 4 << 20)
      let list = BlockCDB.unmapList([(0, 2048), (4096, 2048), (8192, 0)])
      #expect(await bench.run(BlockCDB.unmap(list.count), list).status == .good)
      #expect(await bench.run(BlockCDB.synchronizeCache).status == .good)
      let left = BlockFolder.allocated(directory + "/disk")
      #expect(left >= 2 << 20 && left < 3 << 20)
      #expect(
        await bench.run(BlockCDB.read(4096, 2048)).data == [UInt8](repeating: 0, count: 1 << 20))
      #expect(await bench.run(BlockCDB.read(2048, 2048)).data == Self.mebibyte)
      #expect(
        Self.descriptors(await bench.run(BlockCDB.lbaStatus(0)).data)
          == [[0, 2048, 1], [2048, 2048, 0], [4096, 2048, 1], [6144, 2048, 0]])
      let middle = await bench.run(BlockCDB.lbaStatus(3000, 24)).data
      #expect(Array(middle.prefix(4)) == [0, 0, 0, 20])
      #expect(Self.descriptors(middle) == [[3000, 1096, 0]])
      await bench.unit.disk.close()
    }
  }

  @Test("an UNMAP list is checked whole before anything is unmapped")
  func unmapChecks() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let block = [UInt8](repeating: 3, count: 512)
      #expect(await bench.run(BlockCDB.write(0, 1), block).status == .good)
      let beyond = BlockCDB.unmapList([(0, 1), (8191, 2)])
      #expect(
        await bench.run(BlockCDB.unmap(beyond.count), beyond).senseCodes
          == BlockOutcome.sense(.illegalRequest, 0x21, 0))
      let far = BlockCDB.unmapList([(0, 1), (.max, 1)])
      #expect(
        await bench.run(BlockCDB.unmap(far.count), far).senseCodes
          == BlockOutcome.sense(.illegalRequest, 0x21, 0))
      let many = BlockCDB.unmapList([(UInt64, UInt64)](repeating: (0, 1), count: 257))
      #expect(
        await bench.run(BlockCDB.unmap(many.count), many).senseCodes
          == BlockOutcome.sense(.illegalRequest, 0x26, 0))
      #expect(
        await bench.run(BlockCDB.unmap(4), [0, 2, 0, 0]).senseCodes
          == BlockOutcome.sense(.illegalRequest, 0x1A, 0))
      #expect(await bench.run(BlockCDB.unmap(0)).status == .good)
      #expect(await bench.run(BlockCDB.unmap(8), BlockCDB.unmapList([])).status == .good)
      #expect(await bench.run(BlockCDB.read(0, 1)).data == block)
      await bench.unit.disk.close()
    }
  }

  @Test("WRITE SAME of zeros with UNMAP gives back, of other bytes writes, and 0 goes to the end")
  func writeSame() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let block = [UInt8](repeating: 0x11, count: 512)
      #expect(await bench.run(BlockCDB.sixteen(0x93, 0, 0), block).status == .good)
      #expect(await bench.run(BlockCDB.synchronizeCache).status == .good)
      let path = directory + "/disk"
      #expect(BlockFolder.contents(path) == [UInt8](repeating: 0x11, count: 8192 * 512))
      #expect(BlockFolder.allocated(path) >= 4 << 20)
      // Bytes that are not zeros are written, UNMAP or not: LBPRZ is 1.
      #expect(
        await bench.run(BlockCDB.sixteen(0x93, 0, 8, flags: 0x08), block).status == .good)
      #expect(await bench.run(BlockCDB.read(0, 1)).data == block)
      #expect(
        await bench.run(BlockCDB.ten(0x41, 0, 8192, flags: 0x08), [UInt8](repeating: 0, count: 512))
          .status == .good)
      #expect(await bench.run(BlockCDB.synchronizeCache).status == .good)
      #expect(BlockFolder.allocated(path) < 1 << 20)
      // An UNMAP that is sent no block.
      #expect(
        await bench.run(BlockCDB.write(0, 8), [UInt8](repeating: 5, count: 4096)).status == .good)
      #expect(await bench.run(BlockCDB.ten(0x41, 0, 8, flags: 0x08)).status == .good)
      #expect(await bench.run(BlockCDB.read(0, 8)).data == [UInt8](repeating: 0, count: 4096))
      await bench.unit.disk.close()
    }
  }

  @Test("a unit that is not thin has no UNMAP, and says so")
  func thick() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring) { $0.isThin = false }
      let unknown = BlockOutcome.sense(.illegalRequest, 0x20, 0)
      #expect(await bench.run(BlockCDB.unmap(0)).senseCodes == unknown)
      #expect(
        await bench.run(BlockCDB.lbaStatus(0)).senseCodes
          == BlockCommandTests.invalidField)
      #expect(
        await bench.run(BlockCDB.sixteen(0x93, 0, 1, flags: 0x09)).senseCodes
          == BlockCommandTests.invalidField)
      #expect(await bench.run(BlockCDB.capacity16()).data[14] == 0)
      #expect(bench.unit.vitalProductPage(0xB2) == [0, 0, 0, 0])
      #expect(bench.unit.vitalProductPage(0xB0)?[16..<32].allSatisfy { $0 == 0 } == true)
      await bench.unit.disk.close()
    }
  }

  @Test("the pages of SBC have the bytes of its tables")
  func pages() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring) {
        $0.physicalBlockExponent = 3
      }
      let limits: [UInt8] =
        [0, 255, 0, 8, 0, 0, 0x10, 0, 0, 0, 8, 0, 0, 0, 0, 0]
        + [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1, 0, 0, 0, 0, 8, 0x80, 0, 0, 0]
        + [0, 0, 0, 0, 0, 0, 0x80, 0] + [UInt8](repeating: 0, count: 20)
      #expect(bench.unit.vitalProductPage(0xB0) == limits)
      #expect(
        bench.unit.vitalProductPage(0xB1)
          == [0, 1, 0, 0x40, 2] + [UInt8](repeating: 0, count: 55))
      #expect(bench.unit.vitalProductPage(0xB2) == [0, 0xE4, 2, 0])
      #expect(bench.unit.modeBlockDescriptor(long: false) == [0, 0, 0x20, 0, 0, 0, 2, 0])
      #expect(
        bench.unit.modeBlockDescriptor(long: true)
          == [0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 2, 0])
      await bench.unit.disk.close()
    }
  }
}
