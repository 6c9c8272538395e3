public import Uring

/// Waits for one operation of a device.
@safe
private final class Waiter: DeviceClient {
  private var continuation: UnsafeContinuation<Void, Never>?
  private var completion: DeviceCompletion?

  override func complete(_ completion: consuming DeviceCompletion) {
    self.completion = consume completion
    guard let continuation = unsafe continuation else {
      preconditionFailure("a device completes an operation after it was submitted")
    }
    unsafe self.continuation = nil
    unsafe continuation.resume()
  }

  func wait(_ submit: () -> Void) async -> DeviceCompletion {
    unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      unsafe self.continuation = continuation
      submit()
    }
    guard let completion = completion.take() else {
      preconditionFailure("a waiter is resumed by its completion")
    }
    return completion
  }
}

/// A payload on its way into a closure.
private func handing(
  _ payload: consuming Payload, to submit: (consuming Payload, DeviceClient) -> Void
) async -> DeviceCompletion {
  let waiter = Waiter()
  var parked: Payload? = consume payload
  return await waiter.wait {
    if let payload = parked.take() { submit(payload, waiter) }
  }
}

extension BlockDevice {
  /// One read of the control path, waited for.
  public func read(at offset: UInt64, into payload: consuming Payload) async -> DeviceCompletion {
    await handing(payload) { read(at: offset, into: $0, for: $1, tag: 0) }
  }

  /// One write of the control path, waited for.
  public func write(at offset: UInt64, from payload: consuming Payload) async -> DeviceCompletion {
    await handing(payload) { write(at: offset, from: $0, for: $1, tag: 0) }
  }
}

extension BlockDevice {
  /// One write through the cache, waited for.
  public func writeThrough(at offset: UInt64, from payload: consuming Payload) async
    -> DeviceCompletion
  {
    await handing(payload) { writeThrough(at: offset, from: $0, for: $1, tag: 0) }
  }
}

extension StreamDevice {
  /// One read of the control path, waited for.
  public func read(
    into payload: consuming Payload, recordCount: Int = 1, acceptsShorter: Bool = true
  ) async -> DeviceCompletion {
    await handing(payload) {
      read(into: $0, recordCount: recordCount, acceptsShorter: acceptsShorter, for: $1, tag: 0)
    }
  }

  /// One write of the control path, waited for.
  public func write(_ payload: consuming Payload, recordCount: Int = 1) async -> DeviceCompletion {
    await handing(payload) { write($0, recordCount: recordCount, for: $1, tag: 0) }
  }
}
