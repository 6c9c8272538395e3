import CopyManager
import ExtendedCopy
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

/// What copies find beyond the units that a designator names.
@Suite struct CopyReachTests {
  /// Finds one unit, and counts what it is asked.
  private final class Finder: CopyReach {
    let unit: MemoryUnit
    var isOpen = true
    var findsNothing = false
    var finds = 0, closes = 0
    var inFlightAtClose = 0
    /// What happens while it searches.
    var during: () -> Void = {}

    init(_ unit: MemoryUnit) {
      self.unit = unit
      super.init()
    }

    override func isOpen(to nexus: Nexus) -> Bool { isOpen }

    override func find(_ search: CopySearch) async -> ReachedDevices {
      finds += 1
      during()
      search.report("looked for \(search.missing)")
      if findsNothing { return Reached(self, [:]) }
      return Reached(self, Dictionary(search.missing.map { ($0, .unit(unit)) }) { $1 })
    }

    private final class Reached: ReachedDevices {
      private let finder: Finder
      init(_ finder: Finder, _ ends: [Int: End]) {
        self.finder = finder
        super.init(ends)
      }

      override func close() async {
        finder.closes += 1
        finder.inFlightAtClose = max(finder.inFlightAtClose, finder.unit.inFlight)
      }
    }
  }

  private static let unknown = MemoryUnit.designator(9)

  private static func list(_ bench: CopyBench, identifier: UInt32 = 1) -> CopyList {
    CopyList(
      identifier: identifier,
      targets: [bench.source.cscd, CopyList.cscd(unknown, blockLength: 512)],
      segments: [CopyList.blocks(64, from: 0, to: 0)])
  }

  @Test(
    "M90 A copy writes what was found for its turn, and gives it back after its last completion")
  func found() async throws {
    try await withCopyBench { bench in
      let finder = Finder(bench.destination)
      bench.commands.reach = finder
      #expect(await bench.copy(Self.list(bench)) == CopyAnswer(.good))
      #expect(bench.isCopied(64))
      #expect(finder.finds == 1 && finder.closes == 1 && finder.inFlightAtClose == 0)
      // Nothing is looked for where every target is a unit that the nexus sees.
      #expect(
        await bench.copy(bench.list(CopyList.blocks(1, from: 0, to: 0))) == CopyAnswer(.good))
      #expect(finder.finds == 1)
    }
  }

  @Test("M44 Without an initiator port in reach nothing is looked for, and disks alone are offered")
  func closed() async throws {
    try await withCopyBench { bench in
      let finder = Finder(bench.destination)
      finder.isOpen = false
      bench.commands.reach = finder
      #expect(await bench.copy(Self.list(bench)).short == "A/08/04")
      #expect(finder.finds == 0)
      var list = Self.list(bench)
      list.targets[1] = [0xE0] + list.targets[1].dropFirst()
      #expect(await bench.copy(list).short == "5/26/07")
    }
  }

  @Test("M101 A target that no port reached is COPY TARGET DEVICE NOT REACHABLE")
  func notReached() async throws {
    try await withCopyBench { bench in
      let finder = Finder(bench.destination)
      finder.findsNothing = true
      bench.commands.reach = finder
      #expect(await bench.copy(Self.list(bench)).short == "A/0D/02")
      #expect(finder.closes == 1 && bench.source.reads == 0)
    }
  }

  @Test("M103 A copy that is ended while it searches ends with TASK ABORTED, and gives all back")
  func cancelled() async throws {
    try await withCopyBench { bench in
      let finder = Finder(bench.destination)
      finder.during = { bench.commands.operations.first?.cancel() }
      bench.commands.reach = finder
      #expect(await bench.copy(Self.list(bench)) == CopyAnswer(.taskAborted))
      #expect(finder.closes == 1)
      #expect(bench.destination.writes == 0)
    }
  }

  @Test("M101 Reasons are told to the nexus whose copy it was, and to no other, and are bounded")
  func reports() async throws {
    try await withCopyBench { bench in
      bench.commands.reach = Finder(bench.destination)
      for _ in 0..<CopyCommands.reportsPerNexus + 3 { _ = await bench.copy(Self.list(bench)) }
      #expect(bench.commands.reports(for: bench.nexus).count == CopyCommands.reportsPerNexus)
      #expect(bench.commands.reports(for: bench.nexus).last == "list 1: looked for [1]")
      #expect(bench.commands.reports(for: CopyBench.nexus(2)).isEmpty)
      bench.commands.forget(bench.nexus)
      #expect(bench.commands.reports(for: bench.nexus).isEmpty)
    }
  }

  @Test(
    "M130 A target port with an initiator port behind it takes 1,024 targets and 10,000 segments")
  func limits() async throws {
    try await withCopyBench { bench in
      bench.commands.reach = Finder(bench.destination)
      var list = Self.list(bench)
      list.targets += Array(repeating: bench.source.cscd, count: 1022)
      list.segments = (0..<10_000).map { _ in CopyList.blocks(1, from: 0, to: 0) }
      #expect(await bench.copy(list) == CopyAnswer(.good))
      let offer = bench.commands.offer(to: bench.nexus)
      #expect(offer.targets >= 1024 && offer.segments >= 10_000)
    }
  }
}
