import Synchronization

/// What a job's thread and those who watch the job share. Touched a few times a second.
final class JobState: Sendable {
  private struct Content {
    var progress = CopyProgress()
    var isCancelled = false
    var watchers: [AsyncStream<CopyProgress>.Continuation] = []
  }

  private let content = Mutex(Content())

  var progress: CopyProgress { content.withLock { $0.progress } }
  var isCancelled: Bool { content.withLock { $0.isCancelled } }

  func cancel() { content.withLock { $0.isCancelled = true } }

  func watch(_ watcher: AsyncStream<CopyProgress>.Continuation) {
    let ended = content.withLock { content in
      let ended = content.progress.phase == .ended
      if !ended { content.watchers.append(watcher) }
      return ended
    }
    watcher.yield(progress)
    if ended { watcher.finish() }
  }

  func update(_ change: @Sendable (inout CopyProgress) -> Void) {
    let (progress, watchers) = content.withLock { content in
      change(&content.progress)
      return (content.progress, content.watchers)
    }
    for watcher in watchers { watcher.yield(progress) }
  }

  func end() {
    update { $0.phase = .ended }
    let watchers = content.withLock { content in
      let watchers = content.watchers
      content.watchers = []
      return watchers
    }
    for watcher in watchers { watcher.finish() }
  }
}
