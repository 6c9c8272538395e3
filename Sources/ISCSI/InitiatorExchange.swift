import Glibc
import ISCSIProtocol
import Uring

/// The owner of a channel as long as one message follows another: during login and discovery.
///
/// The channel is paused behind each PDU, so that nothing is received before it is known what may
/// come.
final class InitiatorExchange: PDUChannelOwner {
  private(set) var channel: PDUChannel?
  private let ring: Ring
  private let label: String
  private var field: Payload
  private var pdu: (header: BasicHeaderSegment, data: [UInt8])?
  private(set) var failure: InitiatorError?
  private var arrived: InitiatorSignal?
  private let end = InitiatorSignal()

  /// Longest text of one PDU, and so the length of the field it is received in.
  static let fieldByteCount = TextLimits.loginSegmentByteCount

  /// Takes over a connected socket, which it closes even where it throws.
  init(_ descriptor: Int32, _ label: String, ring: Ring) throws(InitiatorError) {
    guard let field = ring.arena.allocate(Self.fieldByteCount),
      let block = ring.arena.allocate(PDUChannel.blockByteCount)
    else {
      Socket.close(descriptor)
      throw .noMemory(target: label, byteCount: Self.fieldByteCount + PDUChannel.blockByteCount)
    }
    self.ring = ring
    self.label = label
    self.field = field
    super.init()
    let channel = PDUChannel(
      descriptor, ring: ring, block: block, owner: self, counters: ISCSICounters())
    channel.maximumDataSegmentLength = Self.fieldByteCount
    channel.pause()
    channel.start()
    self.channel = channel
  }

  /// Sends a message; the answer is what `receive` returns.
  func send(_ header: BasicHeaderSegment, text: [UInt8]) throws(InitiatorError) {
    if let failure { throw failure }
    guard let channel, channel.hasRoom else { throw .closed(target: label) }
    guard !text.isEmpty else {
      channel.send(header, bytes: [], tag: 0)
      return channel.flush()
    }
    guard var payload = ring.arena.allocate(text.count) else {
      throw .noMemory(target: label, byteCount: text.count)
    }
    payload.overwrite(with: text)
    channel.send(header, data: payload, tag: 0)
    channel.flush()
  }

  /// Waits for the next PDU.
  func receive() async throws(InitiatorError) -> (header: BasicHeaderSegment, data: [UInt8]) {
    if pdu == nil, failure == nil {
      let signal = InitiatorSignal()
      arrived = signal
      channel?.resume()
      await signal.wait()
    }
    if let pdu {
      self.pdu = nil
      return pdu
    }
    throw failure ?? .closed(target: label)
  }

  /// Goes on with the digests of a login that has succeeded; data segments stay as short.
  func adopt(_ parameters: SessionParameters) {
    channel?.hasHeaderDigest = parameters.headerDigest == .crc32c
    channel?.hasDataDigest = parameters.dataDigest == .crc32c
    channel?.maximumDataSegmentLength = min(
      Int(parameters.maxRecvDataSegmentLength), Self.fieldByteCount)
  }

  /// Gives the channel away; nothing is being received.
  func takeChannel() -> PDUChannel {
    guard let taken = channel, failure == nil else {
      preconditionFailure("an exchange gives away a channel that works")
    }
    channel = nil
    return taken
  }

  /// Ends the exchange, and whoever waits, with `error`; the first one counts.
  func fail(_ error: InitiatorError) {
    if failure == nil { failure = error }
    channel?.close()
    arrived?.fire()
  }

  /// Returns after the last completion.
  func close() async {
    guard channel != nil else { return }
    fail(.closed(target: label))
    await end.wait()
  }

  /// Text goes into the field.
  override func place(_ header: BasicHeaderSegment) -> Placement {
    .into(field.sharing(header.dataSegmentLength))
  }

  override func received(
    _ header: BasicHeaderSegment, data: consuming Payload, dataDigestFails: Bool
  ) {
    channel?.pause()
    if dataDigestFails { return fail(.digest(target: label, ofHeader: false)) }
    pdu = (header, data.bytes())
    arrived?.fire()
  }

  override func failed(_ error: ChannelError) { fail(InitiatorError(error, label)) }

  override func closed() {
    channel = nil
    end.fire()
  }
}

extension InitiatorError {
  /// What the end of a connection means to a session.
  init(_ error: ChannelError, _ label: String) {
    switch error {
    case .endOfStream: self = .connectionLost(target: label, reason: "the target closed it")
    case .socket(let errno): self = .connectionLost(target: label, reason: Self.text(errno))
    case .headerDigest: self = .digest(target: label, ofHeader: true)
    case .dataSegmentTooLong(let byteCount, let limit):
      self = .protocolViolation(
        target: label, what: "a data segment of \(byteCount) bytes, where \(limit) are allowed")
    case .additionalHeaderTooLong(let byteCount):
      self = .protocolViolation(
        target: label, what: "additional header segments of \(byteCount) bytes")
    case .refused:
      self = .protocolViolation(target: label, what: "data that nobody asked for")
    }
  }
}

/// Ends an exchange that takes too long.
final class InitiatorDeadline: CompletionHandler {
  private let ring: Ring
  private var timer: OperationID?
  private var body: (() -> Void)?
  private let end = InitiatorSignal()
  private var itself: InitiatorDeadline?

  /// Calls `body` after `seconds`, unless `cancel` comes before.
  init(_ ring: Ring, seconds: UInt64, _ body: @escaping () -> Void) {
    self.ring = ring
    self.body = body
    super.init()
    itself = self
    timer = ring.timeout(nanoseconds: seconds * 1_000_000_000, for: self, tag: 0)
  }

  override func complete(_ completion: consuming Completion) {
    timer = nil
    if completion.result == -ETIME { body?() }
    body = nil
    itself = nil
    end.fire()
  }

  /// Returns once the timer has ended.
  func cancel() async {
    body = nil
    if let timer { ring.cancel(timer) }
    await end.wait()
  }
}
