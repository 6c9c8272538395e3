import Devices
import SAM
import Uring

/// One operation of a store: a transfer of the data path, or the right to a range that a command with
/// several steps holds. The objects are made once and used again.
final class BlockOperation {
  /// What it does when its turn has come.
  enum Kind {
    case read, write, writeThrough
    /// Holds its range until it is released.
    case hold
  }

  /// Its place in the store's pool, which tells completions apart.
  let index: Int
  var kind = Kind.hold
  /// Blocks it touches.
  var blocks: Range<UInt64> = 0..<0
  /// Whether nothing else may touch them meanwhile.
  var isExclusive = false
  /// The place among the running ones; nil while it waits.
  var place: Int?
  /// What a write has to write, and what a read has read.
  var payload: Payload?
  /// How the transfer ended.
  var status = DeviceStatus.good()
  /// Whose transfer it is.
  var task: UnitTask?
  /// Whose transfer it is where it is no task's: the nexus that ordered the copy, and what the client
  /// knows it by.
  var copy: (nexus: Nexus, client: DeviceClient, tag: UInt64)?
  /// The command that waits for the right to the range, where it may be told that it gets none.
  var command: Command?
  /// Counts the operations of a store.
  var serial: UInt64 = 0
  /// Whoever waits for the right to the range.
  var continuation: CheckedContinuation<Void, Never>?

  init(index: Int) { self.index = index }

  func conflicts(with other: BlockOperation) -> Bool {
    (isExclusive || other.isExclusive) && blocks.overlaps(other.blocks)
  }
}

/// Is told when a transfer has ended; the operation is free again after the call.
class BlockStoreClient {
  func finish(_ operation: BlockOperation) {
    preconditionFailure("a store's client takes its operations back")
  }

  /// A transfer of an aborted command has not begun and never will; free again after the call.
  func withdraw(_ operation: BlockOperation) {
    preconditionFailure("a store's client takes its operations back")
  }
}
