import CRegion
import Testing

@testable import Region

/// Explores every interleaving of three processors and two jobs that want the same drive, on the code
/// that ships: a move is one section under the mutex. A processor may die between two sections, or
/// after any store inside one.
@safe
final class Checker {
  /// A protocol that is wrong on purpose: the checker has to find it.
  enum Canary: Sendable, CaseIterable {
    case claimWithoutCheck, lostWake, noRepair, fencedDriveIsFree
  }

  struct Violation: Error { let text: String }

  let geometry: RegionGeometry
  let canary: Canary?
  private let base: UnsafeMutableRawPointer
  private(set) var stateCount = 0
  private(set) var longest = 0
  private(set) var outcomes: Set<JobOutcome> = []
  private var seen: Set<Int> = []
  private var path: Set<Int> = []
  private var trail: [String] = []
  private let tracksFuses: Bool
  /// Whether a search may find nothing.
  private(set) var misses = true

  init(canary: Canary? = nil, insideSections: Bool = false) throws {
    self.canary = canary
    tracksFuses = insideSections
    geometry = try #require(
      RegionGeometry(
        processorCount: 3, jobCount: 2, noteCount: 4, deviceCount: 2, chunkCount: 2,
        chunkBytes: 64))
    unsafe base = .allocate(byteCount: geometry.totalBytes, alignment: 64)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: geometry.totalBytes)
  }

  deinit { unsafe base.deallocate() }

  func memory(_ fuse: StoreFuse?) -> RegionMemory {
    unsafe RegionMemory(base: base, byteCount: geometry.totalBytes, fuse: fuse)
  }

  func section(_ fuse: StoreFuse? = nil) -> Arbitration {
    Arbitration(memory: memory(fuse), geometry: geometry, now: 1)
  }

  func load(_ model: Model) { memory(nil).store(0, model.bytes[...]) }

  func save(_ model: inout Model) { model.bytes = memory(nil).bytes(0, geometry.totalBytes) }

  // MARK: Exploring

  func explore(
    crashes: Int = 0, silences: Int = 0, aborts: Int = 0, declines: Int = 0, twoJobs: Bool = true,
    misses: Bool = true
  ) throws {
    self.misses = misses
    var start = section()
    start.format()
    for index in 0..<3 {
      _ = try start.join(at: index, controller: 1, pid: 1) { _ in true }
    }
    var model = Model(
      bytes: [UInt8](repeating: 0, count: geometry.totalBytes),
      processors: .init(repeating: .init(), count: 3), jobs: .init(repeating: .init(), count: 2),
      crashes: crashes, silences: silences, aborts: aborts, declines: declines)
    model.processors[0].target = .start
    if twoJobs { model.processors[1].target = .start }
    save(&model)
    try visit(model)
  }

  private func visit(_ model: Model) throws {
    let key = key(of: model)
    guard !path.contains(key) else { throw fail("a circle: somebody may wait for ever") }
    guard seen.insert(key).inserted else { return }
    stateCount += 1
    path.insert(key)
    longest = max(longest, path.count)
    defer { path.remove(key) }
    var isStuck = true
    for index in 0..<3 where model.processors[index].isAlive {
      for (move, isFate) in moves(of: index, in: model) {
        if !isFate { isStuck = false }
        trail.append("\(index):\(move)")
        var next = model
        let stores = try perform(move, by: index, on: &next, fuse: nil)
        try check(next)
        try visit(next)
        trail.removeLast()
        if tracksFuses, model.crashes > 0 { try die(inside: move, index, model, stores) }
      }
      if model.crashes > 0 {
        trail.append("\(index):dies")
        var next = model
        next.crashes -= 1
        next.processors[index].isAlive = false
        try visit(next)
        trail.removeLast()
      }
    }
    if isStuck { try checkEnd(model) }
  }

  private func die(inside move: Move, _ index: Int, _ model: Model, _ stores: Int) throws {
    for kept in 0...stores {
      trail.append("\(index):\(move) dies after \(kept) stores")
      var next = model
      next.crashes -= 1
      try perform(move, by: index, on: &next, fuse: StoreFuse(left: kept))
      next.processors = model.processors
      for number in 0..<2 {
        // What it did outside is done; what it would have done after the section is not.
        next.jobs[number].starts = model.jobs[number].starts
        next.jobs[number].goods = model.jobs[number].goods
      }
      next.processors[index].isAlive = false
      next.lockIsDamaged = true
      try visit(next)
      trail.removeLast()
    }
  }

  func fail(_ text: String) -> Violation {
    Violation(text: text + "\n" + trail.joined(separator: "\n"))
  }

  /// Without what has no influence on any decision.
  private func key(of model: Model) -> Int {
    var masked = model
    load(model)
    let tables = section()
    tables.header[.repairCount] = 0
    for index in 0..<3 {
      let entry = tables.processor(index)
      entry[.wake] = 0
      entry[.polls] = 0
      entry[.attempts] = 0
    }
    for slot in 0..<2 where tables.phase(tables.job(slot)) != .free {
      // Notes are for people.
      tables.job(slot)[.noteUsed] = 0
      for number in 0..<4 {
        let note = tables.noteRecord(tables.job(slot), number)
        note[.processor] = 0
        note[.reason] = 0
        note[.port] = 0
      }
    }
    save(&masked)
    for index in 0..<3 {
      if masked.processors[index].kernel != .look { masked.processors[index].isKernelWoken = true }
      if masked.processors[index].target != .waiting {
        masked.processors[index].isTargetWoken = false
      }
    }
    var hasher = Hasher()
    unsafe masked.bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    masked.bytes = []
    hasher.combine(masked)
    return hasher.finalize()
  }

  // MARK: What must hold

  private func check(_ model: Model) throws {
    for (number, job) in model.jobs.enumerated() {
      if job.starts > 1 { throw fail("job \(number) was started twice") }
      if job.goods > 1 { throw fail("job \(number) is GOOD twice") }
      if job.goods > 0, !job.isDone { throw fail("job \(number) is falsely GOOD") }
    }
    if model.processors.count(where: \.drives) > 1 { throw fail("two use one drive") }
    load(model)
    let tables = section()
    for number in 0..<2 {
      let holders = (0..<3).count { index in
        let one = model.processors[index]
        return one.isAlive && one.work == number && one.kernel != .look && one.kernel != .found
          && tables.state(ofProcessor: index) == .alive
      }
      if holders > 1 { throw fail("two have exclusive control of job \(number)") }
    }
  }

  private func checkEnd(_ model: Model) throws {
    load(model)
    var tables = section()
    if model.lockIsDamaged { tables.repair() }
    tables.reap { !model.processors[$0].isAlive }
    for (index, one) in model.processors.enumerated() where one.isAlive && !one.leaves {
      guard one.target == .none || one.target == .done else {
        throw fail("the target job of \(index) waits for ever")
      }
    }
    let kept = tables.keptResults()
    for state in tables.jobs() {
      outcomes.insert(state.outcome)
      if state.candidates | state.unavailable | state.declined != 0 {
        throw fail("a bitmap is left")
      }
    }
    let use = tables.use()
    if use.jobs != kept.count { throw fail("a slot is left: \(tables.jobs())") }
    if use.devices != 0 { throw fail("a device is left held") }
    while tables.evictResult(where: { _ in true }) {}
    if tables.use().chunks != 0 { throw fail("a chunk is left") }
  }

  func saw(_ outcome: JobOutcome) { outcomes.insert(outcome) }
}
