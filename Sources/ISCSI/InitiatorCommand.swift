public import Devices
public import SAM
public import SCSI
public import Uring

/// What an initiator asks a logical unit to do.
public struct InitiatorCommand: Sendable {
  /// Which way data moves.
  public enum Direction: Sendable, Equatable {
    /// None moves.
    case none
    /// From the logical unit into the payload.
    case read
    /// From the payload to the logical unit.
    case write
  }

  /// What becomes of a command whose connection is lost.
  public enum Recovery: Sendable, Equatable {
    /// It ends with the loss: nobody knows whether it was executed.
    case none
    /// It is sent again after the next login: doing it twice is the same as doing it once.
    case repeatable
  }

  /// The CDB.
  public var cdb: CommandDescriptorBlock
  /// LUN: the eight bytes of SAM.
  public var logicalUnit: UInt64
  /// Which way data moves.
  public var direction: Direction
  /// Whether it may be sent again.
  public var recovery: Recovery
  /// After so long without an answer it is aborted. A rewind takes minutes, a read does not.
  public var timeoutSeconds: UInt64

  /// A read or write of a disk is answered within this, or something is wrong.
  public static let transferTimeoutSeconds: UInt64 = 60
  /// A tape moves from one end to the other within this.
  public static let motionTimeoutSeconds: UInt64 = 3600

  /// A command; without further words one that moves no data, and that is not sent twice.
  public init(
    _ cdb: CommandDescriptorBlock, logicalUnit: UInt64, direction: Direction = .none,
    recovery: Recovery = .none, timeoutSeconds: UInt64 = transferTimeoutSeconds
  ) {
    self.cdb = cdb
    self.logicalUnit = logicalUnit
    self.direction = direction
    self.recovery = recovery
    self.timeoutSeconds = timeoutSeconds
  }
}

/// How a command ended.
public struct InitiatorOutcome: Sendable {
  /// Bytes that moved, as the target's residual says.
  public var byteCount: Int
  /// Status; of meaning only without `failure`.
  public var status: Status
  /// With CHECK CONDITION, where the target gave sense data that can be read.
  public var sense: SenseData?
  /// Why there is no status.
  public var failure: InitiatorError?

  /// An answer of the logical unit.
  public init(byteCount: Int, status: Status, sense: SenseData?) {
    self.byteCount = byteCount
    self.status = status
    self.sense = sense
  }

  /// No answer.
  public init(_ failure: InitiatorError) {
    byteCount = 0
    status = .good
    self.failure = failure
  }

  /// Whether the command did what it was asked to do.
  public var isGood: Bool { failure == nil && status == .good }

  /// What a device makes of it; nil where the command succeeded.
  public var condition: Condition? {
    if let failure { return failure.condition }
    if status == .good || status == .conditionMet { return nil }
    guard status == .checkCondition else {
      var condition = Condition(.abortedCommand, .noAdditionalSense)
      condition.status = status
      return condition
    }
    guard let sense else {
      // CHECK CONDITION without sense data: the target broke its word.
      return Condition(.hardwareError, .logicalUnitCommunicationFailure)
    }
    return Condition(sense)
  }
}

extension Condition {
  /// What sense data says.
  init(_ sense: SenseData) {
    self.init(
      sense.key, sense.additional,
      information: sense.information.map { Int64(truncatingIfNeeded: $0) })
    // The fixed format has a residual in four bytes, negative ones in two's complement.
    if let information, information > Int64(Int32.max), information <= Int64(UInt32.max),
      sense.incorrectLength
    {
      self.information = Int64(Int32(truncatingIfNeeded: information))
    }
    filemark = sense.filemark
    endOfMedium = sense.endOfMedium
    incorrectLength = sense.incorrectLength
    isDeferred = sense.deferred
  }
}

/// How a command ended, with the payload it was given.
public struct InitiatorCompletion: ~Copyable {
  /// What the client said, to know the command by.
  public let tag: UInt64
  /// How it ended.
  public let outcome: InitiatorOutcome
  /// The payload the command consumed, whole.
  public var payload: Payload

  /// As a session makes it.
  init(tag: UInt64, outcome: InitiatorOutcome, payload: consuming Payload) {
    self.tag = tag
    self.outcome = outcome
    self.payload = payload
  }

  /// Only the payload.
  public consuming func takePayload() -> Payload { payload }
}

/// Receives the completions of the commands it gave to a session, on the ring's thread.
///
/// A session never completes a command inside the call that takes it.
open class InitiatorClient {
  /// For subclasses.
  public init() {}

  /// Called once for each command; may give further ones.
  open func complete(_ completion: consuming InitiatorCompletion) {
    preconditionFailure("a client handles its completions")
  }
}
