import Testing

@testable import Region

@Suite("The protocol, in every order")
struct ModelCheckTests {
  @Test("M65, M81: one holder, one start, nothing lost, nobody waits for ever")
  func everyInterleaving() throws {
    let checker = try Checker()
    try checker.explore()
    #expect(checker.outcomes.isSuperset(of: [.completed, .noProcessor]))
    #expect(checker.longest < 64, "what is served takes a bounded number of steps")
  }

  @Test("M67: a processor that cannot start for now gives the job back")
  func decline() throws {
    let checker = try Checker()
    try checker.explore(declines: 2, twoJobs: false)
    #expect(checker.outcomes.isSuperset(of: [.completed, .noProcessor]))
  }

  @Test("M77: aborted in any phase, the bitmap and all room are given back")
  func abort() throws {
    let checker = try Checker()
    try checker.explore(aborts: 1, twoJobs: false)
    #expect(checker.outcomes.isSuperset(of: [.completed, .noProcessor, .aborted]))
  }

  @Test("M83, M121: any processor dies between any two steps")
  func death() throws {
    let checker = try Checker()
    try checker.explore(crashes: 3, twoJobs: false)
    #expect(
      checker.outcomes.isSuperset(of: [.completed, .noProcessor, .aborted, .lostProcessor]))
  }

  @Test("M83: any processor dies while two jobs want one drive")
  func deathOfOneOfTwo() throws {
    let checker = try Checker()
    try checker.explore(crashes: 1, misses: false)
    #expect(checker.outcomes.isSuperset(of: [.completed, .lostProcessor]))
  }

  @Test("M83: the holder of the mutex dies after any of its stores")
  func deathInside() throws {
    let checker = try Checker(insideSections: true)
    try checker.explore(crashes: 1, twoJobs: false)
    #expect(checker.outcomes.isSuperset(of: [.completed, .lostProcessor]))
  }

  @Test("a silent processor that wakes finds itself given up, and its drive was kept for it")
  func silence() throws {
    let checker = try Checker()
    try checker.explore(silences: 2, twoJobs: false)
    #expect(checker.outcomes.isSuperset(of: [.completed, .lostProcessor]))
  }

  @Test("a protocol that is wrong on purpose is found out", arguments: Checker.Canary.allCases)
  func canary(_ canary: Checker.Canary) throws {
    let checker = try Checker(canary: canary, insideSections: canary == .noRepair)
    #expect(throws: Checker.Violation.self) {
      try checker.explore(
        crashes: canary == .noRepair ? 1 : 0, silences: canary == .fencedDriveIsFree ? 1 : 0)
    }
  }
}
