import CUring
import Glibc
import Synchronization

/// One thread with one ring: what the 2001 design calls a microprocessor.
///
/// Everything it touches is its own, so nothing on the data path is locked. It is also a Swift task
/// executor: `run` starts `async` code on its thread, and that code stays there across every
/// `await` of the ring's operations.
@safe
public final class Processor: TaskExecutor, @unchecked Sendable {
  /// How a processor is made.
  public struct Configuration: Sendable {
    /// Bytes of pinned memory. nil: 32 MiB, or as much of them as this user may pin, but 4 MiB at
    /// least; where even those cannot be registered, 32 MiB that are not. A number is taken as it
    /// is, registered or not.
    public var arenaBytes: Int?
    /// Operations in flight at once, 1 to `Ring.capacityMaximum`; more take more locked memory.
    public var operationCapacity = Ring.usualCapacity
    /// Processor number to pin the thread to.
    public var pinned: Int?
    /// Makes the kernel's door; simulated in tests.
    public var kernel: @Sendable () -> Kernel = { LinuxKernel() }

    /// The default one.
    public init() {}
  }

  private struct Queue {
    var jobs: [UnownedJob] = []
    var isSleeping = false
    var ends = false
    var hasEnded = false
    /// Bodies of `run` that have not returned.
    var running = 0
  }

  private let queue = Lock(Queue())
  private let wakeUp: Int32
  private let thread = Lock<pthread_t?>(nil)
  nonisolated(unsafe) private var ring: Ring?
  /// The thread of the loop, which need not wake itself.
  fileprivate let owner = Atomic<pthread_t>(0)
  /// What the machine gave.
  public let facts: Facts

  /// Starts the thread and makes its ring.
  ///
  /// - Throws: what kept it from having one, with the way out.
  public init(_ configuration: Configuration = Configuration()) throws(RingError) {
    wakeUp = cu_wake_up()
    guard wakeUp >= 0 else { throw .setup(call: "eventfd", errno: -wakeUp) }
    let start = Start(configuration)
    let argument = unsafe Unmanaged.passRetained(start).toOpaque()
    var created = pthread_t()
    let result = unsafe pthread_create(
      &created, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        start.runThread()
        return nil
      }, argument)
    guard result == 0 else {
      unsafe Unmanaged<Start>.fromOpaque(argument).release()
      close(wakeUp)
      throw .noThread(errno: result)
    }
    switch start.outcome() {
    case .failure(let error):
      pthread_join(created, nil)
      close(wakeUp)
      throw error
    case .success(let given):
      facts = given
    }
    thread.withLock { $0 = created }
    start.adopt(self)
  }

  deinit {
    close(wakeUp)
  }

  /// Ends the thread after the last body of `run`, the last job and the last completion, and waits
  /// for it.
  ///
  /// Called once, from another thread; a processor that was never stopped goes on to the end.
  public func stop() {
    queue.withLock { $0.ends = true }
    wake()
    if let thread = thread.withLock({ thread in
      let taken = thread
      thread = nil
      return taken
    }) {
      pthread_join(thread, nil)
    }
  }

  /// Runs `body` on this processor's thread and returns what it returns.
  public func run<Success: Sendable, Failure: Error>(
    _ body: @escaping @Sendable (Ring) async throws(Failure) -> Success
  ) async throws(Failure) -> Success {
    queue.withLock { queue in
      precondition(!queue.hasEnded, "a stopped processor runs nothing")
      queue.running += 1
    }
    let task = Task(executorPreference: self) { () -> Result<Success, Failure> in
      defer { self.queue.withLock { $0.running -= 1 } }
      guard let ring = unsafe self.ring else {
        preconditionFailure("a processor has its ring from the start")
      }
      do throws(Failure) {
        return .success(try await body(ring))
      } catch {
        return .failure(error)
      }
    }
    return try await task.value.get()
  }

  /// Counts a body that the processor must not end before.
  func begin() { queue.withLock { $0.running += 1 } }

  /// Undoes `begin`.
  func end() { queue.withLock { $0.running -= 1 } }

  // MARK: Executor

  /// Called by Swift's runtime, on any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    let mustWake = queue.withLock { queue in
      queue.jobs.append(unowned)
      let sleeping = queue.isSleeping
      queue.isSleeping = false
      return sleeping
    }
    if mustWake, owner.load(ordering: .relaxed) != pthread_self() { wake() }
  }

  private func wake() {
    var one: UInt64 = 1
    _ = unsafe write(wakeUp, &one, 8)
  }

  // MARK: The loop

  /// Waits in the ring for calls from other threads.
  @safe
  private final class WakeUp: CompletionHandler {
    private let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    private let descriptor: Int32
    private(set) var operation: OperationID?

    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { unsafe word.deallocate() }

    func arm(_ ring: Ring) {
      if operation == nil { unsafe operation = ring.listen(descriptor, into: word, for: self) }
    }

    override func complete(_ completion: consuming Completion) { operation = nil }
  }

  /// Rounds of jobs that make new jobs before completions get their turn.
  private static let mostRounds = 16

  fileprivate func loop(_ ring: Ring) {
    unsafe self.ring = ring
    unsafe ring.executor = self
    let wakeUp = WakeUp(wakeUp)
    var jobs: [UnownedJob] = []
    jobs.reserveCapacity(64)
    while true {
      wakeUp.arm(ring)
      var rounds = 0
      var ends = false
      repeat {
        jobs.removeAll(keepingCapacity: true)
        queue.withLock { queue in
          swap(&jobs, &queue.jobs)
          queue.isSleeping = jobs.isEmpty
          ends = queue.ends && jobs.isEmpty && queue.running == 0 && ring.inFlight == 1
          queue.hasEnded = ends
        }
        for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
        rounds += 1
      } while !jobs.isEmpty && rounds < Self.mostRounds
      if ends { break }
      ring.turn(wait: jobs.isEmpty ? 1 : 0)
    }
    if let operation = wakeUp.operation { ring.cancel(operation) }
    while ring.inFlight > 0 { ring.turn(wait: 1) }
    unsafe self.ring = nil
  }
}

/// Hands the first steps of a thread its configuration, and the maker what came of them.
@safe
private final class Start: @unchecked Sendable {
  private let configuration: Processor.Configuration
  private var result: Result<Processor.Facts, RingError>?
  private var processor: Processor?
  private let told: UnsafeMutablePointer<sem_t>
  private let adopted: UnsafeMutablePointer<sem_t>

  init(_ configuration: Processor.Configuration) {
    self.configuration = configuration
    unsafe told = .allocate(capacity: 1)
    unsafe adopted = .allocate(capacity: 1)
    unsafe sem_init(told, 0, 0)
    unsafe sem_init(adopted, 0, 0)
  }

  deinit {
    unsafe sem_destroy(told)
    unsafe sem_destroy(adopted)
    unsafe told.deallocate()
    unsafe adopted.deallocate()
  }

  func outcome() -> Result<Processor.Facts, RingError> {
    while unsafe sem_wait(told) != 0 {}
    guard let result else { preconditionFailure("a started thread says how it went") }
    return result
  }

  func adopt(_ processor: Processor) {
    self.processor = processor
    unsafe sem_post(adopted)
  }

  func runThread() {
    unsafe cu_name_thread("ecopy-processor")
    if let number = configuration.pinned { _ = cu_pin_thread(Int32(number)) }
    do throws(RingError) {
      let ring = try Ring(
        kernel: configuration.kernel(), arenaBytes: configuration.arenaBytes,
        capacity: configuration.operationCapacity)
      result = .success(Processor.Facts(ring: ring.kernel.facts, arena: ring.arena.facts))
      unsafe sem_post(told)
      while unsafe sem_wait(adopted) != 0 {}
      let processor = self.processor
      self.processor = nil
      processor?.owner.store(pthread_self(), ordering: .relaxed)
      processor?.loop(ring)
    } catch {
      result = .failure(error)
      unsafe sem_post(told)
    }
  }
}
