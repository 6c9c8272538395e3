public import Uring

extension DiskSystem {
  /// Takes the state directory, opens every unit and listens.
  ///
  /// - Returns: the addresses it listens on, in the order of the portals, with their ports.
  /// - Throws: what kept it from starting; everything is closed again then.
  public func start() async throws(DiskSystemError) -> [SocketAddress] {
    let processor = try makeProcessor()
    let (configuration, path, log) = (configuration, statePath, log)
    do throws(DiskSystemError) {
      let running = try await processor.run { ring async throws(DiskSystemError) in
        try await RunningSystem.open(configuration, state: path, ring: ring, log: log)
      }
      state.withLock { $0 = .running(processor, running) }
      return running.addresses
    } catch {
      processor.stop()
      state.withLock { $0 = .ended }
      throw error
    }
  }

  /// Calls `body` on the processor's thread with the number of sessions, again and again, from now until
  /// the end of `stop()`: whoever hears nothing more knows that the thread is stuck. Called once, after
  /// `start()`.
  public func beat(
    everyNanoseconds nanoseconds: UInt64, _ body: @escaping @Sendable (_ sessionCount: Int) -> Void
  ) async {
    guard case .running(let processor, let running) = state.withLock({ $0 }) else { return }
    await processor.run { _ in running.beat(everyNanoseconds: nanoseconds, body) }
  }

  /// Stops listening, asks initiators to log out, ends every task, flushes and closes every unit and
  /// gives the state directory back. Nothing where it does not run.
  ///
  /// - Returns: whether everything that was written is durable.
  public func stop() async -> Bool {
    let was = state.withLock { state in
      defer { state = .ended }
      return state
    }
    guard case .running(let processor, let running) = was else { return true }
    let isDurable = await processor.run { _ in await running.close() }
    processor.stop()
    return isDurable
  }

  private func makeProcessor() throws(DiskSystemError) -> Processor {
    let byteCount = configuration.arenaByteCount ?? Self.defaultArenaByteCount
    if let refusal = AvailableMemory.refusal(of: byteCount) {
      throw .memory(refusal + "; write a smaller memory:, or free some")
    }
    var wish = Processor.Configuration()
    wish.arenaBytes = byteCount
    wish.operationCapacity = Ring.capacityMaximum
    let processor: Processor
    do throws(RingError) {
      processor = try Processor(wish)
    } catch {
      throw .unavailable(error)
    }
    log(Event(kind: .detail, text: processor.facts.capabilities))
    for warning in processor.facts.warnings { log(Event(kind: .warning, text: warning)) }
    return processor
  }
}
