/// Lets one task wait until an operation of the device's own has completed: nobody's client waits for
/// such operations, but a device must not go away before them.
@safe
struct Settling {
  private var waiter: UnsafeContinuation<Void, Never>?

  /// Keeps the task that waits.
  mutating func wait(_ continuation: UnsafeContinuation<Void, Never>) {
    precondition(unsafe waiter == nil, "one task at a time waits for a device to settle")
    unsafe waiter = continuation
  }

  /// Lets it go on.
  mutating func end() {
    guard let waiter = unsafe waiter else { return }
    unsafe self.waiter = nil
    unsafe waiter.resume()
  }
}
