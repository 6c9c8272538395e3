public import CUring
import Glibc

/// A kernel in plain memory: it takes the real submission entries and posts completions, in an
/// order and with results that a seed decides.
///
/// `enter` does all the work. Time is simulated: it jumps to the next completion when the ring
/// waits, and no real time passes. One descriptor is real: the processor's wake-up, on which
/// `enter` blocks when it waits and nothing simulated is in flight. A program that runs on the
/// ring's thread alone sees the same completions at the same times whenever the seed is the same;
/// only calls from other threads come in at a moment of their own.
@safe
public final class SimulatedKernel: Kernel, @unchecked Sendable {
  /// A completion, for messages about a failing seed.
  public struct Event: Sendable, Equatable {
    /// When, in simulated nanoseconds.
    public var nanoseconds: UInt64
    /// The operation in the kernel's words.
    public var operation: String
    /// The simulated descriptor; -1 where there is none.
    public var descriptor: Int32
    /// Where in the file, and how many bytes were asked for.
    public var offset, byteCount: UInt64
    /// The answer.
    public var result: Int32
  }

  struct Operation {
    enum Kind {
      case nop
      case transfer(SimulatedTransfer)
      case flush(covering: Int)
      case allocate(mode: Int32)
      case timeout
      case refused(Int32)
    }
    var kind: Kind
    var name: String
    var userData: UInt64
    var descriptor: Int32
    var offset: UInt64
    var byteCount: UInt64
    var due: UInt64
    var number: UInt64
  }

  struct WakeUp {
    var userData: UInt64
    var descriptor: Int32
    var address: UInt
  }

  /// The files it has mounted.
  public let simulatedFiles: SimulatedFileSystem
  /// What it does.
  public let plan: SimulationPlan
  /// The last completions, oldest first; at most 2,000.
  public private(set) var history: [Event] = []
  /// Equal for equal runs: every completion, its time and its result.
  public private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325
  let epoch: Int
  var random: SimulatedRandom
  var clock: UInt64 = 1_000_000_000
  var operations: [Operation] = []
  var wakeUp: WakeUp?
  var latestDue: UInt64 = 0
  var nextNumber: UInt64 = 0
  var registered: [Int32]
  var arenaPieces: [Range<UInt>] = []
  private var ring: UnsafeMutablePointer<cu_memory_ring>?

  /// What one `enter` takes while operations are in flight.
  static let enterNanoseconds: UInt64 = 1_000

  /// Mounts `files`, which powers them up where the power had failed.
  public init(files: SimulatedFileSystem, plan: SimulationPlan) {
    simulatedFiles = files
    self.plan = plan
    epoch = files.mount(plan)
    random = SimulatedRandom(seed: plan.seed)
    registered = Array(repeating: -1, count: Int(plan.registeredFiles))
    unsafe ring = nil
  }

  deinit { tearDown() }

  // MARK: The door

  /// A ring in memory; files and arena are registered as the plan says.
  public override var facts: RingFacts {
    RingFacts(
      setupFlags: ["SIMULATED"], registeredFileCapacity: plan.registeredFiles,
      canLoseCompletions: false)
  }

  /// Makes the ring.
  public override func setUp(entries: UInt32) throws(RingError) -> UnsafeMutablePointer<io_uring> {
    guard let made = unsafe cu_memory_ring_new(entries) else {
      throw .noMemoryForRing(lockedMemory: .current())
    }
    unsafe ring = made
    return unsafe ringPointer(made)
  }

  private func ringPointer(_ memory: UnsafeMutablePointer<cu_memory_ring>)
    -> UnsafeMutablePointer<io_uring>
  {
    unsafe cu_memory_ring_io_uring(memory)
  }

  /// Ends the ring.
  public override func tearDown() {
    unsafe cu_memory_ring_free(ring)
    unsafe ring = nil
  }

  /// Remembers the arena, to refuse fixed transfers outside it.
  public override func register(arena: UnsafeMutableRawBufferPointer) -> Int32 {
    guard arena.count <= plan.registrableArenaBytes else { return -ENOMEM }
    var start = UInt(bitPattern: arena.baseAddress)
    let end = start + UInt(arena.count)
    while start < end {
      let next = min(end, start + UInt(LinuxKernel.registeredBufferBytes))
      arenaPieces.append(start..<next)
      start = next
    }
    return 0
  }

  /// Fills or (with -1) empties a place of the file table.
  public override func register(file: Int32, at index: UInt32) -> Int32 {
    guard Int(index) < registered.count else { return -EINVAL }
    registered[Int(index)] = file
    return 0
  }

  /// Simulated nanoseconds, from 1 second on.
  public override func now() -> UInt64 { clock }

  /// The files it has mounted.
  public override var files: FileSystem { simulatedFiles }

  /// The power fails now; may be called from any thread. Operations in flight end with EIO or
  /// ECANCELED, later ones with EIO.
  public func crash() { simulatedFiles.crash() }

  /// Takes entries, lets simulated time pass until enough is complete, and answers like the kernel.
  public override func enter(submit: UInt32, wait: UInt32, nanoseconds: UInt64?) -> Int32 {
    guard let ring = unsafe ring else {
      preconditionFailure("a ring is entered while it is set up")
    }
    if unsafe !operations.isEmpty || hasSimulatedEntry(ring, submit),
      random.happens(plan.refusedEnters)
    {
      return [-EINTR, -EAGAIN, -EBUSY][Int(random.next() % 3)]
    }
    var taken: UInt32 = 0
    var entry = io_uring_sqe()
    while taken < submit, unsafe cu_memory_ring_take(ring, &entry) != 0 {
      accept(&entry)
      taken += 1
    }
    if !operations.isEmpty { clock += Self.enterNanoseconds }
    if simulatedFiles.isOver(epoch) { failAll() }
    while let next = firstDue(), operations[next].due <= clock { complete(next) }
    answerWakeUp(waitMilliseconds: 0)
    let deadline = nanoseconds.map { clock.addingReportingOverflow($0) }
      .map { $0.overflow ? UInt64.max : $0.partialValue }
    while unsafe cu_memory_ring_ready(ring) < wait {
      if let next = firstDue(), operations[next].due <= deadline ?? .max {
        clock = max(clock, operations[next].due)
        complete(next)
      } else if let deadline {
        clock = deadline
        return taken > 0 ? Int32(taken) : -ETIME
      } else {
        precondition(wakeUp != nil, "a ring waits for what will never happen")
        answerWakeUp(waitMilliseconds: -1)
      }
    }
    return Int32(taken)
  }

  /// Whether more is submitted than the wake-up, which comes and goes with real time and so must not
  /// draw from the seed.
  private func hasSimulatedEntry(_ ring: UnsafeMutablePointer<cu_memory_ring>, _ submit: UInt32)
    -> Bool
  {
    for index in 0..<submit {
      guard let entry = unsafe cu_memory_ring_peek(ring, index) else { return false }
      if unsafe !isWakeUp(entry.pointee) { return true }
    }
    return false
  }

  // MARK: Completions

  private func firstDue() -> Int? {
    operations.indices.min {
      (operations[$0].due, operations[$0].number) < (operations[$1].due, operations[$1].number)
    }
  }

  func post(_ userData: UInt64, _ result: Int32) {
    guard let ring = unsafe ring else { return }
    let posted = unsafe cu_memory_ring_post(ring, userData, result)
    precondition(posted != 0, "the completion side has room for every operation")
  }

  func record(_ operation: Operation, _ result: Int32) {
    for word in [clock, operation.offset, operation.byteCount, UInt64(bitPattern: Int64(result))] {
      fingerprint = (fingerprint ^ word) &* 0x100_0000_01b3
      fingerprint ^= fingerprint >> 29
    }
    if history.count == 2_000 { history.removeFirst(1_000) }
    history.append(
      Event(
        nanoseconds: clock, operation: operation.name, descriptor: operation.descriptor,
        offset: operation.offset, byteCount: operation.byteCount, result: result))
  }

  /// Reads the wake-up's real counter if it has been written, waiting for that where asked.
  private func answerWakeUp(waitMilliseconds: Int32) {
    guard let armed = wakeUp else { return }
    var poller = pollfd(fd: armed.descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&poller, 1, waitMilliseconds) > 0 else { return }
    let count = unsafe Glibc.read(
      armed.descriptor, UnsafeMutableRawPointer(bitPattern: armed.address), 8)
    wakeUp = nil
    post(armed.userData, count < 0 ? -errno : Int32(count))
  }
}
