/// Lets `async` code of one thread wait for something that happens once.
@safe
final class InitiatorSignal {
  private var waiting: [UnsafeContinuation<Void, Never>]

  private(set) var hasFired = false

  init() { unsafe waiting = [] }

  /// Returns when `fire` was called, at once where it was before.
  func wait() async {
    if hasFired { return }
    unsafe await withUnsafeContinuation { unsafe waiting.append($0) }
  }

  /// Lets everybody go on who waits or will wait.
  func fire() {
    hasFired = true
    let released = unsafe waiting
    unsafe waiting = []
    unsafe released.forEach { unsafe $0.resume() }
  }
}
