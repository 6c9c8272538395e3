public import SCSI
public import Uring

/// How a command ended, with what it answers.
public struct CommandResult: ~Copyable {
  /// What the transport does with it.
  public enum Disposition: Sendable {
    /// Tells the initiator.
    case respond
    /// Frees everything and says nothing: the command was aborted (SAM-5 5.3.1, TAS zero).
    case silent
  }

  /// Whether the initiator is told.
  public var disposition = Disposition.respond
  /// SAM status.
  public var status: Status
  /// Sense data as it goes to the initiator, in the format that the logical unit is set to; empty
  /// with every status but CHECK CONDITION.
  public var sense: [UInt8] = []
  /// Data for the initiator; already cut to what the CDB allows, not yet to what the initiator expects.
  public var dataIn: Payload
  /// Bytes the command would have transferred without the initiator's limit, for the residual: of
  /// data in where `dataIn` has bytes or the command reads, else of data out.
  public var transferLength: Int
  /// What `share` gets back once `dataIn` was sent and dropped.
  public var borrowedByteCount = 0
  /// Where `dataIn` was taken from; nil where it does not count.
  public var share: BufferShare?

  /// A result without sense data.
  public init(
    _ status: Status, dataIn: consuming Payload, transferLength: Int
  ) {
    self.status = status
    self.dataIn = dataIn
    self.transferLength = transferLength
  }

  /// CHECK CONDITION with encoded sense data.
  public init(sense: [UInt8], noData: consuming Payload) {
    status = .checkCondition
    self.sense = sense
    dataIn = noData
    transferLength = 0
  }

  /// The data, taken out.
  public consuming func takeDataIn() -> Payload { dataIn }
}

/// Receives the results of the commands it submitted, on the ring's thread.
open class CommandClient {
  /// For subclasses.
  public init() {}

  /// Called exactly once for each `execute`, also for aborted commands; perhaps inside that call.
  open func complete(_ command: Command, _ result: consuming CommandResult) {
    preconditionFailure("a client handles its results")
  }
}

/// Task management functions. SAM-5 clause 7.
public enum TaskManagementFunction: Sendable, Equatable {
  /// ABORT TASK: the one with this tag.
  case abortTask(tag: UInt64)
  /// ABORT TASK SET: all tasks of the nexus on the logical unit.
  case abortTaskSet
  /// CLEAR TASK SET: all tasks of the logical unit.
  case clearTaskSet
  /// LOGICAL UNIT RESET.
  case logicalUnitReset
  /// Every logical unit that the target port shows.
  case targetReset
  /// CLEAR ACA: there is never one.
  case clearACA
}

/// What a task management function answers. SAM-5 7.1.
public enum ServiceResponse: Sendable, Equatable {
  /// Done, and every task that it ended has had its last completion.
  case functionComplete
  /// ABORT TASK named no task of the nexus; for a transport that tells the cases apart.
  case taskDoesNotExist
  /// The LUN names nothing.
  case incorrectLogicalUnit
  /// Not supported.
  case functionRejected
}

/// What becomes of a command before any of its data has arrived.
public enum Admission: ~Copyable {
  /// `execute` takes it, with so many bytes of data out; 0 where it sends none.
  case execute(dataOut: Int)
  /// It has ended; the client is not called.
  case finished(CommandResult)
}

/// The seam between a transport and the logical units behind it: who comes, what is asked, what is
/// answered. SAM-5 5.4.
///
/// Used on the ring's thread. The transport calls `admit` in the order of the command numbers, then
/// `execute` once the data out is complete; in between it may `abort`.
open class TaskRouter {
  /// For subclasses.
  public init() {}

  /// A nexus was made: unit attentions begin (SAM-5 5.14).
  open func attach(_ nexus: Nexus) { preconditionFailure("a router knows its nexuses") }

  /// I_T nexus loss. Its commands end silently; returns after the last completion of each.
  open func detach(_ nexus: Nexus) async { preconditionFailure("a router knows its nexuses") }

  /// Looks at a command that has arrived: unit attention, reservation conflict, illegal request, or
  /// how much data it takes. A command that is admitted stands in the task set until it completes.
  open func admit(_ command: Command) -> Admission {
    preconditionFailure("a router admits commands")
  }

  /// Executes an admitted command; `dataOut` has the admitted number of bytes, or fewer where the
  /// initiator expected to send fewer. The client may be called inside this call.
  open func execute(
    _ command: Command, dataOut: consuming Payload, for client: CommandClient
  ) {
    preconditionFailure("a router executes commands")
  }

  /// Gives up an admitted command that will not be executed, because its data does not come. The
  /// client is not called.
  open func withdraw(_ command: Command) { preconditionFailure("a router executes commands") }

  /// A task management function; answers after the last completion of every task it ended.
  open func manage(
    _ function: TaskManagementFunction, logicalUnit: UInt64, nexus: Nexus
  ) async -> ServiceResponse {
    preconditionFailure("a router manages tasks")
  }
}
