import CUring
import Glibc

/// Helper threads for calls that may block: opening files, ioctls of tapes, searches for holes.
///
/// No such call is made on the thread of a ring. Two threads a ring are enough: a rewind takes
/// minutes, and something else may have to go on meanwhile.
@safe
final class BlockingPool: Sendable {
  private struct State {
    var waiting: [@Sendable () -> Void] = []
    var ends = false
  }

  private let state = Lock(State())
  nonisolated(unsafe) private let available: UnsafeMutablePointer<sem_t>
  private let threads: Lock<[pthread_t]>
  static let threadCount = 2

  init() {
    unsafe available = .allocate(capacity: 1)
    unsafe sem_init(available, 0, 0)
    threads = Lock([])
  }

  deinit {
    state.withLock { $0.ends = true }
    for _ in 0..<Self.threadCount { unsafe sem_post(available) }
    for thread in threads.withLock({ $0 }) { pthread_join(thread, nil) }
    unsafe sem_destroy(available)
    unsafe available.deallocate()
  }

  /// Runs `body` on a helper thread and comes back to the caller's executor with its result.
  func run<Success: Sendable>(_ body: @escaping @Sendable () -> Success) async -> Success {
    start()
    return unsafe await withUnsafeContinuation {
      (continuation: UnsafeContinuation<Success, Never>) in
      state.withLock { state in
        state.waiting.append { unsafe continuation.resume(returning: body()) }
      }
      unsafe sem_post(available)
    }
  }

  private func start() {
    threads.withLock { threads in
      guard threads.isEmpty else { return }
      for _ in 0..<Self.threadCount {
        let pool = unsafe Unmanaged.passUnretained(self).toOpaque()
        var thread = pthread_t()
        let result = unsafe pthread_create(
          &thread, nil,
          { argument in
            guard let argument = unsafe argument else { return nil }
            unsafe Unmanaged<BlockingPool>.fromOpaque(argument)._withUnsafeGuaranteedRef {
              $0.serve()
            }
            return nil
          }, pool)
        if result == 0 { threads.append(thread) }
      }
      precondition(!threads.isEmpty, "the system gives at least one helper thread")
    }
  }

  private func serve() {
    unsafe cu_name_thread("ecopy-helper")
    while true {
      while unsafe sem_wait(available) != 0 {}
      let next: (@Sendable () -> Void)? = state.withLock { state in
        state.waiting.isEmpty ? nil : state.waiting.removeFirst()
      }
      if let next {
        next()
      } else if state.withLock({ $0.ends }) {
        return
      }
    }
  }
}
