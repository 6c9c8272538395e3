import Glibc

/// Waits for one operation of the control path.
///
/// The continuation carries only a number; the payload stays here until it is asked for.
@safe
private final class Waiter: CompletionHandler {
  private var continuation: UnsafeContinuation<Int32, Never>?
  private var payload: Payload?

  override func complete(_ completion: consuming Completion) {
    let result = completion.result
    payload = completion.takePayload()
    guard let continuation = unsafe continuation else {
      preconditionFailure("an operation completes after it was submitted")
    }
    unsafe self.continuation = nil
    unsafe continuation.resume(returning: result)
  }

  func wait(_ submit: () -> Void) async -> Int32 {
    unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Int32, Never>) in
      unsafe self.continuation = continuation
      submit()
    }
  }

  func takePayload() -> Payload? { payload.take() }
}

extension Ring {
  /// One operation of the control path, waited for: `submit` gets the handler to submit it with.
  public func perform(_ submit: (CompletionHandler) -> Void) async -> Int32 {
    let waiter = Waiter()
    return await waiter.wait { submit(waiter) }
  }

  /// The same, with the payload the operation gives back.
  public func performWithPayload(_ submit: (CompletionHandler) -> Void) async -> Completion {
    let waiter = Waiter()
    let result = await waiter.wait { submit(waiter) }
    guard let payload = waiter.takePayload() else {
      preconditionFailure("a completion carries a payload")
    }
    return Completion(tag: 0, result: result, payload: payload)
  }

  /// Waits without keeping the thread.
  public func sleep(nanoseconds: UInt64) async {
    _ = await perform { timeout(nanoseconds: nanoseconds, for: $0, tag: 0) }
  }

  /// Makes a call that may block, on a helper thread, and comes back.
  public func blocking<Success: Sendable>(
    _ body: @escaping @Sendable (FileSystem) -> Success
  ) async -> Success {
    let files = kernel.files
    return files.mayBlock ? await pool.run { body(files) } : body(files)
  }
}
