/// How far a job is.
public struct CopyProgress: Sendable, Equatable {
  /// What a job is doing.
  public enum Phase: String, Sendable {
    /// Waiting for its processor.
    case waiting
    /// Opening its devices.
    case opening
    /// Moving tapes to where the copy starts.
    case positioning
    /// Copying.
    case copying
    /// Making what was written durable.
    case flushing
    /// Reading back and comparing.
    case verifying
    /// Ended, one way or another.
    case ended
  }

  /// What it is doing.
  public var phase = Phase.waiting
  /// Bytes written to the destination (while verifying: read back) since the job began.
  public var bytes: UInt64 = 0
  /// Bytes there will be; nil where nobody knows, as of a tape.
  public var totalBytes: UInt64?
  /// Seconds since the job began on its processor.
  public var seconds: Double = 0

  /// Nothing done.
  public init() {}

  /// Bytes per second since the job began; 0 before.
  public var averageRate: Double { seconds > 0 ? Double(bytes) / seconds : 0 }
}
