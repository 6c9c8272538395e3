import Devices
import ExtendedCopy
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("EXTENDED COPY between disks behind a router")
struct CopyRouterTests {
  @Test("copies what one disk has to the other, and tells of it")
  func copy() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await CopyRouterBench.open(directory, ring)
      let data = CopyBench.pattern(64 << 10)
      #expect(await bench.run(BlockCDB.write(1000, 128), data).status == .good)
      let list = bench.list(CopyList.blocks(128, from: 1000, to: 4096))
      let outcome = await bench.copy(list)
      #expect(outcome.status == .good && outcome.transferLength == list.bytes.count)
      let read = await bench.run(BlockCDB.read(4096, 128), at: 1)
      #expect(read.data.elementsEqual(data))
      let cdb = ReceiveCopyResultsCommand(
        serviceAction: .copyStatus, listIdentifier: 1, allocationLength: 64)
      let status = try CopyStatus.decode(await bench.run(cdb.bytes).data)
      #expect(status.state == .completed && status.transferCount.count == 64 << 10)
      #expect(await bench.run(cdb.bytes, at: 1).senseCodes == [5, 0x24, 0])
      await bench.close()
    }
  }

  @Test("a disk that the nexus does not see is not copied, from or to")
  func masked() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await CopyRouterBench.open(directory, ring)
      let out = bench.list(CopyList.blocks(1, from: 0, to: 0))
      let back = bench.list(CopyList.blocks(1, from: 0, to: 0, source: 1, destination: 0))
      var unknown = out
      unknown.targets[1] = CopyList.cscd(MemoryUnit.designator(77), blockLength: 512)
      let answers = [
        await bench.copy(out, from: bench.confined), await bench.copy(back, from: bench.confined),
        await bench.copy(unknown, from: bench.confined),
      ]
      #expect(answers.allSatisfy { $0.senseCodes == [0xA, 0x08, 0x04] })
      #expect(answers[0] == answers[2])
      #expect(await bench.copy(out).status == .good)
      await bench.close()
    }
  }

  @Test("software write protection of the destination holds for copies")
  func softwareWriteProtected() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await CopyRouterBench.open(directory, ring)
      bench.units[1].control.mode.isWriteProtected = true
      let list = bench.list(CopyList.blocks(8, from: 0, to: 0))
      let outcome = await bench.copy(list)
      #expect(outcome.senseCodes == [0xA, 0x0D, 0x01])
      let forwarded = try #require(outcome.sense?.forwarded.first)
      #expect(forwarded.origin == .destination)
      #expect(try SenseData.decode(forwarded.sense).additional == .writeProtected)
      bench.units[1].control.mode.isWriteProtected = false
      bench.units[0].control.mode.isWriteProtected = true
      #expect(await bench.copy(list).status == .good)
      await bench.close()
    }
  }

  @Test("a copy waits for a command that has its blocks alone")
  func exclusive() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await CopyRouterBench.open(directory, ring)
      let held = await bench.units[1].server.store.hold(100..<101, alone: true)
      let bytes = bench.list(CopyList.blocks(8, from: 0, to: 96)).bytes
      let client = bench.start(CopyRouterBench.extendedCopy(bytes), bytes)
      await ring.sleep(nanoseconds: 20_000_000)
      #expect(!client.hasEnded)
      let elsewhere = bench.list(CopyList.blocks(8, from: 0, to: 200))
      var other = elsewhere
      other.identifier = 2
      #expect(await bench.copy(other).status == .good)
      bench.units[1].server.store.release(held)
      #expect(await client.wait().status == .good)
      await bench.close()
    }
  }

  @Test("ABORT TASK and LOGICAL UNIT RESET end a copy, and answer after its last transfer")
  func taskManagement() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await CopyRouterBench.open(directory, ring)
      let functions: [TaskManagementFunction] = [
        .abortTask(tag: 5), .abortTaskSet, .logicalUnitReset,
      ]
      for function in functions {
        let held = await bench.units[1].server.store.hold(4000..<4001, alone: true)
        let bytes = bench.long.bytes
        let client = bench.start(CopyRouterBench.extendedCopy(bytes), bytes, tag: 5)
        let store = bench.units[1].server.store
        while store.waitingCount == 0, !client.hasEnded { await ring.sleep(nanoseconds: 1_000_000) }
        #expect(!client.hasEnded)
        // What waits for the range is in flight: the function cannot end before it.
        var isReleased = false
        ring.start {
          await ring.sleep(nanoseconds: 20_000_000)
          bench.units[1].server.store.release(held)
          isReleased = true
        }
        let answer = await bench.router.manage(
          function, logicalUnit: LogicalUnitNumber.encode(0), nexus: bench.nexus)
        #expect(answer == .functionComplete)
        #expect(bench.copies.operations.isEmpty)
        // On a slow machine the copy may not have come as far as the range that this test holds.
        let left = bench.units.reduce(0) { $0 + $1.server.store.operationCount }
        #expect(left == (isReleased ? 0 : 1))
        #expect(await client.wait().isSilent)
        while !isReleased { await ring.sleep(nanoseconds: 1_000_000) }
        for unit in bench.units {
          while unit.control.takeUnitAttention(for: bench.nexus) != nil {}
        }
      }
      await bench.close()
    }
  }

  @Test("an abort that comes before the first step of a copy is not lost")
  func abortAtOnce() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await CopyRouterBench.open(directory, ring)
      let bytes = bench.long.bytes
      let client = bench.start(CopyRouterBench.extendedCopy(bytes), bytes)
      let answer = await bench.router.manage(
        .abortTaskSet, logicalUnit: LogicalUnitNumber.encode(0), nexus: bench.nexus)
      #expect(answer == .functionComplete)
      #expect(await client.wait().isSilent)
      await bench.close()
    }
  }

  @Test("the loss of a nexus ends its copies, and frees its list identifiers")
  func nexusLoss() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await CopyRouterBench.open(directory, ring)
      var list = bench.long
      list.immediate = true
      let held = await bench.units[1].server.store.hold(4000..<4001, alone: true)
      let bytes = list.longBytes
      let immediate = await bench.run(CopyRouterBench.extendedCopy(bytes, .lid4), bytes)
      #expect(immediate.status == .good)
      let foreground = bench.long
      var second = foreground
      second.identifier = 2
      let client = bench.start(CopyRouterBench.extendedCopy(second.bytes), second.bytes)
      await ring.sleep(nanoseconds: 10_000_000)
      ring.start {
        await ring.sleep(nanoseconds: 10_000_000)
        bench.units[1].server.store.release(held)
      }
      await bench.router.detach(bench.nexus)
      #expect(client.hasEnded)
      await bench.copies.stop()
      #expect(bench.copies.operations.isEmpty)
      await bench.close()
    }
  }

  @Test("INQUIRY and REPORT SUPPORTED OPERATION CODES say that there are such commands")
  func reported() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await CopyRouterBench.open(directory, ring)
      let standard = await bench.run([0x12, 0, 0, 0, 96, 0]).data
      #expect(standard[5] & 0x08 != 0, "3PC")
      let pages = await bench.run([0x12, 1, 0, 0, 96, 0]).data
      let codes = Array(pages.dropFirst(4))
      #expect(codes.contains(0x8F) && codes.sorted() == codes)
      let page = await bench.run([0x12, 1, 0x8F, 1, 0, 0]).data
      #expect(page.prefix(4) == [0, 0x8F, 0, 100])
      #expect(Array(page.dropFirst(4)) == CopyLimits.thirdPartyCopyDescriptors)
      let code = await bench.run([0xA3, 0x0C, 0x03, 0x83, 0, 1, 0, 0, 1, 0, 0, 0]).data
      #expect(code.count > 1 && code[1] & 0x07 == 0x03)
      let unknown = await bench.run([0x84, 0x07] + [UInt8](repeating: 0, count: 14))
      #expect(unknown.senseCodes == [5, 0x24, 0])
      await bench.close()
    }
  }
}
