/// A job that was submitted. It runs to its end whether or not anybody looks.
public final class CopyJob<Report: Sendable>: Sendable {
  private let state: JobState
  private let task: Task<Result<Report, EngineError>, Never>

  init(state: JobState, task: Task<Result<Report, EngineError>, Never>) {
    self.state = state
    self.task = task
  }

  /// How far the job is now.
  public var progress: CopyProgress { state.progress }

  /// How far the job is, whenever that changes: about ten times a second. The stream ends with the
  /// job. A slow reader sees the newest value, not every one.
  public var updates: AsyncStream<CopyProgress> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: CopyProgress.self, bufferingPolicy: .bufferingNewest(1))
    state.watch(continuation)
    return stream
  }

  /// Ends the job at the next border of records. `result` tells what was done until then.
  public func cancel() { state.cancel() }

  /// What came of the job; waits for its end.
  ///
  /// - Throws: what kept the job from starting. What went wrong later is in the report.
  public var result: Report {
    get async throws(EngineError) { try await task.value.get() }
  }
}
