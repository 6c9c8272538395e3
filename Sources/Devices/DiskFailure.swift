/// What a file or a device refused, for the log of whoever serves it: its client is told as a condition.
public struct DiskFailure: Sendable, Equatable {
  /// What was asked of it.
  public enum Operation: String, Sendable {
    /// A read, a write, or making what was written durable.
    case read, write, flush
    /// Leaving zeros, or giving storage back.
    case zero = "zeroing"
  }

  /// What was asked of it.
  public var operation: Operation
  /// The first block that it did not do; nil where no block is known.
  public var block: UInt64?
  /// What the system said; 0 where a file ended early.
  public var errno: Int32

  /// All of it said.
  public init(_ operation: Operation, block: UInt64?, errno: Int32) {
    self.operation = operation
    self.block = block
    self.errno = errno
  }
}
