/// What the connections of one end have done. Used on the ring's thread only.
public final class ISCSICounters {
  /// PDUs that came and that went.
  public internal(set) var receivedPDUs = 0, sentPDUs = 0
  /// Bytes of their data segments.
  public internal(set) var receivedDataBytes = 0, sentDataBytes = 0
  /// Bytes that the sockets took and gave: headers, data, paddings and digests.
  public internal(set) var receivedBytes = 0, sentBytes = 0
  /// Operations of the ring: each may carry many PDUs.
  public internal(set) var receives = 0, sends = 0
  /// Digests that did not match.
  public internal(set) var headerDigestErrors = 0, dataDigestErrors = 0
  /// Bytes of data segments that were received to be forgotten.
  public internal(set) var discardedDataBytes = 0
  /// Payload bytes copied in user space: none.
  public internal(set) var copiedPayloadBytes = 0
  /// Connections that were made, that are open, and that were refused because there were too many.
  public internal(set) var connections = 0, openConnections = 0, refusedConnections = 0
  /// Logins that succeeded and that failed.
  public internal(set) var logins = 0, failedLogins = 0
  /// Sessions whose connection broke, or that broke the rules.
  public internal(set) var failedSessions = 0
  /// Reject PDUs that were sent.
  public internal(set) var rejects = 0

  /// All zero.
  public init() {}
}
