import CTestSupport
import CUring
import Glibc
import Testing

@testable import Uring

@Suite("A ring")
struct RingTests {
  @Test("takes as many operations at once as it says, and each completes once")
  func capacity() async throws {
    var plan = SimulationPlan(seed: 4)
    plan.refusedEnters = 0.5
    let (tags, _) = try await simulate(SimulatedFileSystem(), plan) { ring in
      let file = ring.openNow("/a", O_RDWR | O_CREAT)
      let collector = Collector()
      // The wake-up of the processor has one place.
      let count = ring.room
      for tag in 0..<count {
        ring.write(
          file, at: UInt64(tag), from: ring.arena.zeros(1), for: collector, tag: UInt64(tag))
      }
      let full = ring.room
      await collector.wait(for: count)
      return (count, full, collector.results.map(\.tag).sorted(), ring.room)
    }
    #expect(tags.0 == Ring.usualCapacity - 1 && tags.1 == 0 && tags.3 == tags.0)
    #expect(tags.2 == Array(0..<UInt64(Ring.usualCapacity - 1)))
  }

  @Test("does not mind the name of an operation that has completed, or cancelling twice")
  func staleCancel() async throws {
    let (results, kernel) = try await simulate(SimulatedFileSystem(), SimulationPlan()) { ring in
      let collector = Collector()
      let first = ring.timeout(nanoseconds: 10, for: collector, tag: 0)
      await collector.wait(for: 1)
      let second = ring.timeout(nanoseconds: .max, for: collector, tag: 1)
      #expect(first != second)
      ring.cancel(first)
      for _ in 0..<5_000 { ring.cancel(second) }
      await collector.wait(for: 2)
      ring.cancel(second)
      return collector.results.map(\.result)
    }
    #expect(results == [-ETIME, -ECANCELED])
    #expect(kernel.history.count == 2)
  }

  @Test("waits for ever where told so, and a cancel ends that", arguments: [true, false])
  func longTimeout(simulated: Bool) async throws {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 2 << 20
    if simulated {
      configuration.kernel = {
        SimulatedKernel(files: SimulatedFileSystem(), plan: SimulationPlan())
      }
    }
    let processor = try Processor(configuration)
    let results = await processor.run { ring in
      let collector = Collector()
      let longest = ring.timeout(nanoseconds: .max, for: collector, tag: 0)
      ring.timeout(nanoseconds: 2_000_000, for: collector, tag: 1)
      await collector.wait(for: 1)
      ring.cancel(longest)
      await collector.wait(for: 2)
      return collector.results.map { [Int32($0.tag), $0.result] }
    }
    processor.stop()
    #expect(results == [[1, -ETIME], [0, -ECANCELED]])
  }

  @Test("reads short at the end of a file, and nothing behind it")
  func shortReads() async throws {
    let path = "/tmp/ecopy-ring-\(getpid())-short"
    let results = try await ProcessorTests.withProcessor { ring in
      let file = ring.know(
        ring.kernel.files.open(path, flags: O_RDWR | O_CREAT | O_TRUNC, mode: 0o600))
      var results = [await ring.put(file, pattern(1000), at: 0)]
      results.append(await ring.get(file, 4096, at: 0).0)
      results.append(await ring.get(file, 4096, at: 999).0)
      results.append(await ring.get(file, 4096, at: 1000).0)
      results.append(await ring.get(ring.know(-1), 1, at: 0).0)
      ring.kernel.files.close(file.descriptor)
      _ = ring.kernel.files.remove(path)
      return results
    }
    #expect(results == [1000, 1000, 1, 0, -EBADF])
  }

  @Test("writes a payload of many ranges with one operation", arguments: [true, false])
  func gather(isRegistered: Bool) async throws {
    let files = SimulatedFileSystem()
    var plan = SimulationPlan()
    plan.registrableArenaBytes = isRegistered ? .max : 0
    let (counters, kernel) = try await simulate(files, plan) { ring in
      let file = ring.openNow("/a", O_RDWR | O_CREAT)
      guard var payload = ring.arena.allocate(3000) else { return RingCounters() }
      payload.overwrite(with: pattern(3000))
      payload.append(ring.arena.zeros(100))
      payload.append(payload.sharing(500))
      var parked: Payload? = consume payload
      let result = await ring.perform {
        if let taken = parked.take() { ring.write(file, at: 0, from: taken, for: $0, tag: 0) }
      }
      #expect(result == 3600)
      _ = await ring.get(file, 100, at: 0)
      return ring.counters
    }
    let expected = pattern(3000) + [UInt8](repeating: 0, count: 100) + pattern(500)
    #expect(files.content(of: "/a") == expected)
    #expect(kernel.history.map(\.operation) == ["WRITEV", isRegistered ? "READ_FIXED" : "READ"])
    #expect(counters.fixedTransfers == (isRegistered ? 1 : 0))
    #expect(counters.fixedTransfers + counters.plainTransfers == 2)
  }

  @Test("goes on without registered files when their table is full or not there")
  func fullTable() async throws {
    for capacity: UInt32 in [0, 3, 64] {
      var plan = SimulationPlan()
      plan.registeredFiles = capacity
      let (known, _) = try await simulate(SimulatedFileSystem(), plan) { ring in
        let files = (0..<70).map { ring.openNow("/\($0)", O_RDWR | O_CREAT) }
        for file in files { #expect(await ring.put(file, [1], at: 0) == 1) }
        ring.forget(files[0])
        let again = ring.openNow("/0", O_RDWR)
        #expect(await ring.get(again, 1, at: 0).1 == [1])
        return (files.filter { $0.index != nil }.count, again.index == files[0].index)
      }
      #expect(known == (Int(capacity), true))
    }
  }

  @Test("submits what a refused enter left behind, in order")
  func refusedEnters() async throws {
    var plan = SimulationPlan(seed: 11)
    plan.refusedEnters = 0.9
    plan.reordering = 0
    let (offsets, _) = try await simulate(SimulatedFileSystem(), plan) { ring in
      let file = ring.openNow("/a", O_RDWR | O_CREAT)
      let collector = Collector()
      for tag in 0..<100 {
        ring.write(
          file, at: UInt64(tag), from: ring.arena.zeros(1), for: collector, tag: UInt64(tag))
      }
      await collector.wait(for: 100)
      return collector.results.map(\.tag)
    }
    #expect(offsets == (0..<100).map { UInt64($0) })
  }

  /// Keeps reads and writes in flight without any of the conveniences of tests.
  @safe
  final class Mill: CompletionHandler {
    let ring: Ring
    let file: RingFile
    var left: Int
    var inFlight = 0
    var failures = 0
    var began: Int64 = 0
    var ended: Int64 = 0
    var continuation: UnsafeContinuation<Void, Never>?

    init(_ ring: Ring, _ file: RingFile, count: Int) {
      self.ring = ring
      self.file = file
      left = count
    }

    func submit() {
      guard let payload = ring.arena.allocate(8192) else {
        failures += 1
        return
      }
      left -= 1
      inFlight += 1
      let offset = UInt64(left % 16) * 8192
      if left % 2 == 0 {
        ring.read(file, at: offset, into: payload, for: self, tag: 0)
      } else {
        ring.write(file, at: offset, from: payload, for: self, tag: 0)
      }
    }

    override func complete(_ completion: consuming Completion) {
      if completion.result != 8192 { failures += 1 }
      var payload = completion.takePayload()
      _ = payload.removeFirst(1000)
      inFlight -= 1
      // What is allocated once has been by now.
      if left == 10_000 { began = ct_allocation_count() }
      if left > 0 { submit() }
      if inFlight == 0 {
        ended = ct_allocation_count()
        unsafe continuation.take()?.resume()
      }
    }
  }

  @Test("allocates nothing over 10,000 reads and writes")
  func allocations() async throws {
    let path = "/tmp/ecopy-ring-\(getpid())-mill"
    let (failures, allocations) = try await ProcessorTests.withProcessor { ring in
      let file = ring.know(
        ring.kernel.files.open(path, flags: O_RDWR | O_CREAT | O_TRUNC, mode: 0o600))
      _ = ring.kernel.files.write(file.descriptor, pattern(16 * 8192), at: 0)
      let mill = Mill(ring, file, count: 12_000)
      unsafe await withUnsafeContinuation { continuation in
        unsafe mill.continuation = unsafe continuation
        for _ in 0..<8 { mill.submit() }
      }
      ring.kernel.files.close(file.descriptor)
      _ = ring.kernel.files.remove(path)
      #expect(mill.began != 0)
      return (mill.failures, mill.ended - mill.began)
    }
    #expect(failures == 0)
    #expect(allocations == 0)
  }
}
