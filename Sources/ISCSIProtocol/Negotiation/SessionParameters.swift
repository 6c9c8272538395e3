/// A digest of headers or data. RFC 7143 13.1.
public enum DigestKind: String, CaseIterable, Sendable {
  /// None.
  case none = "None"
  /// CRC32C.
  case crc32c = "CRC32C"
}

/// A session for SCSI, or one that only asks what targets there are. RFC 7143 13.21.
public enum SessionType: String, Sendable {
  /// Normal.
  case normal = "Normal"
  /// Discovery.
  case discovery = "Discovery"
}

/// What both ends agreed on, or what one end wants. The defaults are those of RFC 7143 13.
public struct SessionParameters: Equatable, Sendable {
  /// HeaderDigest.
  public var headerDigest = DigestKind.none
  /// DataDigest.
  public var dataDigest = DigestKind.none
  /// MaxConnections, 1 to 65535.
  public var maxConnections: UInt32 = 1
  /// InitialR2T.
  public var initialR2T = true
  /// ImmediateData.
  public var immediateData = true
  /// MaxRecvDataSegmentLength of our end in bytes, 512 to 2²⁴ − 1: the most we may be sent.
  public var maxRecvDataSegmentLength: UInt32 = 8192
  /// MaxRecvDataSegmentLength of the other end in bytes: the most we may send.
  public var peerMaxRecvDataSegmentLength: UInt32 = 8192
  /// MaxBurstLength in bytes, 512 to 2²⁴ − 1.
  public var maxBurstLength: UInt32 = 262_144
  /// FirstBurstLength in bytes, 512 to MaxBurstLength.
  public var firstBurstLength: UInt32 = 65_536
  /// DefaultTime2Wait in seconds, 0 to 3600.
  public var defaultTime2WaitSeconds: UInt32 = 2
  /// DefaultTime2Retain in seconds, 0 to 3600.
  public var defaultTime2RetainSeconds: UInt32 = 20
  /// MaxOutstandingR2T, 1 to 65535.
  public var maxOutstandingR2T: UInt32 = 1
  /// DataPDUInOrder.
  public var dataPDUInOrder = true
  /// DataSequenceInOrder.
  public var dataSequenceInOrder = true
  /// ErrorRecoveryLevel, 0 to 2.
  public var errorRecoveryLevel: UInt32 = 0
  /// iSCSIProtocolLevel, 0 to 31. RFC 7144 7.1.1.
  public var protocolLevel: UInt32 = 1

  /// The defaults of RFC 7143.
  public init() {}
}

/// What our end wants of a session.
public struct NegotiationPolicy: Equatable, Sendable {
  /// The values to offer, or to meet an offer with. Digests are chosen by the lists below.
  public var wanted: SessionParameters
  /// Header digests in the order of preference, not empty.
  public var headerDigests: [DigestKind]
  /// Data digests in the order of preference, not empty.
  public var dataDigests: [DigestKind]

  /// Error recovery level 0, one connection, everything in order, no digest unless asked for.
  public init(
    wanted: SessionParameters = .preferred, headerDigests: [DigestKind] = [.none, .crc32c],
    dataDigests: [DigestKind] = [.none, .crc32c]
  ) {
    precondition(!headerDigests.isEmpty && !dataDigests.isEmpty, "None is a choice, too")
    precondition(wanted.firstBurstLength <= wanted.maxBurstLength, "the first burst is a burst")
    self.wanted = wanted
    self.headerDigests = headerDigests
    self.dataDigests = dataDigests
  }
}

extension SessionParameters {
  /// What pays off on today's networks: big segments, unsolicited data, several R2Ts.
  public static let preferred: SessionParameters = {
    var wanted = SessionParameters()
    wanted.initialR2T = false
    wanted.maxRecvDataSegmentLength = 262_144
    wanted.maxBurstLength = 1_048_576
    wanted.firstBurstLength = 262_144
    wanted.maxOutstandingR2T = 8
    wanted.defaultTime2RetainSeconds = 0
    return wanted
  }()
}
