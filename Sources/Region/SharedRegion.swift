import CRegion
import Glibc
import Synchronization

/// A mapped region, with its mutex.
///
/// Anonymous memory serves the processors of one process; a file in `/dev/shm` serves controllers that
/// are processes. Contents are checked wherever they are read. The mutexes are the exception: they are
/// the C library's, whose robust list runs through them, so whoever may write the file can break those
/// who map it. That is why it has mode 0600 and an owner.
@safe
public final class SharedRegion: @unchecked Sendable {
  let memory: RegionMemory
  /// How large everything is.
  public let geometry: RegionGeometry
  private let clock: @Sendable () -> UInt64
  /// Life mutexes that threads of this process hold; their memory must stay.
  private let lives = Atomic<Int>(0)

  /// The longest that a step waits for the mutex. Sections take microseconds; a holder that is stopped
  /// in one must not stop everybody.
  public static let lockTimeoutNanoseconds: UInt64 = 2_000_000_000

  init(memory: RegionMemory, geometry: RegionGeometry, clock: (@Sendable () -> UInt64)?) {
    self.memory = memory
    self.geometry = geometry
    self.clock = clock ?? { cr_monotonic_nanoseconds() }
  }

  deinit {
    if lives.load(ordering: .relaxed) == 0 { unsafe munmap(memory.base, memory.byteCount) }
  }

  // MARK: Sections

  /// Calls `body` with the tables, under the mutex, and wakes afterwards whom it concerns.
  ///
  /// `body` is short and does no input or output. Where the last holder died inside, the tables are
  /// put right first.
  public func step<Success>(
    _ body: (inout Arbitration) throws(RegionError) -> Success
  ) throws(RegionError) -> Success {
    var section = Arbitration(memory: memory, geometry: geometry, now: 0)
    try lock(&section)
    let result: Result<Success, RegionError>
    do throws(RegionError) {
      result = .success(try body(&section))
    } catch {
      result = .failure(error)
    }
    unsafe cr_mutex_unlock(mutex)
    for index in 0..<geometry.processorCount where section.wakes & 1 << UInt64(index) != 0 {
      unsafe cr_futex_wake(memory.pointer(wakeOffset(index), 4))
    }
    return try result.get()
  }

  private func lock(_ section: inout Arbitration) throws(RegionError) {
    let result = unsafe cr_mutex_lock(mutex, Self.lockTimeoutNanoseconds)
    section = Arbitration(memory: memory, geometry: geometry, now: clock())
    switch result {
    case 0: return
    case EOWNERDEAD:
      section.repair()
      section.reap(isGone: isGone)
      unsafe cr_mutex_consistent(mutex)
    case ETIMEDOUT: throw .lockTimedOut
    default: throw .lock(errno: result)
    }
  }

  private var mutex: UnsafeMutableRawPointer {
    unsafe memory.pointer(CR_HEADER_MUTEX, CR_MUTEX_BYTES)
  }

  // MARK: Lives

  private func life(_ index: Int) -> UnsafeMutableRawPointer {
    unsafe memory.pointer(
      geometry.processorsOffset + index * CR_PROCESSOR_BYTES + CR_PROCESSOR_LIFE, CR_MUTEX_BYTES)
  }

  func wakeOffset(_ index: Int) -> Int {
    geometry.processorsOffset + index * CR_PROCESSOR_BYTES + CR_PROCESSOR_WAKE
  }

  private func takesLife(_ index: Int) -> Bool {
    switch unsafe cr_mutex_try(life(index)) {
    case 0: return true
    case EOWNERDEAD: return unsafe cr_mutex_consistent(life(index)) == 0
    default: return false
    }
  }

  /// Whether the thread that joined there has ended: then its life can be taken.
  private func isGone(_ index: Int) -> Bool {
    guard takesLife(index) else { return false }
    unsafe cr_mutex_unlock(life(index))
    return true
  }

  /// Makes the calling thread a processor of the region: its end, however it comes, is noticed.
  public func join(at index: Int? = nil, controller: UInt32) throws(RegionError) -> ProcessorID {
    let member = try step { section throws(RegionError) in
      try section.join(
        at: index, controller: controller, pid: UInt32(getpid()), takesLife: takesLife)
    }
    lives.add(1, ordering: .relaxed)
    return member
  }

  /// Takes the calling thread out of the region, once its last operation has completed.
  public func leave(_ member: ProcessorID) throws(RegionError) {
    try step { section in
      section.leave(member)
      unsafe cr_mutex_unlock(life(member.index))
    }
    lives.subtract(1, ordering: .relaxed)
  }

  /// Says that `member` lives, and looks whether the others do. Called at least as often as a fifth
  /// of `silentAfterNanoseconds`.
  public func tick(_ member: ProcessorID, silentAfterNanoseconds: UInt64 = 5_000_000_000)
    throws(RegionError)
  {
    try step { section throws(RegionError) in
      try section.beat(member)
      section.reap(
        silentAfterNanoseconds: silentAfterNanoseconds, sparing: member, isGone: isGone)
    }
  }

  // MARK: Several sections

  /// Stores a parameter list (920): chunks are taken, and filled outside the mutex.
  public func store(list: [UInt8], by member: ProcessorID) throws(RegionError) -> JobID {
    let room = try step { section throws(RegionError) in
      try section.reserve(listBytes: list.count, by: member)
    }
    geometry.fill(room.list, with: list, in: memory)
    return room.job
  }

  /// Fetches the list of a job that `member` holds (1032), copied outside the mutex.
  public func list(of job: JobID, by member: ProcessorID) throws(RegionError) -> [UInt8] {
    let place = try step { section throws(RegionError) in try section.list(of: job, by: member) }
    let bytes = geometry.bytes(of: place, in: memory)
    // Had the job been taken away meanwhile, the chunks might show another one's list.
    guard try step({ $0.isStillHeld(job, by: member) }) else { throw .notHolder }
    return bytes
  }

  /// Looks for a job and seizes exclusive control of it in one section (1010–1012).
  public func seize(by member: ProcessorID) throws(RegionError) -> JobID? {
    try step { section throws(RegionError) in
      guard let job = try section.look(member) else { return nil }
      try section.claim(job, by: member)
      return job
    }
  }
}
