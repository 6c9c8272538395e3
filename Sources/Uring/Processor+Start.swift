extension Processor {
  /// Starts `body` on this processor's thread and returns at once.
  public func start<Success: Sendable>(
    _ body: @escaping @Sendable (Ring) async -> Success
  ) -> Task<Success, Never> {
    Task(executorPreference: self) { await self.run(body) }
  }

  /// Starts `body` on this processor's thread when `earlier` has ended.
  public func start<Success: Sendable>(
    after earlier: Task<Void, Never>?, _ body: @escaping @Sendable (Ring) async -> Success
  ) -> Task<Success, Never> {
    Task(executorPreference: self) {
      await earlier?.value
      return await self.run(body)
    }
  }
}

extension Processor {
  /// What `Ring.start` does: the caller is on this processor's thread, and stays there.
  func startHere(_ body: @escaping () async -> Void) {
    begin()
    // The closure never leaves the thread it was made on.
    nonisolated(unsafe) let body = body
    Task(executorPreference: self) {
      await unsafe body()
      self.end()
    }
  }
}
