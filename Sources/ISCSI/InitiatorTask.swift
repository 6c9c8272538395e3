import ISCSIProtocol
import Uring

/// A command from its submission to its end: an entry of the session's table, used over and over.
///
/// The payload stays here, whole. What is sent, and where data are received, are further views of its
/// bytes; a task ends after the last of them is gone.
final class InitiatorTask {
  enum State {
    case free
    /// Waits for the command window or for room in the channel.
    case waiting
    /// Its command was given to the channel.
    case active
    /// It is answered, and waits until the channel has dropped what it was to send.
    case answered
  }

  let index: Int
  var state = State.free
  private var generation: UInt32 = 0
  var command = InitiatorCommand(.testUnitReady, logicalUnit: 0)
  var client: InitiatorClient?
  var clientTag: UInt64 = 0
  var payload: Payload?
  var byteCount = 0
  /// Place in the order of submission.
  var order: UInt64 = 0
  /// Times its connection was lost.
  var lossCount = 0
  var deadline: UInt64 = 0
  var cmdSN = SerialNumber(0)

  /// Bytes of data that have come, from the first on.
  var received = 0
  /// DataSN of the next Data-In, or R2TSN of the next R2T.
  var nextSN: UInt32 = 0
  /// Bytes that the target asked for or was given unasked, from the first on.
  var solicited = 0
  /// R2Ts that are not answered in full.
  var openRequests = 0
  /// PDUs the channel has of it.
  var sending = 0
  var isAborting = false
  var outcome: InitiatorOutcome?

  /// Tasks that a session has at first; more are made where more is submitted, up to the capacity.
  static let usualCount = 64
  /// As many as a ring has operations.
  static let capacity = 1024
  /// Connections that a repeatable command may lose: whatever kills a session twice kills it again.
  static let mostLosses = 5

  init(index: Int) { self.index = index }

  /// Initiator Task Tag: tells an answer to this command from a late one to an earlier command.
  var tag: UInt32 { generation << 10 | UInt32(index) }

  static func index(ofTag tag: UInt32) -> Int { Int(tag & 0x3FF) }

  func begin(
    _ command: InitiatorCommand, _ payload: consuming Payload, _ client: InitiatorClient,
    _ clientTag: UInt64
  ) {
    precondition(state == .free, "a task has one command at a time")
    self.command = command
    byteCount = payload.byteCount
    self.payload = consume payload
    self.client = client
    self.clientTag = clientTag
    lossCount = 0
    rewind()
  }

  /// As if nothing of it had been sent.
  func rewind() {
    generation = (generation + 1) & 0xF_FFFF
    state = .waiting
    received = 0
    nextSN = 0
    solicited = 0
    openRequests = 0
    sending = 0
    isAborting = false
    outcome = nil
  }

  /// The bytes from `offset` on, in a second view.
  func view(at offset: Int, count: Int) -> Payload {
    guard let payload = payload.take() else { preconditionFailure("a task has its payload") }
    var view = payload.sharing(offset + count)
    self.payload = consume payload
    if offset > 0 { _ = view.removeFirst(offset) }
    return view
  }

  /// Ends it, and makes it free before the client hears of it.
  func end(_ outcome: InitiatorOutcome) {
    guard let payload = payload.take(), let client else {
      preconditionFailure("a task ends once")
    }
    let clientTag = clientTag
    self.client = nil
    self.outcome = nil
    state = .free
    client.complete(InitiatorCompletion(tag: clientTag, outcome: outcome, payload: payload))
  }
}
