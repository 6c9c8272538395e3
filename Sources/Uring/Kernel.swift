public import CUring

/// The door to the operating system: everything that a ring and its files ask of it.
///
/// `LinuxKernel` is the real one. A simulated one consumes the same submission entries in plain
/// memory, so that the code under test is the code that ships. One call per turn of the loop goes
/// through `enter`; the others belong to the control path.
open class Kernel {
  /// For subclasses.
  public init() {}

  /// What the kernel gave when the ring was set up.
  open var facts: RingFacts { preconditionFailure("a kernel tells what it gave") }

  /// Makes the ring; called once, on the thread that will own it.
  open func setUp(entries: UInt32) throws(RingError) -> UnsafeMutablePointer<io_uring> {
    preconditionFailure("a kernel makes its ring")
  }

  /// Ends the ring. Every operation has completed before.
  open func tearDown() {}

  /// Hands over `submit` entries and waits until `wait` completions are there, or until
  /// `nanoseconds` have passed (nil: without end). Returns how many were taken, or -errno.
  open func enter(submit: UInt32, wait: UInt32, nanoseconds: UInt64?) -> Int32 {
    preconditionFailure("a kernel takes submissions")
  }

  /// Registers the arena in pieces of at most 1 GiB. 0 or -errno.
  open func register(arena: UnsafeMutableRawBufferPointer) -> Int32 { 0 }

  /// Makes a descriptor a registered file at `index`. 0 or -errno.
  open func register(file: Int32, at index: UInt32) -> Int32 { 0 }

  /// Monotonic time in nanoseconds.
  open func now() -> UInt64 { preconditionFailure("a kernel has a clock") }

  /// The files of this kernel.
  open var files: FileSystem { preconditionFailure("a kernel has files") }
}

/// What the kernel gave to a ring.
public struct RingFacts: Sendable, Equatable {
  /// Names of the set-up flags that were accepted, in the kernel's words.
  public var setupFlags: [String]
  /// Whether files can be registered.
  public var registersFiles: Bool
  /// Whether the kernel reports completions lost; always false on kernels with NODROP.
  public var canLoseCompletions: Bool

  /// All of it said.
  public init(setupFlags: [String], registersFiles: Bool, canLoseCompletions: Bool) {
    self.setupFlags = setupFlags
    self.registersFiles = registersFiles
    self.canLoseCompletions = canLoseCompletions
  }
}
