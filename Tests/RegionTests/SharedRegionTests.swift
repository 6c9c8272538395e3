import CRegion
import Glibc
import Synchronization
import Testing

@testable import Region

/// The same steps with real memory, mutexes and threads.
@Suite("A region that threads share") struct SharedRegionTests {
  private static func geometry() throws -> RegionGeometry {
    try #require(
      RegionGeometry(
        processorCount: 8, jobCount: 32, noteCount: 8, deviceCount: 8, chunkCount: 64,
        chunkBytes: 4096))
  }

  /// What one processor does with its jobs until `isOver`.
  private static func serve(
    _ region: SharedRegion, _ starts: borrowing Atomic<Int>, until isOver: borrowing Atomic<Bool>
  ) throws {
    let member = try region.join(controller: 1)
    let word = region.wakeWord(of: member)
    while !isOver.load(ordering: .acquiring) {
      let seen = word.value
      guard let job = try region.seize(by: member) else {
        FutexWait().block(for: word, toDifferFrom: seen, atMostNanoseconds: 50_000_000)
        continue
      }
      try region.step { section throws(RegionError) in try section.start(job, by: member) }
      let list = try region.list(of: job, by: member)
      try region.step { section throws(RegionError) in
        try section.beginTransfer(job, by: member)
        var report = CopyReport(status: 0)
        report.progress.bytes = UInt64(list.count)
        try section.finish(job, report, by: member)
      }
      starts.add(1, ordering: .relaxed)
    }
    try region.leave(member)
  }

  /// Posts a list for `candidates` and waits for its result.
  private static func ask(
    _ region: SharedRegion, _ member: ProcessorID, _ list: [UInt8], candidates: UInt64
  ) throws -> JobResult {
    let word = region.wakeWord(of: member)
    let job = try region.store(list: list, by: member)
    try region.step { section throws(RegionError) in
      try section.post(job, candidates: candidates, by: member)
    }
    while true {
      let seen = word.value
      let result = try region.step { section throws(RegionError) in
        try section.takeResult(of: job, by: member)
      }
      if let result {
        try region.step { section throws(RegionError) in try section.close(job, by: member) }
        return result
      }
      FutexWait().block(for: word, toDifferFrom: seen, atMostNanoseconds: 50_000_000)
    }
  }

  @Test("M80, M81: four threads, 1,000 jobs each way, every job started once and answered once")
  func threads() throws {
    let region = try SharedRegion.anonymous(try Self.geometry())
    let shared = Shared()
    // Entries 0 and 1 are taken by those who serve before anybody asks.
    var servers: [TestThread] = []
    for count in 1...2 {
      servers.append(
        TestThread { shared.note { try Self.serve(region, shared.starts, until: shared.isOver) } })
      while try region.step({ $0.processors().count }) < count { usleep(1000) }
    }
    let askers = (0..<2).map { number in
      TestThread {
        shared.note {
          let member = try region.join(controller: 1)
          for count in 0..<1000 {
            let list = [UInt8](repeating: UInt8(number), count: count % 9000)
            let result = try Self.ask(region, member, list, candidates: 0b11)
            if result.isGood, result.report.progress.bytes == UInt64(list.count) {
              shared.answers.add(1, ordering: .relaxed)
            }
          }
          try region.leave(member)
        }
      }
    }
    for thread in askers { thread.join() }
    shared.isOver.store(true, ordering: .releasing)
    for thread in servers { thread.join() }
    #expect(shared.failure == nil)
    #expect(shared.answers.load(ordering: .relaxed) == 2000)
    #expect(shared.starts.load(ordering: .relaxed) == 2000)
    let use = try region.step { $0.use() }
    #expect(use.jobs == 0 && use.chunks == 0 && use.devices == 0 && use.repairs == 0)
  }

  @Test("M76: 100,000 jobs leave the region as empty as it was")
  func manyJobs() throws {
    let region = try SharedRegion.anonymous(try Self.geometry())
    let member = try region.join(controller: 1)
    let list = [UInt8](repeating: 7, count: 100)
    for _ in 0..<100_000 {
      let job = try region.store(list: list, by: member)
      let status = try region.step { section throws(RegionError) -> UInt8? in
        try section.post(job, candidates: 1 << UInt64(member.index), by: member)
        guard let found = try section.look(member), found == job else { return nil }
        try section.claim(job, by: member)
        try section.start(job, by: member)
        try section.beginTransfer(job, by: member)
        try section.finish(job, CopyReport(status: 2), by: member)
        let result = try section.takeResult(of: job, by: member)
        try section.close(job, by: member)
        return result?.report.status
      }
      guard status == 2 else {
        Issue.record("a job got lost")
        return
      }
    }
    let use = try region.step { $0.use() }
    #expect(use.jobs == 0 && use.chunks == 0 && use.devices == 0)
    try region.leave(member)
  }

  @Test("M61: a list of 16 MiB is fetched as it was stored; one more than fits is BUSY")
  func longLists() throws {
    let region = try SharedRegion.anonymous()
    let member = try region.join(controller: 1)
    let list = (0..<(16 << 20) + 77).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    var jobs: [JobID] = []
    var refusal: RegionError?
    do throws(RegionError) {
      for _ in 0..<10 { jobs.append(try region.store(list: list, by: member)) }
    } catch {
      refusal = error
    }
    #expect(jobs.count == 3)
    #expect(refusal == .full(.chunks))
    let job = try #require(jobs.last)
    try region.step { section throws(RegionError) in
      try section.post(job, candidates: 1 << UInt64(member.index), by: member)
    }
    #expect(try region.seize(by: member) == job)
    try region.step { section throws(RegionError) in try section.start(job, by: member) }
    #expect(try region.list(of: job, by: member) == list)
    try region.leave(member)
  }

  @Test("M83: a thread that ends inside a section leaves the mutex and its job to the others")
  func deathOfTheHolder() throws {
    let region = try SharedRegion.anonymous(try Self.geometry())
    let shared = Shared()
    let survivor = try region.join(controller: 2)
    let dead = TestThread {
      shared.note {
        let member = try region.join(controller: 1)
        let job = try region.store(list: [1, 2, 3], by: member)
        try region.step { section throws(RegionError) in
          let all = 1 << UInt64(member.index) | 1 << UInt64(survivor.index)
          try section.post(job, candidates: UInt64(all), by: member)
        }
        _ = try region.seize(by: member)
        // It never comes back from this section.
        let mutex = unsafe region.memory.pointer(CR_HEADER_MUTEX, CR_MUTEX_BYTES)
        _ = unsafe cr_mutex_lock(mutex, SharedRegion.lockTimeoutNanoseconds)
      }
    }
    dead.join()
    #expect(shared.failure == nil)
    let processors = try region.step { $0.processors() }
    #expect(processors.map(\.processor) == [survivor])
    let use = try region.step { $0.use() }
    #expect(use.repairs == 1)
    // Its receiver is gone, so nobody waits for the copy: it has ended, and its result is kept.
    let job = try #require(try region.step { $0.jobs() }.first)
    #expect(job.phase == .finished && job.outcome == .aborted)
    #expect(job.holder == nil && job.candidates == 0)
    try region.leave(survivor)
  }

  @Test("M15: two mappings of one file are one region; a file that is none is refused")
  func files() throws {
    let path = "/dev/shm/ecopy-region-test.\(getpid())"
    defer { SharedRegion.remove(at: path) }
    let one = try SharedRegion.create(at: path, try Self.geometry())
    #expect(throws: RegionError.system(call: "link", errno: EEXIST)) {
      _ = try SharedRegion.create(at: path, try Self.geometry())
    }
    let other = try SharedRegion.open(at: path)
    let member = try one.join(controller: 1)
    _ = try one.store(list: [9], by: member)
    #expect(try other.step { $0.jobs() } == one.step { $0.jobs() })
    #expect(try other.step { $0.jobs() }.count == 1)
    try one.leave(member)
    unsafe chmod(path, 0o644)
    #expect(throws: RegionError.self) { _ = try SharedRegion.open(at: path) }
    unsafe chmod(path, 0o600)
    unsafe truncate(path, off_t(one.geometry.totalBytes - 4096))
    #expect(throws: RegionError.self) { _ = try SharedRegion.open(at: path) }
  }

  @Test("M63: the bitmap has the processors of the permitted initiator ports, and no others")
  func candidates() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let ports = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        CandidateRule.InitiatorPort(
          processor: Int.random(in: 0..<64, using: &random),
          groups: Set((0..<3).filter { _ in Bool.random(using: &random) }))
      }
      let groups = Set((0..<3).filter { _ in Bool.random(using: &random) })
      let isManual = Bool.random(using: &random)
      var expected: Set<Int> = []
      for port in ports {
        if !isManual || groups.contains(where: port.groups.contains) {
          expected.insert(port.processor)
        }
      }
      let rule = CandidateRule(mode: isManual ? .manual : .automatic, initiatorPorts: ports)
      let bits = (try? rule.candidates(forTargetPortIn: groups)) ?? 0
      #expect(Set((0..<64).filter { bits >> UInt64($0) & 1 == 1 }) == expected)
    }
  }
}

/// What the threads of a test count.
private final class Shared: Sendable {
  let starts = Atomic(0)
  let answers = Atomic(0)
  let isOver = Atomic(false)
  private let first = Mutex<String?>(nil)

  var failure: String? { first.withLock { $0 } }

  /// Keeps the first error.
  func note(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      first.withLock { $0 = $0 ?? "\(error)" }
      isOver.store(true, ordering: .releasing)
    }
  }
}

/// A thread of its own: a processor's life is that of its thread.
@safe
private final class TestThread {
  private var thread = pthread_t()

  init(_ body: @escaping @Sendable () -> Void) {
    let box = unsafe Unmanaged.passRetained(Box(body))
    let result = unsafe pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer = unsafe pointer else { return nil }
        unsafe Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    precondition(result == 0, "a thread can be made")
  }

  func join() { pthread_join(thread, nil) }

  private final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
