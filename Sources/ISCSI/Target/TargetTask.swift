import ISCSIProtocol
import SAM
import SCSI
import Uring

/// A SCSI command in a session, from its header to the last PDU of its answer. One of a fixed pool.
final class TargetTask {
  enum State {
    /// In the pool.
    case free
    /// Admitted; waits for bytes to put its data in.
    case waiting
    /// Admitted; its data are coming.
    case collecting
    /// In the hands of the router.
    case executing
    /// Its answer is being sent.
    case responding
    /// Its answer was queued in the channel, which has not released all of it.
    case responded
  }

  let index: Int
  let command: Command
  var state = State.free
  /// Tells target transfer tags of earlier users of this object apart.
  var generation: UInt16 = 0
  var initiatorTaskTag: UInt32 = 0
  var isImmediate = false
  /// Whether it stands in the session's queue of what is to be sent.
  var isQueued = false

  // MARK: Data out

  /// Bytes that the command takes and the initiator will send.
  var neededByteCount = 0
  /// Bytes taken from the data share for them, and for unsolicited data that nobody needs.
  var bufferByteCount = 0
  var request: BufferReceiver?
  /// What has not been filled, and what has.
  var remaining: Payload?
  var filled: Payload?
  /// Bytes that have come, or were given up.
  var receivedByteCount = 0
  /// Up to where unsolicited data may come; where their sequence has ended, up to where they did.
  var unsolicitedByteCount = 0
  var isUnsolicitedOpen = false
  /// There was no room for the unsolicited data: they are forgotten, and solicited later.
  var dropsUnsolicited = false
  /// R2Ts sent, and those whose sequence has ended.
  var solicitedCount: UInt32 = 0, endedCount: UInt32 = 0
  /// DataSN of the next PDU of the sequence.
  var dataSN: UInt32 = 0
  /// Its place among the tasks of the session that got room for data.
  var collectNumber: UInt64 = 0
  /// Seconds without data while it was the first of them.
  var dataSeconds = 0
  /// What was wrong with the data; the command is not executed.
  var damage: AdditionalSense?

  // MARK: Answer

  var dataIn: Payload?
  var status = Status.good
  var sense: [UInt8] = []
  var residual = Residual.none
  var bidirectionalResidual = Residual.none
  var share: BufferShare?
  var borrowedByteCount = 0
  var bufferOffset: UInt32 = 0
  var burstByteCount = 0
  /// PDUs in the channel.
  var unreleasedCount = 0

  init(index: Int, command: Command) {
    self.index = index
    self.command = command
  }

  /// Whether data are to come from the initiator.
  var isCollecting: Bool { state == .collecting || state == .waiting }

  /// The tag of the R2T with this number.
  func transferTag(_ number: UInt32) -> UInt32 {
    UInt32(generation) << 16 | (number & 0xFF) << 8 | UInt32(index)
  }

  /// Makes it ready for the next command. It holds no payload.
  func reset() {
    precondition(unreleasedCount == 0 && bufferByteCount == 0, "a task ends without payload")
    state = .free
    generation = generation == 0xFFFE ? 0 : generation + 1
    isQueued = false
    neededByteCount = 0
    request = nil
    receivedByteCount = 0
    unsolicitedByteCount = 0
    isUnsolicitedOpen = false
    dropsUnsolicited = false
    solicitedCount = 0
    endedCount = 0
    dataSN = 0
    dataSeconds = 0
    damage = nil
    status = .good
    sense = []
    residual = .none
    bidirectionalResidual = .none
    share = nil
    borrowedByteCount = 0
    bufferOffset = 0
    burstByteCount = 0
  }
}
