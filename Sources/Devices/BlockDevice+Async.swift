import SCSI
public import Uring

/// Waits for one operation of a device's control path.
@safe
private final class DeviceWaiter: DeviceClient {
  private var continuation: UnsafeContinuation<Void, Never>?
  private var status: DeviceStatus = .good()
  private var payload: Payload?

  override func complete(_ completion: consuming DeviceCompletion) {
    status = completion.status
    payload = completion.takePayload()
    guard let continuation = unsafe continuation.take() else {
      preconditionFailure("an operation completes after it was submitted")
    }
    unsafe continuation.resume()
  }

  func wait(_ submit: () -> Void) async -> DeviceStatus {
    unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      unsafe self.continuation = continuation
      submit()
    }
    return status
  }

  func bytes() -> [UInt8] {
    switch payload {
    case .some(let payload): payload.bytes()
    case .none: []
    }
  }
}

extension BlockDevice {
  /// Reads a few blocks for the control path; the bytes are copied out of pinned memory.
  ///
  /// `offset` and `count` are multiples of the block length, inside the device. Fails with BUSY
  /// where the arena has no room.
  public func readBytes(at offset: UInt64, count: Int, arena: Arena) async -> (
    status: DeviceStatus, bytes: [UInt8]
  ) {
    guard let payload = arena.allocate(count, alignment: max(512, memoryAlignment)) else {
      return (.check(Condition(.hardwareError, .insufficientResources)), [])
    }
    let waiter = DeviceWaiter()
    var submitted: Payload? = consume payload
    let status = await waiter.wait {
      if let payload = submitted.take() { read(at: offset, into: payload, for: waiter, tag: 0) }
    }
    return (status, waiter.bytes())
  }
}
