/// `async` code of one thread that waits for something to change.
@safe
final class Waiters {
  private var continuations = unsafe [UnsafeContinuation<Void, Never>]()

  /// Returns after the next `wake`; the caller looks then whether it has what it waits for.
  func wait() async {
    unsafe await withUnsafeContinuation { unsafe continuations.append($0) }
  }

  /// Lets everyone go on.
  func wake() {
    let ready = unsafe continuations
    unsafe continuations.removeAll()
    unsafe ready.forEach { unsafe $0.resume() }
  }
}
