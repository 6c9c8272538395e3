import ISCSIProtocol
import Uring

extension InitiatorSession {
  /// The channel broke.
  func failed(_ error: ChannelError) {
    if let violation, error == .refused {
      lose(.protocolViolation(target: label, what: violation))
    } else {
      lose(InitiatorError(error, label))
    }
  }

  /// Ends the connection; what follows happens when the last completion has come.
  func lose(_ error: InitiatorError) {
    if case .open = state { state = .lost(error) }
    logoutAnswered?.fire()
    channel?.close()
  }

  /// The last completion of the channel has come: no byte of any task is in the kernel.
  func closed() {
    channel = nil
    urgent = []
    outgoing.removeAll { _ in true }
    waiting.removeAll { _ in true }
    channelClosed?.fire()
    var error = InitiatorError.closed(target: label)
    var goesOn = false
    if case .lost(let cause) = state {
      error = cause
      goesOn = true
    }
    var ended: [(InitiatorTask, InitiatorOutcome)] = []
    let inOrder = tasks.filter { $0.state != .free && !isStillborn($0) }
      .sorted { $0.order < $1.order }
    for task in inOrder {
      if task.state == .answered, let outcome = task.outcome {
        ended.append((task, outcome))
        continue
      }
      let wasSent = task.state == .active
      if task.isAborting {
        ended.append((task, InitiatorOutcome(timeout(of: task))))
        continue
      }
      if wasSent { task.lossCount += 1 }
      guard goesOn, task.command.recovery == .repeatable,
        task.lossCount <= InitiatorTask.mostLosses
      else {
        ended.append((task, InitiatorOutcome(error)))
        continue
      }
      task.rewind()
      waiting.append(task.index)
    }
    if goesOn { startRecovery(error) }
    for (task, outcome) in ended { end(task, outcome) }
  }

  private func isStillborn(_ task: InitiatorTask) -> Bool {
    stillborn.contains { $0.0 == task.index }
  }

  private func startRecovery(_ error: InitiatorError) {
    settled = InitiatorSignal()
    options.log?("\(error)")
    ring.start { [self] in await recover(error) }
  }

  /// Logs in again, within the budget.
  private func recover(_ first: InitiatorError) async {
    var last = first
    let end = ring.now + options.reconnectSeconds * 1_000_000_000
    var pause = Self.firstPause
    var attempts = 0
    while case .lost = state, attempts < options.reconnectAttempts, ring.now < end {
      attempts += 1
      do throws(InitiatorError) {
        var budgeted = options
        budgeted.loginTimeoutSeconds = min(
          options.loginTimeoutSeconds, max(1, (end - ring.now) / 1_000_000_000))
        let connection = try await InitiatorConnection.open(budgeted, ring: ring)
        guard case .lost = state else {
          await connection.exchange.close()
          break
        }
        options.log?(
          "\(label): logged in again, attempt \(attempts) of \(options.reconnectAttempts)")
        adopt(connection)
        let now = ring.now
        for task in tasks where task.state == .waiting {
          task.deadline = now + task.command.timeoutSeconds * 1_000_000_000
        }
        settled?.fire()
        settled = nil
        return pump()
      } catch {
        last = error
        if !error.isTransient { break }
      }
      await ring.sleep(nanoseconds: pause)
      pause = min(pause * 2, Self.longestPause)
    }
    if case .lost = state {
      state = .failed(
        .reconnectFailed(target: label, attempts: attempts, last: last.reason))
    }
    settled?.fire()
    settled = nil
    abandonWaiting()
  }

  /// Between two logins: short at first, because a target that restarts is back soon.
  private static let firstPause: UInt64 = 500_000_000
  private static let longestPause: UInt64 = 8_000_000_000

  private func abandonWaiting() {
    var error = InitiatorError.closed(target: label)
    if case .failed(let cause) = state { error = cause }
    while !waiting.isEmpty {
      end(tasks[waiting.removeFirst()], InitiatorOutcome(error))
    }
  }

  /// Returns when the session is open; at once where it is.
  ///
  /// - Throws: why it will not be open again.
  public func whenOpen() async throws(InitiatorError) {
    while case .lost = state {
      if let settled {
        await settled.wait()
      } else {
        // The channel is still being closed.
        await ring.sleep(nanoseconds: 1_000_000)
      }
    }
    switch state {
    case .failed(let error): throw error
    case .closing, .closed: throw .closed(target: label)
    case .open, .lost: return
    }
  }

  // MARK: Time

  func armTick() {
    ticking = ring.timeout(nanoseconds: 1_000_000_000, for: timer, tag: Timer.tick)
  }

  /// Once a second: commands that take too long, a target that is silent.
  func tick() {
    ticking = nil
    if let tickEnded {
      tickEnded.fire()
      return
    }
    armTick()
    guard case .open = state else { return }
    let now = ring.now
    let limit = options.keepAliveSeconds * 1_000_000_000
    if let pingSent, now > pingSent + limit {
      return lose(
        .connectionLost(
          target: label, reason: "no answer to a ping in \(options.keepAliveSeconds) s"))
    }
    if pingSent == nil, now > lastArrival + limit { sendPing() }
    if let logoutDue, now > logoutDue { return lose(.sessionDropped(target: label)) }
    for task in tasks where task.state == .active && now > task.deadline {
      if task.isAborting { return lose(timeout(of: task)) }
      task.isAborting = true
      task.deadline = now + InitiatorOptions.endingSeconds * 1_000_000_000
      sendAbort(of: task)
    }
    guard case .open = state else { return }
    // A window that stays closed must not keep a command for ever.
    var overdue: [Int] = []
    waiting.removeAll { index in
      guard now > tasks[index].deadline else { return false }
      overdue.append(index)
      return true
    }
    for index in overdue { end(tasks[index], InitiatorOutcome(timeout(of: tasks[index]))) }
  }

  // MARK: The end

  /// Logs out and returns after the last completion. What is still in flight ends as closed.
  public func close() async {
    if case .open = state {
      state = .closing
      let answered = InitiatorSignal()
      logoutAnswered = answered
      let deadline = InitiatorDeadline(ring, seconds: InitiatorOptions.endingSeconds) {
        answered.fire()
      }
      sendLogout()
      await answered.wait()
      await deadline.cancel()
    } else if case .lost = state {
      state = .closing
    }
    if let settled { await settled.wait() }
    if channel != nil {
      let closed = InitiatorSignal()
      channelClosed = closed
      channel?.close()
      await closed.wait()
    }
    state = .closed
    abandonWaiting()
    if let ticking {
      let ended = InitiatorSignal()
      tickEnded = ended
      ring.cancel(ticking)
      await ended.wait()
    }
    while !stillborn.isEmpty { await ring.sleep(nanoseconds: 1_000_000) }
    control = ring.arena.empty()
    itself = nil
  }

}

extension InitiatorError {
  /// The cause without target and advice, for an error that names both.
  fileprivate var reason: String {
    switch self {
    case .unreachable(_, let address, let errno): "\(address): \(Self.text(errno))"
    case .loginTimeout(_, let seconds): "no login within \(seconds) s"
    case .loginRefused(_, let status): "\(status)"
    case .loginFailed(_, let reason), .connectionLost(_, let reason),
      .unknownHost(_, let reason):
      reason
    default: "\(self)"
    }
  }
}
