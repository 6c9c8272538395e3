import Uring

/// Calls back on the thread of a ring, again and again, until it is stopped.
@safe
final class Ticker: CompletionHandler {
  private let ring: Ring
  private let nanoseconds: UInt64
  private let body: () -> Void
  private var operation: OperationID?
  private var isStopped = false
  private var waiter: UnsafeContinuation<Void, Never>?

  init(_ ring: Ring, everyMilliseconds milliseconds: UInt64, _ body: @escaping () -> Void) {
    self.ring = ring
    nanoseconds = milliseconds * 1_000_000
    self.body = body
    super.init()
    arm()
  }

  private func arm() {
    operation = ring.timeout(nanoseconds: nanoseconds, for: self, tag: 0)
  }

  override func complete(_ completion: consuming Completion) {
    operation = nil
    body()
    if isStopped {
      if let waiter = unsafe waiter.take() { unsafe waiter.resume() }
    } else {
      arm()
    }
  }

  /// Returns when nothing of it is left in the ring; to be called before it is let go of.
  func stop() async {
    isStopped = true
    guard let operation else { return }
    ring.cancel(operation)
    unsafe await withUnsafeContinuation { continuation in unsafe waiter = continuation }
  }
}
