import CUring
import Glibc

/// One processor's ring: its operations, its pinned arena and its registered files.
///
/// Used on the processor's thread only, where code gets it from `Processor.run`. Operations are
/// gathered and handed to the kernel once per turn of the loop. A payload given to an operation
/// belongs to the kernel until the operation's completion gives it back; there is no other way to
/// it meanwhile.
@safe
public final class Ring {
  /// An operation in flight.
  @unsafe
  struct Entry {
    var handler: Unmanaged<CompletionHandler>?
    var tag: UInt64
    var parked: Payload.Parked
    var generation: UInt32
    var isCancelled: Bool
    var nextFree: UInt32
    var timeout: __kernel_timespec
    /// What a send without copying was answered before the kernel gave its buffers back.
    var sent: Int32?
  }

  /// What changes with every operation. It has memory of its own, because each access to a stored
  /// property of a class is checked at run time.
  @unsafe
  struct State {
    var freeEntry: UInt32 = 0
    var inFlight = 0
    var counters = RingCounters()
  }

  /// Operations in flight that suffice for copies. A ring takes memory that counts against what a user
  /// may lock, so it is not larger than it has to be.
  public static let usualCapacity = 256
  /// What a ring may have at most: connections need two operations each.
  public static let capacityMaximum = 2048

  /// Most operations in flight at once.
  public let capacity: Int

  /// The door to the operating system.
  public let kernel: Kernel
  /// Pinned memory.
  public let arena: Arena
  /// What was done so far.
  public var counters: RingCounters { unsafe state.pointee.counters }

  let memory: UnsafeMutablePointer<io_uring>
  let entries: UnsafeMutablePointer<Entry>
  let state: UnsafeMutablePointer<State>
  var nextEntry: UInt32 { unsafe state.pointee.freeEntry }
  /// Operations that have not completed.
  public var inFlight: Int { unsafe state.pointee.inFlight }
  private let vectors: UnsafeMutablePointer<iovec>
  let messages: UnsafeMutablePointer<msghdr>
  private let reaped: UnsafeMutablePointer<io_uring_cqe>
  private var freeFileIndexes: [UInt32]
  let pool: BlockingPool
  /// The processor whose ring this is; set before its loop begins.
  unowned(unsafe) var executor: Processor?

  /// Makes the ring on the calling thread, which owns it from then on.
  init(kernel: Kernel, arenaBytes: Int?, capacity: Int) throws(RingError) {
    precondition(
      capacity > 0 && capacity <= Self.capacityMaximum, "tables have places for every operation")
    self.kernel = kernel
    self.capacity = capacity
    unsafe memory = try kernel.setUp(entries: UInt32(capacity))
    arena = try Arena(byteCount: arenaBytes, kernel: kernel)
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
    unsafe entries = .allocate(capacity: capacity)
    unsafe vectors = .allocate(capacity: capacity * Arena.mostRanges)
    unsafe messages = .allocate(capacity: capacity)
    unsafe messages.initialize(repeating: msghdr(), count: capacity)
    unsafe reaped = .allocate(capacity: capacity)
    freeFileIndexes = (0..<kernel.facts.registeredFileCapacity).reversed()
    pool = BlockingPool()
    for index in 0..<capacity {
      let next = index + 1 < capacity ? UInt32(index + 1) : noIndex
      unsafe (entries + index).initialize(
        to: Entry(
          handler: nil, tag: 0, parked: arena.empty().park(), generation: 0, isCancelled: false,
          nextFree: next, timeout: __kernel_timespec(), sent: nil))
    }
  }

  deinit {
    precondition(inFlight == 0, "a ring ends after its last completion")
    kernel.tearDown()
    unsafe state.deallocate()
    unsafe entries.deallocate()
    unsafe vectors.deallocate()
    unsafe messages.deallocate()
    unsafe reaped.deallocate()
  }

  /// Monotonic time in nanoseconds.
  public var now: UInt64 { kernel.now() }

  // MARK: Files

  /// Makes a descriptor known to the ring. It stays open until `forget`.
  public func know(_ descriptor: Int32) -> RingFile {
    if let index = freeFileIndexes.popLast() {
      if kernel.register(file: descriptor, at: index) == 0 {
        return RingFile(descriptor: descriptor, index: index)
      }
      freeFileIndexes.append(index)
    }
    return RingFile(descriptor: descriptor, index: nil)
  }

  /// Undoes `know`; the descriptor itself is not closed. No operation on it is in flight.
  public func forget(_ file: RingFile) {
    guard let index = file.index else { return }
    _ = kernel.register(file: -1, at: index)
    freeFileIndexes.append(index)
  }

  // MARK: Submission

  /// An entry of the submission queue, and the entry of the table behind it.
  func prepare(_ payload: consuming Payload, _ handler: CompletionHandler, _ tag: UInt64)
    -> (UnsafeMutablePointer<io_uring_sqe>, Int)
  {
    precondition(nextEntry != noIndex, "callers keep to the ring's capacity")
    let index = Int(nextEntry)
    unsafe state.pointee.freeEntry = entries[index].nextFree
    unsafe entries[index].handler = Unmanaged.passUnretained(handler)
    unsafe entries[index].tag = tag
    unsafe entries[index].isCancelled = false
    unsafe entries[index].parked = payload.park()
    unsafe state.pointee.inFlight += 1
    return unsafe (nextSubmission(), index)
  }

  func nextSubmission() -> UnsafeMutablePointer<io_uring_sqe> {
    while true {
      if let sqe = unsafe io_uring_get_sqe(memory) { return unsafe sqe }
      enter(wait: 0, nanoseconds: nil)
    }
  }

  func userData(_ index: Int) -> UInt64 {
    unsafe UInt64(entries[index].generation) << 32 | UInt64(index)
  }

  /// The ranges of a parked payload as the kernel reads them; they stay until it completes.
  func vector(_ index: Int, of payload: borrowing Payload) -> (UnsafeMutablePointer<iovec>, Int) {
    let start = unsafe vectors + index * Arena.mostRanges
    var count = 0
    unsafe payload.forEachRange { range in
      precondition(count < Arena.mostRanges, "payloads cut too fine are gathered before")
      unsafe start[count] = unsafe iovec(iov_base: range.baseAddress, iov_len: range.count)
      count += 1
    }
    return unsafe (start, count)
  }

  // MARK: One turn

  /// Operations that may be submitted now.
  public var room: Int { capacity - inFlight }

  /// One system call. What the kernel did not take goes with the next one.
  func enter(wait: UInt32, nanoseconds: UInt64?) {
    let result = kernel.enter(
      submit: unsafe cu_publish(memory), wait: wait, nanoseconds: nanoseconds)
    unsafe state.pointee.counters.enters += 1
    if result >= 0 { return }
    switch -result {
    case EINTR, ETIME: return
    case EAGAIN, EBUSY:
      // It has no memory for requests, or wants completions taken first, and did not get as far as
      // posting them: let it, and give it a moment.
      _ = kernel.enter(submit: 0, wait: 1, nanoseconds: Self.refusalNanoseconds)
      unsafe state.pointee.counters.enters += 1
    default: preconditionFailure("io_uring_enter: \(RingError.text(-result))")
    }
  }

  private static let refusalNanoseconds: UInt64 = 1_000_000

  /// Submits what was prepared, waits for at least `wait` completions and hands them out.
  func turn(wait: UInt32, nanoseconds: UInt64? = nil) {
    enter(wait: wait, nanoseconds: nanoseconds)
    unsafe state.pointee.counters.turns += 1
    // An operation has two completions at most, and a cancel request: the completion side holds four
    // for each.
    precondition(unsafe cu_flags(memory) & IORING_SQ_CQ_OVERFLOW == 0, "completions have room")
    while true {
      let count = Int(unsafe cu_reap(memory, reaped, UInt32(capacity)))
      for position in 0..<count {
        unsafe finish(
          reaped[position].user_data, reaped[position].res, reaped[position].flags)
      }
      if count < capacity { break }
    }
  }

  private func finish(_ userData: UInt64, _ answer: Int32, _ flags: UInt32) {
    if userData == Self.ignored { return }
    let index = Int(truncatingIfNeeded: userData & 0xffff_ffff)
    precondition(index < capacity, "completions name operations")
    let entry = unsafe entries[index]
    guard let handler = unsafe entry.handler,
      unsafe entry.generation == UInt32(truncatingIfNeeded: userData >> 32)
    else { preconditionFailure("an operation completes once") }
    if flags & UInt32(IORING_CQE_F_MORE) != 0 {
      unsafe entries[index].sent = answer
      unsafe handler._withUnsafeGuaranteedRef { unsafe $0.progress(tag: entry.tag, result: answer) }
      return
    }
    var result = answer
    if let sent = unsafe entry.sent {
      if answer & Self.copiedByKernel != 0 { unsafe state.pointee.counters.copiedSends += 1 }
      result = sent
      unsafe entries[index].sent = nil
    }
    unsafe entries[index].handler = nil
    unsafe entries[index].generation &+= 1
    unsafe entries[index].nextFree = nextEntry
    unsafe state.pointee.freeEntry = UInt32(truncatingIfNeeded: index)
    unsafe state.pointee.inFlight -= 1
    unsafe handler._withUnsafeGuaranteedRef {
      unsafe $0.complete(
        Completion(tag: entry.tag, result: result, payload: Payload(parked: entry.parked)))
    }
  }

  /// IORING_NOTIF_USAGE_ZC_COPIED: the kernel copied after all.
  private static let copiedByKernel = Int32(bitPattern: 1 << 31)

  /// Marks submissions nobody waits for, such as cancel requests.
  static let ignored = UInt64.max
}

/// What a ring has done; exact, and the same on every machine.
public struct RingCounters: Sendable, Equatable {
  /// System calls.
  public var enters = 0
  /// Turns of the loop.
  public var turns = 0
  /// Reads and writes that used registered buffers, and others.
  public var fixedTransfers = 0, plainTransfers = 0
  /// Sends that asked the kernel not to copy, and those of them that it copied all the same.
  public var uncopiedSends = 0, copiedSends = 0
}
