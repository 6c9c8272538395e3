extension Engine {
  /// Starts a copy. It fails, without anything changed, where a device cannot be used, a tape holds
  /// data and nothing was said about that, or source and destination are the same.
  public func submit(_ request: CopyRequest) -> CopyJob<CopyReport> {
    start { context throws(EngineError) in try await CopyRun.run(request, context) }
  }

  /// Starts the execution of a parameter list. A list that is refused is no failure of the job: its
  /// report has the sense data. The job fails, without anything changed, where a device cannot be
  /// used, two devices carry the same name, or a descriptor number does not exist.
  public func submit(_ request: ListRequest) -> CopyJob<ListReport> {
    start { context throws(EngineError) in try await ListRun.run(request, context) }
  }
}
