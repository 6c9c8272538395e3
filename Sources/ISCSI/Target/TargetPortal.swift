import Uring

/// One address that a server listens on.
final class TargetPortal: CompletionHandler {
  private let descriptor: Int32
  private unowned let server: TargetServer
  private var operation: OperationID?
  private var hasStopped = false

  init(_ descriptor: Int32, server: TargetServer) {
    self.descriptor = descriptor
    self.server = server
    super.init()
  }

  func start() {
    operation = server.ring.accept(descriptor, for: self, tag: 0)
  }

  func stop() {
    hasStopped = true
    if let operation { server.ring.cancel(operation) } else { end() }
  }

  /// Where descriptors or memory ran out it tries again with the next tick.
  func tick() {
    if operation == nil, !hasStopped { start() }
  }

  private func end() {
    Socket.close(descriptor)
    server.portalEnded(self)
  }

  override func complete(_ completion: consuming Completion) {
    operation = nil
    let result = completion.result
    if hasStopped {
      if result >= 0 { Socket.close(result) }
      return end()
    }
    guard result >= 0 else { return }
    server.accept(result)
    start()
  }
}
