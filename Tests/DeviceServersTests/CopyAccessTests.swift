import Devices
import ExtendedCopy
import SAM
import SCSI
import Testing

@testable import DeviceServers

@Suite("A copy reaches a logical unit as the nexus that ordered it")
struct CopyAccessTests {
  private static var conflict: Condition {
    var condition = Condition(.noSense, .noAdditionalSense)
    condition.status = .reservationConflict
    return condition
  }

  @Test("a reservation of another nexus on the source ends the copy before any byte is written")
  func reservedSource() async throws {
    try await withCopyBench { bench in
      bench.source.refusals = [(.read, bench.nexus, Self.conflict)]
      let answer = await bench.copy(bench.list(CopyList.blocks(64, from: 0, to: 0)))
      #expect(answer.short == "A/0D/01")
      #expect(answer.sense?.forwarded.first?.origin == .source)
      #expect(answer.sense?.forwarded.first?.status == .reservationConflict)
      #expect(answer.sense?.forwarded.first?.sense == [])
      #expect(answer.sense?.information == nil)
      #expect(bench.source.reads == 0 && bench.destination.writes == 0)
    }
  }

  @Test("a reservation of another nexus on the destination, likewise")
  func reservedDestination() async throws {
    try await withCopyBench { bench in
      bench.destination.refusals = [(.write, bench.nexus, Self.conflict)]
      let answer = await bench.copy(bench.list(CopyList.blocks(64, from: 0, to: 0)))
      #expect(answer.short == "A/0D/01")
      #expect(answer.sense?.forwarded.first?.origin == .destination)
      #expect(answer.sense?.forwarded.first?.status == .reservationConflict)
      #expect(bench.destination.writes == 0)
    }
  }

  @Test("the holder of a reservation copies, whoever else may not")
  func holder() async throws {
    try await withCopyBench { bench in
      let other = CopyBench.nexus(2)
      bench.destination.refusals = [(.write, other, Self.conflict)]
      let list = bench.list(CopyList.blocks(64, from: 0, to: 0))
      #expect(await bench.copy(list).short == "GOOD")
      #expect(await bench.copy(list.bytes, from: other).short == "A/0D/01")
    }
  }

  @Test("a reservation that comes in the middle stops the copy, which says how far it came")
  func reservedInTheMiddle() async throws {
    try await withCopyBench { bench in
      bench.destination.refusals = [(.write, nil, Self.conflict)]
      bench.destination.writesUntilRefusal = 1
      let count = 4000
      let answer = await bench.copy(bench.list(CopyList.blocks(count, from: 0, to: 0)))
      #expect(answer.short == "A/0D/01")
      let left = try #require(answer.sense?.information)
      let done = count - Int(left)
      #expect(done > 0 && done < count)
      let rest = bench.destination.bytes.dropFirst(done * 512)
      #expect(bench.isCopied(done) && rest.allSatisfy { $0 == 0 })
    }
  }

  @Test("a write-protected destination is refused with its own sense data")
  func writeProtected() async throws {
    try await withCopyBench { bench in
      bench.destination.isReadOnly = true
      let answer = await bench.copy(bench.list(CopyList.blocks(64, from: 0, to: 0)))
      #expect(answer.short == "A/0D/01")
      let forwarded = try #require(answer.sense?.forwarded.first)
      #expect(forwarded.origin == .destination)
      let sense = try SenseData.decode(forwarded.sense)
      #expect(sense.key == .dataProtect && sense.additional == .writeProtected)
    }
  }

  @Test("a unit that is not ready is not copied, not even its holes")
  func notReady() async throws {
    try await withCopyBench { bench in
      bench.source.holeStart = 0
      bench.source.refusals = [
        (.read, nil, Condition(.notReady, .logicalUnitNotReadyInitializingCommandRequired))
      ]
      let answer = await bench.copy(bench.list(CopyList.blocks(1024, from: 0, to: 0)))
      #expect(answer.short == "A/0D/01")
      #expect(bench.destination.writes == 0)
      bench.source.refusals = []
      bench.destination.bytes = bench.source.bytes
      #expect(
        await bench.copy(bench.list(CopyList.blocks(1024, from: 0, to: 0))).short == "GOOD")
      #expect(bench.source.reads == 0)
      #expect(bench.destination.bytes.prefix(1024 * 512).allSatisfy { $0 == 0 })
    }
  }

  @Test("a unit that the nexus may not see answers as one that there is not")
  func masked() async throws {
    try await withCopyBench { bench in
      let hidden = MemoryUnit(3, bytes: CopyBench.pattern(4096), ring: bench.ring)
      var answers: [CopyAnswer] = []
      for designator in [hidden.designators[0], MemoryUnit.designator(99)] {
        for end in 0...1 {
          var list = bench.list(CopyList.blocks(1, from: 0, to: 0))
          list.targets[end] = CopyList.cscd(designator, blockLength: 512)
          answers.append(await bench.copy(list))
        }
      }
      #expect(answers[0] == answers[2] && answers[1] == answers[3])
      #expect(answers[0].short == "A/08/04")
      #expect(hidden.reads == 0 && hidden.writes == 0)
      bench.units.append(hidden)
      var list = bench.list(CopyList.blocks(1, from: 0, to: 0))
      list.targets[0] = hidden.cscd
      #expect(await bench.copy(list).short == "GOOD")
    }
  }

  @Test("two units with one name cannot be told apart, and are none")
  func ambiguous() async throws {
    try await withCopyBench { bench in
      bench.units.append(MemoryUnit(1, bytes: CopyBench.pattern(4096), ring: bench.ring))
      let answer = await bench.copy(bench.list(CopyList.blocks(1, from: 0, to: 0)))
      #expect(answer.short == "A/08/04")
      #expect(bench.destination.writes == 0)
    }
  }

  @Test("a name of another kind, or of a port, does not name the unit")
  func designators() async throws {
    try await withCopyBench { bench in
      let right = bench.source.designators[0]
      var wrong = [right, right, right]
      wrong[0].type = Designator.typeEUI64
      wrong[1].association = 1
      wrong[2].bytes.removeLast()
      for designator in wrong {
        var list = bench.list(CopyList.blocks(1, from: 0, to: 0))
        list.targets[0] = CopyList.cscd(designator, blockLength: 512)
        #expect(await bench.copy(list).short == "A/08/04")
      }
      var list = bench.list(CopyList.blocks(1, from: 0, to: 0))
      list.targets[0][3] = 1
      #expect(await bench.copy(list).short == "A/08/04", "there is no initiator port 1")
    }
  }

  @Test("a descriptor of another type or another block length is refused")
  func wrongDescriptor() async throws {
    try await withCopyBench { bench in
      var list = bench.list(CopyList.blocks(1, from: 0, to: 0))
      list.targets[1] = CopyList.cscd(
        bench.destination.designators[0], blockLength: 512, flags: 0x01)
      #expect(await bench.copy(list).short == "5/26/00", "a tape says FIXED with a block length")
      list.targets[1] = CopyList.cscd(
        bench.destination.designators[0], blockLength: 0, flags: 0x01)
      #expect(await bench.copy(list).short == "A/0D/03")
      list.targets[1] = CopyList.cscd(bench.destination.designators[0], blockLength: 4096)
      #expect(await bench.copy(list).short == "A/26/00")
      list.targets[1] = CopyList.cscd(bench.destination.designators[0], blockLength: 0)
      #expect(await bench.copy(list).short == "GOOD")
    }
  }

  @Test("a segment that overlaps itself gives what reading all of it first would")
  func overlap() async throws {
    try await withCopyBench { bench in
      let before = bench.source.bytes
      let list = CopyList(
        targets: [bench.source.cscd],
        segments: [CopyList.blocks(3000, from: 0, to: 100, destination: 0)])
      #expect(await bench.copy(list).short == "GOOD")
      let isRight = bench.source.bytes[100 * 512..<3100 * 512].elementsEqual(
        before[0..<3000 * 512])
      #expect(isRight)
    }
  }

  @Test("blocks of 512 bytes go to blocks of 4096")
  func blockLengths() async throws {
    try await withCopyBench { bench in
      let large = MemoryUnit(
        4, blockLength: 4096, bytes: [UInt8](repeating: 0, count: 1 << 20), ring: bench.ring)
      bench.units.append(large)
      var list = bench.list(CopyList.blocks(64, from: 8, to: 2))
      list.targets[1] = large.cscd
      #expect(await bench.copy(list).short == "GOOD")
      let isRight = large.bytes[8192..<8192 + 64 * 512].elementsEqual(
        bench.source.bytes[4096..<4096 + 64 * 512])
      #expect(isRight)
      list.segments = [CopyList.blocks(3, from: 8, to: 2)]
      #expect(await bench.copy(list).short == "A/26/0A", "three blocks do not fill one")
    }
  }
}
