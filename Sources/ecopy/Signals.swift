import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGUSR1, received by the first thread only: no other thread is interrupted,
/// least of all between a write to a tape and its completion.
enum Signals {
  private static let handler = Mutex<(@Sendable (Int32) -> Void)?>(nil)

  /// Called before any other thread exists, so that all inherit the mask.
  static func block() {
    signal(SIGPIPE, SIG_IGN)
    var set = watched
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `body` for each signal from now on; without it SIGINT and SIGTERM end the program.
  static func handle(_ body: (@Sendable (Int32) -> Void)?) {
    handler.withLock { $0 = body }
  }

  private static var watched: sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGUSR1] { unsafe sigaddset(&set, number) }
    return set
  }

  /// Waits for signals, without end.
  static func serve() -> Never {
    var set = watched
    while true {
      var number: Int32 = 0
      guard unsafe sigwait(&set, &number) == 0 else { continue }
      if let body = handler.withLock({ $0 }) {
        body(number)
      } else if number != SIGUSR1 {
        _exit(128 + number)
      }
    }
  }
}
