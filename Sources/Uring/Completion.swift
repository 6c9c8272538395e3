/// How an operation ended, with the payload it was given.
public struct Completion: ~Copyable {
  /// What the submitter said, to know the operation by.
  public let tag: UInt64
  /// What the kernel answered: usually a byte count, or -errno.
  public let result: Int32
  /// The payload the operation consumed; without bytes where it had none.
  public var payload: Payload

  /// A completion as a device makes it for the layer above.
  public init(tag: UInt64, result: Int32, payload: consuming Payload) {
    self.tag = tag
    self.result = result
    self.payload = payload
  }

  /// Only the payload.
  public consuming func takePayload() -> Payload { payload }
}

/// Receives the completions of the operations it submitted, on the thread of its ring.
///
/// The ring does not keep it alive: it lives until its last operation has completed.
open class CompletionHandler {
  /// For subclasses.
  public init() {}

  /// Called once for each operation; may submit further ones.
  open func complete(_ completion: consuming Completion) {
    preconditionFailure("a handler handles its completions")
  }

  /// Called before `complete` for a send that does not copy: the kernel took `result` bytes, or
  /// refused, and keeps the payload until the peer has it. The next send may follow.
  open func progress(tag: UInt64, result: Int32) {}
}

/// A file as a ring knows it.
public struct RingFile: Sendable, Equatable {
  /// The descriptor.
  public let descriptor: Int32
  /// Its place among the registered files; nil where the table was full or is not there.
  let index: UInt32?

  init(descriptor: Int32, index: UInt32?) {
    self.descriptor = descriptor
    self.index = index
  }

  /// A descriptor that the ring does not register. The kernel lets go of a registered file up to a
  /// second after it was taken out (Linux 6.1), which is too late where only one may have it open.
  public init(unregistered descriptor: Int32) {
    self.init(descriptor: descriptor, index: nil)
  }
}

/// Names an operation in flight, to cancel it. Stale names are harmless.
public struct OperationID: Sendable, Equatable {
  let userData: UInt64
}
