public import Uring

extension DiskSystem {
  /// Opens the units and listens.
  public func start() async throws(DiskSystemError) -> [SocketAddress] { [] }
  /// Closes.
  public func stop() async -> Bool { true }
}
