public import ISCSIProtocol
public import Uring

/// Where the data segment of a PDU goes, said when its header has arrived.
public enum Placement: ~Copyable {
  /// Into this payload, which has exactly DataSegmentLength bytes.
  case into(Payload)
  /// Nowhere: the bytes are received and forgotten; `received` is not called for the PDU.
  case discard
  /// Not known yet: nothing more is received until `PDUChannel.place(_:)`.
  case wait
  /// The connection fails.
  case refuse
}

/// Why a connection has ended.
public enum ChannelError: Error, Equatable, Sendable {
  /// The peer closed it, or it broke off inside a PDU.
  case endOfStream
  /// The socket failed.
  case socket(errno: Int32)
  /// The digest of a header does not match: nothing behind it can be understood (RFC 7143 7.8).
  case headerDigest
  /// A data segment is longer than was declared.
  case dataSegmentTooLong(byteCount: Int, limit: Int)
  /// There are more additional header segments than any command has.
  case additionalHeaderTooLong(byteCount: Int)
  /// The owner refused a PDU.
  case refused
}

/// What stands above a connection: a session, or a login. Called on the ring's thread.
open class PDUChannelOwner {
  /// For subclasses.
  public init() {}

  /// A header with a data segment has arrived and its digest matched: where do the data go?
  open func place(_ header: BasicHeaderSegment) -> Placement {
    preconditionFailure("an owner places data")
  }

  /// A PDU is complete. The next one is received after this call, unless it paused the channel.
  ///
  /// - Parameters:
  ///   - data: the payload `place` gave, filled; without bytes where there is no data segment.
  ///   - dataDigestFails: the data digest does not match: the data are wrong.
  open func received(
    _ header: BasicHeaderSegment, data: consuming Payload, dataDigestFails: Bool
  ) {
    preconditionFailure("an owner takes PDUs")
  }

  /// The channel has done with a PDU, sent or not, and has dropped its data: once for each `send`.
  open func released(tag: UInt64) {}

  /// A send has ended: there is room for further PDUs. Followed by `flush`.
  open func hasRoom() {}

  /// The connection broke; called once, and never after `close`. Nothing more is received or sent; the
  /// owner closes the channel, now or later.
  open func failed(_ error: ChannelError) {
    preconditionFailure("an owner closes what has failed")
  }

  /// The last completion has come, every payload is dropped and the socket is closed.
  open func closed() {
    preconditionFailure("an owner waits for the end of its channel")
  }
}
