extension Engine {
  /// Starts a copy. It fails, without anything changed, where a device cannot be used, a tape holds
  /// data and nothing was said about that, or source and destination are the same.
  public func submit(_ request: CopyRequest) -> CopyJob<CopyReport> {
    start { context throws(EngineError) in try await CopyRun.run(request, context) }
  }
}
