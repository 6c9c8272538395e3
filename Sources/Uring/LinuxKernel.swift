public import CUring
import Glibc

/// The kernel this program runs on, through io_uring.
@safe
public final class LinuxKernel: Kernel {
  private let ring: UnsafeMutablePointer<io_uring>
  private var given = RingFacts(
    setupFlags: [], registeredFileCapacity: 0, canLoseCompletions: true)
  private var enterDescriptor: Int32 = -1
  private var enterFlags: UInt32 = 0
  private var isSetUp = false

  /// Number of places for registered files.
  static let registeredFiles: UInt32 = 64
  /// The kernel's limit for one registered buffer.
  static let registeredBufferBytes = 1 << 30

  /// The memory of a ring that has just ended counts a moment longer; a new one waits for it.
  private static let mostWaitsForMemory = 10
  private static let waitForMemoryMicroseconds: UInt32 = 20_000

  /// Not yet set up.
  public override init() {
    unsafe ring = .allocate(capacity: 1)
    unsafe ring.initialize(to: io_uring())
  }

  deinit {
    tearDown()
    unsafe ring.deallocate()
  }

  /// What the kernel gave.
  public override var facts: RingFacts { given }

  /// Asks for every flag that helps and goes on without those the kernel does not know.
  public override func setUp(entries: UInt32) throws(RingError) -> UnsafeMutablePointer<io_uring> {
    let wishes: [(String, UInt32)] = [
      ("CQSIZE", IORING_SETUP_CQSIZE), ("CLAMP", IORING_SETUP_CLAMP),
      ("SUBMIT_ALL", IORING_SETUP_SUBMIT_ALL), ("SINGLE_ISSUER", IORING_SETUP_SINGLE_ISSUER),
      ("DEFER_TASKRUN", IORING_SETUP_DEFER_TASKRUN),
    ]
    var granted = wishes
    var patience = Self.mostWaitsForMemory
    while true {
      var parameters = io_uring_params()
      parameters.flags = granted.reduce(0) { $0 | $1.1 }
      parameters.cq_entries = entries * 4
      let result = unsafe io_uring_queue_init_params(entries, ring, &parameters)
      if result == 0 {
        given.setupFlags = granted.map(\.0)
        given.canLoseCompletions = parameters.features & IORING_FEAT_NODROP == 0
        break
      }
      if result == -ENOMEM, patience > 0 {
        patience -= 1
        usleep(Self.waitForMemoryMicroseconds)
        continue
      }
      guard result == -EINVAL, granted.count > 1 else {
        throw .diagnose(setupErrno: -result)
      }
      granted.removeLast()
    }
    isSetUp = true
    unsafe enterDescriptor = ring.pointee.ring_fd
    if unsafe io_uring_register_ring_fd(ring) == 1 {
      unsafe enterDescriptor = ring.pointee.enter_ring_fd
      enterFlags = IORING_ENTER_REGISTERED_RING
    }
    if unsafe io_uring_register_files_sparse(ring, Self.registeredFiles) == 0 {
      given.registeredFileCapacity = Self.registeredFiles
    }
    // Operations that need a kernel worker are an exception here: keep their number small.
    var workers: (UInt32, UInt32) = (4, 2)
    _ = unsafe withUnsafeMutablePointer(to: &workers.0) {
      unsafe io_uring_register_iowq_max_workers(ring, $0)
    }
    return unsafe ring
  }

  /// Ends the ring. Buffers are given back first: that takes effect at once, while the rest of a
  /// ring goes on to count against the user's locked memory for a moment.
  public override func tearDown() {
    guard isSetUp else { return }
    isSetUp = false
    unsafe io_uring_unregister_buffers(ring)
    unsafe io_uring_queue_exit(ring)
  }

  /// One system call. It always asks for events: deferred completions are posted nowhere else.
  public override func enter(submit: UInt32, wait: UInt32, nanoseconds: UInt64?) -> Int32 {
    let flags = enterFlags | IORING_ENTER_GETEVENTS
    guard let nanoseconds else {
      return cu_enter(enterDescriptor, submit, wait, flags, nil)
    }
    // The kernel adds this to its clock in 64 bits with a sign, and does not look for overflow.
    let kept = min(nanoseconds, UInt64(Int64.max) / 2)
    var timeout = __kernel_timespec()
    timeout.tv_sec = Int64(kept / 1_000_000_000)
    timeout.tv_nsec = numericCast(kept % 1_000_000_000)
    return unsafe cu_enter(enterDescriptor, submit, wait, flags, &timeout)
  }

  /// Pins the arena once.
  public override func register(arena: UnsafeMutableRawBufferPointer) -> Int32 {
    var pieces: [iovec] = unsafe []
    var offset = 0
    while offset < arena.count {
      let length = min(Self.registeredBufferBytes, arena.count - offset)
      unsafe pieces.append(
        iovec(iov_base: arena.baseAddress.map { unsafe $0 + offset }, iov_len: length))
      offset += length
    }
    var patience = fitsLimit(arena.count) ? Self.mostWaitsForMemory : 0
    while true {
      let result = unsafe io_uring_register_buffers(ring, pieces, UInt32(pieces.count))
      if result != -ENOMEM || patience == 0 { return result }
      patience -= 1
      usleep(Self.waitForMemoryMicroseconds)
    }
  }

  /// Whether the limit alone would allow so much, beside a ring.
  private func fitsLimit(_ byteCount: Int) -> Bool {
    let limit = LockedMemoryLimit.current()
    return limit.isUnlimited || limit.soft > UInt64(byteCount) + UInt64(Self.ringBytes)
  }

  /// More than a ring of the usual size takes.
  private static let ringBytes = 256 << 10

  /// As /proc/self/smaps tells it.
  public override func hugePageBytes(of arena: UnsafeMutableRawBufferPointer) -> Int {
    unsafe Int(cu_huge_page_bytes(arena.baseAddress))
  }

  /// Fills or (with -1) empties a place of the file table.
  public override func register(file: Int32, at index: UInt32) -> Int32 {
    var file = file
    let result = unsafe io_uring_register_files_update(ring, index, &file, 1)
    return result < 0 ? result : 0
  }

  /// The files of this machine.
  public override var files: FileSystem { Self.machineFiles }
  private static let machineFiles = LinuxFileSystem()

  /// CLOCK_MONOTONIC.
  public override func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
