import Devices
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("A disk logical unit against a plain model")
struct BlockRandomTests {
  /// One random command against the unit and the model.
  private static func step(
    _ bench: BlockBench, _ model: inout BlockModel, _ random: inout BlockRandom
  ) async -> Bool {
    let blocks = bench.unit.disk.blockCount
    let lba = random.below(blocks)
    let count = min(blocks - lba, 1 + random.below(40))
    let length = model.blockLength
    let data =
      random.below(4) == 0
      ? [UInt8](repeating: 0, count: Int(count) * length) : random.bytes(Int(count) * length)
    let block = Array(data.prefix(length))
    let flags: UInt8 = random.below(12) == 0 ? 0x08 : 0
    switch random.below(16) {
    case 0:
      model.write(lba, data)
      return await bench.run(BlockCDB.ten(0x2A, lba, count, flags: flags), data).status == .good
    case 1:
      model.write(lba, data)
      return await bench.run(BlockCDB.twelve(0xAA, lba, count, flags: flags), data).status == .good
    case 2, 3:
      model.write(lba, data)
      return await bench.run(BlockCDB.sixteen(0x8A, lba, count, flags: flags), data).status
        == .good
    case 4:
      model.write(lba, data)
      return await bench.run(BlockCDB.six(0x0A, lba, UInt8(count)), data).status == .good
    case 5:
      model.write(lba, data)
      return await bench.run(BlockCDB.sixteen(0x8E, lba, count, flags: 0x02), data).status
        == .good
    case 6:
      return await bench.run(BlockCDB.ten(0x28, lba, count, flags: flags)).data
        == model.read(lba, count)
    case 7:
      return await bench.run(BlockCDB.twelve(0xA8, lba, count)).data == model.read(lba, count)
    case 8:
      return await bench.run(BlockCDB.six(0x08, lba, UInt8(count))).data
        == model.read(lba, count)
    case 9:
      model.same(lba, count, block)
      let unmaps: UInt8 = random.below(2) == 0 ? 0x08 : 0
      return await bench.run(BlockCDB.sixteen(0x93, lba, count, flags: unmaps), block).status
        == .good
    case 10:
      model.zero(lba, count)
      return await bench.run(
        BlockCDB.sixteen(0x93, lba, count, flags: random.below(2) == 0 ? 0x09 : 0x01)
      ).status == .good
    case 11:
      model.zero(lba, count)
      let list = BlockCDB.unmapList([(lba, count)])
      return await bench.run(BlockCDB.unmap(list.count), list).status == .good
    case 12:
      model.or(lba, data)
      return await bench.run(BlockCDB.sixteen(0x8B, lba, count), data).status == .good
    case 13:
      var expected = model.read(lba, count)
      if random.below(2) == 0 {
        expected[Int(random.below(UInt64(expected.count)))] ^= UInt8(1 + random.below(255))
      }
      let difference = model.difference(lba, expected)
      let outcome = await bench.run(
        BlockCDB.compareAndWrite(lba, UInt8(count)), expected + data)
      guard let difference else {
        model.write(lba, data)
        return outcome.status == .good
      }
      return outcome.senseCodes == [0xE, 0x1D, 0]
        && outcome.sense?.information == UInt64(difference)
    case 14:
      var expected = model.read(lba, count)
      if random.below(2) == 0 { expected[expected.count - 1] ^= 1 }
      let difference = model.difference(lba, expected)
      let outcome = await bench.run(BlockCDB.sixteen(0x8F, lba, count, flags: 0x02), expected)
      return outcome.sense?.information == difference.map { UInt64($0) }
    default:
      return await bench.run(BlockCDB.synchronizeCache).status == .good
    }
  }

  @Test(
    "every command does what the model does, for either block length",
    arguments: [(512, 4096, true), (4096, 700, true), (512, 4096, false)])
  func model(_ blockLength: Int, _ blockCount: Int, _ direct: Bool) async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(
        directory, ring: ring, blockLength: blockLength, blockCount: UInt64(blockCount),
        direct: direct)
      var model = BlockModel(blockLength: blockLength, blockCount: blockCount)
      var random = BlockRandom(seed: UInt64(blockLength + blockCount))
      for number in 0..<400 {
        let before = random
        if await !Self.step(bench, &model, &random) {
          Issue.record("step \(number) differs; the random state was \(before)")
          return
        }
      }
      #expect(await bench.run(BlockCDB.synchronizeCache).status == .good)
      #expect(BlockFolder.contents(directory + "/disk") == model.bytes)
      #expect(bench.share.freeByteCount == bench.share.byteCount)
      #expect(bench.unit.server.store.operationCount == 0)
      await bench.unit.disk.close()
    }
  }
}
