import Uring

/// Calls back on the thread of a ring, again and again: a sign that its loop goes round.
@safe
final class Heartbeat: CompletionHandler {
  private let ring: Ring
  private let nanoseconds: UInt64
  private let body: () -> Void
  private var operation: OperationID?
  private var isStopping = false
  private var waiter: UnsafeContinuation<Void, Never>?

  init(_ ring: Ring, everyNanoseconds nanoseconds: UInt64, _ body: @escaping () -> Void) {
    self.ring = ring
    self.nanoseconds = nanoseconds
    self.body = body
    super.init()
    arm()
  }

  private func arm() {
    operation = ring.timeout(nanoseconds: nanoseconds, for: self, tag: 0)
  }

  override func complete(_ completion: consuming Completion) {
    operation = nil
    if isStopping {
      if let waiter = unsafe waiter.take() { unsafe waiter.resume() }
    } else {
      body()
      arm()
    }
  }

  /// Returns when nothing of it is left in the ring.
  func stop() async {
    isStopping = true
    guard let operation else { return }
    ring.cancel(operation)
    unsafe await withUnsafeContinuation { continuation in unsafe waiter = continuation }
  }
}
