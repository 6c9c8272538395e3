public import SAM
public import Uring

/// A command in the task set of a logical unit, from admission to its end.
///
/// Taken from a pool of the unit; nobody keeps it beyond `LogicalUnit.finish`.
public final class UnitTask {
  /// The command.
  public internal(set) var command: Command
  /// What is executed.
  public internal(set) var entry: CommandEntry
  /// Data from the initiator, whole, perhaps shorter than the CDB says where the initiator expected
  /// to send less.
  public var dataOut: Payload?
  /// The nexus that asks.
  public var nexus: Nexus { command.nexus }
  /// The CDB.
  public var cdb: CommandDescriptorBlock { command.cdb }
  /// Whether it should stop soon.
  public var isAborted: Bool { command.isAborted }

  var client: CommandClient?
  /// Counts the admissions of a unit: objects of commands and tasks are used again.
  var serial: UInt64 = 0
  var hasStarted = false
  /// Whether it is to start once others have ended.
  var isWaiting = false
  /// Whether an aborted command is still answered, with TASK ABORTED (TAS, SPC-4 7.5.8).
  var answersAborted = false

  init(command: Command, entry: CommandEntry) {
    self.command = command
    self.entry = entry
  }
}
