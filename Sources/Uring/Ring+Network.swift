import CUring
import Glibc

extension Ring {
  /// Waits for a connection on a listening socket; the result is its descriptor.
  @discardableResult
  public func accept(
    _ listener: Int32, for handler: CompletionHandler, tag: UInt64
  ) -> OperationID {
    let (sqe, index) = unsafe prepare(arena.empty(), handler, tag)
    unsafe io_uring_prep_accept(
      sqe, listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
    return unsafe finish(sqe, index, nil)
  }

  /// Connects a stream socket; 0 or -errno.
  ///
  /// - Parameter nanoseconds: after so long the attempt ends with -ETIMEDOUT.
  public func connect(_ socket: Int32, to address: SocketAddress, nanoseconds: UInt64) async
    -> Int32
  {
    // The kernel reads the address when the operation begins, which may be a turn later.
    let storage = UnsafeMutablePointer<sockaddr_storage>.allocate(capacity: 1)
    defer { unsafe storage.deallocate() }
    let length = unsafe address.store(in: storage)
    let deadline = Deadline(self)
    let result = await perform { handler in
      let (sqe, index) = unsafe prepare(arena.empty(), handler, 0)
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe io_uring_prep_connect(sqe, socket, $0, length)
      }
      deadline.start(cancelling: unsafe finish(sqe, index, nil), nanoseconds: nanoseconds)
    }
    return await deadline.end() ? -ETIMEDOUT : result
  }

  /// Fills `payload` from a connected socket. The result is the number of bytes, less than all only
  /// where the stream ended or broke before.
  @discardableResult
  public func receive(
    _ socket: RingFile, into payload: consuming Payload, for handler: CompletionHandler, tag: UInt64
  ) -> OperationID {
    message(socket, payload, handler, tag, .receive)
  }

  /// Sends `payload` on a connected socket, all of it unless the stream breaks.
  ///
  /// - Parameter withoutCopying: asks the kernel to send from the payload's own memory. `progress` of
  ///   the handler then tells when the next send may follow, and `complete` when the peer has the
  ///   bytes; `counters.copiedSends` tells whether the kernel did as it was asked. Linux 6.2.
  @discardableResult
  public func send(
    _ socket: RingFile, from payload: consuming Payload, withoutCopying: Bool = false,
    for handler: CompletionHandler, tag: UInt64
  ) -> OperationID {
    message(socket, payload, handler, tag, withoutCopying ? .sendWithoutCopying : .send)
  }

  private enum Direction {
    case receive, send, sendWithoutCopying
  }

  /// IORING_SEND_ZC_REPORT_USAGE.
  private static let reportUsage: UInt16 = 1 << 3

  private func message(
    _ socket: RingFile, _ payload: consuming Payload, _ handler: CompletionHandler, _ tag: UInt64,
    _ direction: Direction
  ) -> OperationID {
    precondition(!payload.isEmpty, "a transfer has bytes")
    let descriptor = socket.index.map { Int32($0) } ?? socket.descriptor
    let next = Int(nextEntry)
    precondition(next != Int(noIndex), "callers keep to the ring's capacity")
    let (vector, count) = unsafe vector(next, of: payload)
    let (sqe, index) = unsafe prepare(payload, handler, tag)
    precondition(index == next, "the table hands out the entry it showed")
    let whole = UInt32(MSG_WAITALL)
    let quiet = UInt32(MSG_NOSIGNAL)
    if count == 1, direction != .sendWithoutCopying {
      let base = unsafe vector.pointee.iov_base
      let length = unsafe vector.pointee.iov_len
      if direction == .receive {
        unsafe io_uring_prep_recv(sqe, descriptor, base, length, Int32(whole))
      } else {
        unsafe io_uring_prep_send(sqe, descriptor, base, length, Int32(whole | quiet))
      }
      return unsafe finish(sqe, index, socket)
    }
    let header = unsafe messages + index
    unsafe header.pointee.msg_iov = unsafe vector
    unsafe header.pointee.msg_iovlen = numericCast(count)
    switch direction {
    case .receive: unsafe io_uring_prep_recvmsg(sqe, descriptor, header, whole)
    case .send: unsafe io_uring_prep_sendmsg(sqe, descriptor, header, whole | quiet)
    case .sendWithoutCopying:
      unsafe io_uring_prep_sendmsg_zc(sqe, descriptor, header, whole | quiet)
      unsafe sqe.pointee.ioprio = Self.reportUsage
      unsafe state.pointee.counters.uncopiedSends += 1
    }
    return unsafe finish(sqe, index, socket)
  }

  /// Starts `body` on this ring's thread and returns at once. The processor does not end before it
  /// has returned.
  public func start(_ body: @escaping () async -> Void) {
    guard let processor = unsafe executor else {
      preconditionFailure("a ring belongs to a processor")
    }
    processor.startHere(body)
  }
}

/// Cancels an operation after a time.
@safe
private final class Deadline: CompletionHandler {
  private let ring: Ring
  private var operation: OperationID?
  private var timer: OperationID?
  private var hasPassed = false
  private var waiter: UnsafeContinuation<Void, Never>?

  init(_ ring: Ring) { self.ring = ring }

  func start(cancelling operation: OperationID, nanoseconds: UInt64) {
    self.operation = operation
    timer = ring.timeout(nanoseconds: nanoseconds, for: self, tag: 0)
  }

  override func complete(_ completion: consuming Completion) {
    timer = nil
    if completion.result == -ETIME, let operation {
      hasPassed = true
      ring.cancel(operation)
    }
    if let waiter = unsafe waiter { unsafe waiter.resume() }
  }

  /// Ends the timer; whether it ended the operation.
  func end() async -> Bool {
    operation = nil
    if let timer {
      ring.cancel(timer)
      unsafe await withUnsafeContinuation { unsafe waiter = $0 }
    }
    return hasPassed
  }
}
