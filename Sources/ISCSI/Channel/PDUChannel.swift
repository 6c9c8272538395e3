import ISCSIProtocol
public import Uring

/// One connection on a ring: PDUs in, PDUs out, each payload where it belongs at once.
///
/// Receiving: a header is received into a small field; its owner says where the data segment goes, and
/// that is received there directly, with padding and digest into a field beside it. One receive is in
/// flight. Sending: PDUs wait in a bounded queue of slots; as many as fit go with one gathered send. One
/// send is in flight; one that does not copy lets the next one go before it has ended.
///
/// Headers, paddings and digests live in one block of the arena that the channel gets at its start.
/// Closing shuts the socket down and waits for the last completion; only then is anything given back.
/// The channel keeps itself and its owner alive from `start` until `closed`.
public final class PDUChannel: CompletionHandler {
  enum State { case open, failed, closing, closed }

  enum Phase {
    /// Nothing is being received.
    case idle
    /// The basic header, and the header digest where it may follow at once.
    case header
    /// Additional header segments, and the header digest.
    case additionalHeader
    /// The owner has not yet said where the data go.
    case placement
    /// The data segment with what follows it.
    case data
    /// A data segment that nobody wants, and how much of it is still to come behind this receive.
    case discard(remaining: Int)
  }

  /// A PDU to send.
  struct Slot: ~Copyable {
    var data: Payload?
    var tag: UInt64 = 0
    var headerByteCount = 0
    var trailerByteCount = 0
    /// Part of the PDU has been sent: `data` is all that is left.
    var isStarted = false
    /// The kernel has the bytes of this send, which does not copy.
    var isHandedOver = false
    /// Which of the fields for longer data it uses; none where negative.
    var field = -1
    var next = PDUChannel.none
  }

  /// PDUs that may wait or be in flight: a quarter of a mebibyte of the shortest usual data segments.
  public static let slotCount = 32
  /// Bytes of the block that a channel works with.
  public static let blockByteCount = 7168
  /// Bytes one send takes at most, beyond its first PDU: as much as a socket buffer usually holds.
  static let mostSendBytes = 1 << 20
  /// Sends of fewer bytes are copied: telling when their buffers are free costs more.
  static let leastUncopiedBytes = 64 << 10
  /// Sends in flight that do not copy: each takes an operation of the ring until the peer has it.
  static let mostUncopiedSends = 4
  /// One of so many parts of the ring is left to others by such sends.
  static let operationParts = 4
  /// Slices that are left to others: a send takes one PDU at a time where there are fewer.
  static let sliceReserve = 4096

  /// The ring.
  public let ring: Ring
  /// What was done.
  public let counters: ISCSICounters
  /// The address of the other end; nil where the socket has none any more.
  public let peer: SocketAddress?
  /// Digests of PDUs sent and received from now on; a receive that has begun goes on without.
  public var hasHeaderDigest = false, hasDataDigest = false
  /// Longest data segment that may come: what this end declared.
  public var maximumDataSegmentLength = 8192

  let descriptor: Int32
  let file: RingFile
  var owner: PDUChannelOwner?
  var itself: PDUChannel?
  var state = State.open
  var block: Payload
  /// Operations in flight.
  var operations = 0

  var phase = Phase.idle
  var isPaused = false
  var header = BasicHeaderSegment()
  var receivedHeaderByteCount = 0
  var placesDigest = false
  var receivesDigest = false

  var slots: InlineArray<32, Slot>
  var freeSlot = 0
  var firstQueued = PDUChannel.none
  var lastQueued = PDUChannel.none
  var freeFields: UInt8 = (1 << UInt8(PDUChannel.fieldCount)) - 1
  var isSending = false
  /// The first slot of the queue, where the send in flight takes the beginning of its PDU only.
  var partialSlot = PDUChannel.none
  /// Bytes of the send that was begun last.
  var sendingByteCount = 0
  var isFinishing = false
  var mayAvoidCopies: Bool
  var copiedSendsBefore = 0
  /// Whether the last send asked the kernel not to copy.
  var isAvoidingCopy = false
  /// Sends whose bytes the kernel took and has not given back.
  var uncopiedSends = 0

  /// No slot.
  static let none = -1

  /// Takes over a connected socket.
  ///
  /// - Parameters:
  ///   - block: `blockByteCount` bytes of the ring's arena, dropped before `closed`.
  ///   - mayAvoidCopies: whether large sends ask the kernel not to copy. Never done to this machine
  ///     itself, and ended for good once the kernel copied all the same.
  public init(
    _ descriptor: Int32, ring: Ring, block: consuming Payload, owner: PDUChannelOwner,
    counters: ISCSICounters, mayAvoidCopies: Bool = true
  ) {
    precondition(block.byteCount == Self.blockByteCount, "a channel gets its block")
    self.ring = ring
    self.descriptor = descriptor
    self.block = block
    self.owner = owner
    self.counters = counters
    peer = Socket.peerAddress(of: descriptor)
    file = ring.know(descriptor)
    self.mayAvoidCopies = mayAvoidCopies && peer.map { !$0.isLoopback } ?? false
    slots = InlineArray { _ in Slot() }
    super.init()
    for index in 0..<Self.slotCount {
      slots[index].next = index + 1 < Self.slotCount ? index + 1 : Self.none
    }
  }

  /// Hands the channel to another owner; between two PDUs, or where the old one waits.
  public func setOwner(_ owner: PDUChannelOwner) { self.owner = owner }

  /// Begins to receive.
  public func start() {
    itself = self
    receiveHeader()
  }

  /// Whether it neither failed nor was closed.
  public var isOpen: Bool { state == .open }

  /// Receives nothing more after the PDU that is being received, until `resume`.
  public func pause() { isPaused = true }

  /// Undoes `pause`.
  public func resume() {
    isPaused = false
    if case .idle = phase { receiveHeader() }
  }

  /// Ends the connection now. `closed` follows the last completion, perhaps inside this call.
  public func close() {
    guard state == .open || state == .failed else { return }
    if state == .open { Socket.shutDown(descriptor) }
    state = .closing
    dropQueue()
    // What the kernel sends from the payloads themselves would else stay until the peer takes it.
    if uncopiedSends > 0 { Socket.abort(descriptor) }
    endIfIdle()
  }

  /// Ends the connection once everything that waits has been sent; a peer that does not take it is
  /// ended by `close`. Nothing more is received.
  public func finish() {
    isFinishing = true
    isPaused = true
    flush()
    closeIfFinished()
  }

  func closeIfFinished() {
    guard isFinishing, state == .open, firstQueued == Self.none, !isSending, uncopiedSends == 0
    else { return }
    close()
  }

  /// The connection broke.
  func fail(_ error: ChannelError) {
    guard state == .open else { return }
    state = .failed
    Socket.shutDown(descriptor)
    owner?.failed(error)
  }

  func endIfIdle() {
    guard state == .closing, operations == 0 else { return }
    state = .closed
    phase = .idle
    block = ring.arena.empty()
    ring.forget(file)
    Socket.close(descriptor)
    let owner = owner
    self.owner = nil
    itself = nil
    owner?.closed()
  }

  static let receiveTag = UInt64.max

  public override func complete(_ completion: consuming Completion) {
    // An owner may close the channel in any of the calls below.
    let kept = itself
    operations -= 1
    if completion.tag == Self.receiveTag {
      received(completion)
    } else {
      sent(completion)
    }
    endIfIdle()
    withExtendedLifetime(kept) {}
  }

  public override func progress(tag: UInt64, result: Int32) {
    let kept = itself
    handedOver(Int(truncatingIfNeeded: tag), result)
    withExtendedLifetime(kept) {}
  }
}
