import Glibc
import Synchronization
import Testing

@testable import Uring

@Suite("A processor")
struct ProcessorTests {
  static func withProcessor<Success: Sendable>(
    arenaBytes: Int = 4 << 20, _ body: @escaping @Sendable (Ring) async -> Success
  ) async throws -> Success {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = arenaBytes
    let processor = try Processor(configuration)
    let result = await processor.run(body)
    processor.stop()
    return result
  }

  @Test("writes from pinned memory and reads the same bytes back")
  func roundTrip() async throws {
    let path = "/tmp/ecopy-uring-\(getpid())"
    let same = try await Self.withProcessor { ring in
      let file = await ring.blocking { $0.open(path, flags: O_RDWR | O_CREAT, mode: 0o600) }
      let known = ring.know(file)
      let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      guard var source = ring.arena.allocate(content.count) else { return false }
      source.overwrite(with: content)
      var parked: Payload? = consume source
      let written = await ring.perform {
        if let payload = parked.take() {
          ring.write(known, at: 512, from: payload, for: $0, tag: 0)
        }
      }
      guard written == 10_000 else { return false }
      var target = ring.arena.allocate(content.count)
      let completion = await ring.performWithPayload {
        if let payload = target.take() { ring.read(known, at: 512, into: payload, for: $0, tag: 0) }
      }
      let result = completion.result
      let bytes = completion.payload.bytes()
      ring.forget(known)
      await ring.blocking { files in
        files.close(file)
        _ = files.remove(path)
      }
      return result == 10_000 && bytes == content
    }
    #expect(same)
  }

  @Test("comes back from another thread, from a timer and from many tasks at once")
  func executor() async throws {
    let processor = try Processor()
    let sum = await withTaskGroup(of: Int.self) { group in
      for number in 0..<100 {
        group.addTask {
          await processor.run { ring in
            await ring.sleep(nanoseconds: UInt64(number) * 1000)
            return await ring.blocking { _ in number }
          }
        }
      }
      return await group.reduce(0, +)
    }
    processor.stop()
    #expect(sum == 4950)
  }
}

extension ProcessorTests {
  @Test("keeps a body on its thread across every await")
  func thread() async throws {
    let same = try await Self.withProcessor { ring in
      let thread = pthread_self()
      var same = true
      for _ in 0..<50 {
        await ring.sleep(nanoseconds: 1000)
        same = same && pthread_self() == thread
        let other = await ring.blocking { _ in pthread_self() }
        same = same && pthread_self() == thread && other != thread
        await Task.yield()
        same = same && pthread_self() == thread
      }
      return same
    }
    #expect(same)
  }

  @Test("stops only after bodies have returned, also those away on a helper thread")
  func stopWaits() async throws {
    let processor = try Processor()
    let ended = Ended()
    let task = Task {
      await processor.run { ring in
        ended.start()
        await ring.blocking { _ in _ = usleep(100_000) }
        await ring.sleep(nanoseconds: 10_000_000)
        await ring.blocking { _ in _ = usleep(10_000) }
        ended.end()
      }
    }
    while !ended.hasStarted { usleep(1000) }
    processor.stop()
    #expect(ended.hasEnded)
    await task.value
  }

  @Test("wakes itself for nothing: one enter for each awaited operation")
  func enters() async throws {
    let enters = try await Self.withProcessor { ring in
      let before = ring.counters.enters
      for _ in 0..<200 { await ring.sleep(nanoseconds: 300_000) }
      return ring.counters.enters - before
    }
    #expect(enters <= 210)
  }

  @Test("loses no call from other threads")
  func calls() async throws {
    let processor = try Processor()
    let sum = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var sum = 0
          for number in 0..<300 { sum += await processor.run { _ in number } }
          return sum
        }
      }
      return await group.reduce(0, +)
    }
    processor.stop()
    #expect(sum == 8 * 300 * 299 / 2)
  }
}

/// Seen from two threads.
private final class Ended: Sendable {
  private let state = Mutex((started: false, ended: false))
  func start() { state.withLock { $0.started = true } }
  func end() { state.withLock { $0.ended = true } }
  var hasStarted: Bool { state.withLock { $0.started } }
  var hasEnded: Bool { state.withLock { $0.ended } }
}
