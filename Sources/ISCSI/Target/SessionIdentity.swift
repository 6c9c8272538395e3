import ISCSIProtocol

/// What makes a session: the ports at both ends. RFC 7143 4.4.3, 6.3.5.
struct SessionIdentity: Hashable {
  let initiatorName: ISCSIName
  let isid: InitiatorSessionID
  /// Nil for discovery.
  let targetName: ISCSIName?
  let portalGroupTag: UInt16?
}
