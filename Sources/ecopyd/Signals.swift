import Glibc
import Synchronization

/// SIGINT and SIGTERM, received by the first thread only: no other thread is interrupted.
enum Signals {
  private struct State {
    var stop: CheckedContinuation<Void, Never>?
    var count = 0
  }

  private static let state = Mutex(State())

  /// Called before any other thread exists, so that all inherit the mask.
  static func block() {
    signal(SIGPIPE, SIG_IGN)
    var set = watched
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Returns when the program is asked to end.
  static func stopRequest() async {
    await withCheckedContinuation { continuation in
      let isAsked = state.withLock { state in
        if state.count == 0 { state.stop = continuation }
        return state.count > 0
      }
      if isAsked { continuation.resume() }
    }
  }

  private static var watched: sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGINT, SIGTERM] { unsafe sigaddset(&set, number) }
    return set
  }

  /// Waits for signals, without end. The first asks, the second ends the program at once.
  static func serve() -> Never {
    var set = watched
    while true {
      var number: Int32 = 0
      guard unsafe sigwait(&set, &number) == 0 else { continue }
      let (stop, count) = state.withLock { state in
        state.count += 1
        defer { state.stop = nil }
        return (state.stop, state.count)
      }
      if count > 1 { _exit(128 + number) }
      stop?.resume()
    }
  }
}
