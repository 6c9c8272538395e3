import CUring
import Glibc

/// Pinned memory for payloads: one mapping, huge pages where there are any, of a size fixed at the
/// start. Belongs to one processor and is used on its thread only.
@safe
public final class Arena {
  /// What the machine gave.
  public struct Facts: Sendable, Equatable {
    /// Size of the arena.
    public var byteCount: Int
    /// Size that was asked for.
    public var wantedByteCount: Int
    /// How much of it lies in huge pages, as the kernel reports it.
    public var hugePageBytes: Int
    /// Why the kernel does not hold it as registered buffers; 0 where it does.
    public var registrationErrno: Int32
    /// How much memory this process may pin; nil where all that was wanted is registered.
    public var lockedMemory: LockedMemoryLimit?
    /// Whether the kernel holds it as registered buffers.
    public var isRegistered: Bool { registrationErrno == 0 }
  }

  let store: UnsafeMutablePointer<ArenaStore>
  private var zeros: Payload?
  /// What the machine gave.
  public let facts: Facts

  /// Length of the range of zeros that pads and holes are made of.
  static let zeroByteCount = 64 << 10
  /// Payloads cut finer than this are gathered into one range before they are written.
  public static let mostRanges = 256
  private static let slicesPerMebibyte = 64
  /// What an arena has where the right to pin memory allows it: keeps several copies busy and fits
  /// the caches of a server.
  static let defaultByteCount = 32 << 20
  /// Below this a registered arena is worth less than an unregistered one of the default size.
  static let leastByteCount = 4 << 20
  private static let hugePage = 2 << 20

  /// Maps `byteCount` bytes, rounded up to 2 MiB, and has the kernel register them.
  ///
  /// Without a number it takes the default size, or what can be registered of it. The kernel counts
  /// pinned memory for each user, so only trying tells how much that is; the ring, which is counted
  /// too, is there already.
  ///
  /// - Throws: `RingError.arenaTooLarge` where the machine has no such memory.
  init(byteCount: Int?, kernel: Kernel) throws(RingError) {
    let wanted = Self.wholeHugePages(byteCount ?? Self.defaultByteCount)
    guard wanted > 0, let base = unsafe cu_map_arena(wanted) else {
      throw .arenaTooLarge(byteCount: byteCount ?? wanted, errno: wanted > 0 ? errno : ENOMEM)
    }
    var kept = wanted
    var answer = unsafe kernel.register(arena: .init(start: base, count: kept))
    while byteCount == nil, answer == -ENOMEM, kept > Self.leastByteCount {
      kept -= Self.hugePage
      answer = unsafe kernel.register(arena: .init(start: base, count: kept))
    }
    if answer != 0 { kept = wanted }
    if kept < wanted { unsafe munmap(base + kept, wanted - kept) }
    unsafe store = .allocate(capacity: 1)
    unsafe store.initialize(
      to: ArenaStore(
        base: base, byteCount: kept,
        sliceCapacity: max(16384, (kept >> 20) * Self.slicesPerMebibyte)))
    facts = Facts(
      byteCount: kept, wantedByteCount: wanted,
      hugePageBytes: unsafe kernel.hugePageBytes(of: .init(start: base, count: kept)),
      registrationErrno: answer < 0 ? -answer : 0,
      lockedMemory: answer < 0 || kept < wanted ? .current() : nil)
    zeros = nil
    zeros = allocate(Self.zeroByteCount, alignment: 4096)
  }

  /// 0 where there is no such number.
  private static func wholeHugePages(_ byteCount: Int) -> Int {
    let (sum, overflows) = max(byteCount, 1).addingReportingOverflow(hugePage - 1)
    return overflows ? 0 : sum / hugePage * hugePage
  }

  deinit {
    zeros = nil
    precondition(
      unsafe store.pointee.freeByteCount == store.pointee.byteCount,
      "an arena outlives its payloads")
    unsafe munmap(store.pointee.base, store.pointee.byteCount)
    unsafe store.pointee.deallocate()
    unsafe store.deallocate()
  }

  /// Bytes that are not handed out.
  public var freeByteCount: Int { unsafe store.pointee.freeByteCount }

  /// Slices that are not handed out.
  public var freeSliceCount: Int { unsafe store.pointee.freeSliceCount }

  /// Slices in all.
  public var sliceCapacity: Int { unsafe store.pointee.sliceCapacity }

  /// Fresh contiguous bytes, of unspecified content, that start on a multiple of `alignment`
  /// (a power of 2 up to 2 MiB), or nil where there is no such room now.
  public func allocate(_ byteCount: Int, alignment: Int = 4096) -> Payload? {
    let index = unsafe store.pointee.allocate(byteCount, alignment: alignment)
    guard index != noIndex else { return nil }
    return unsafe Payload(store: store, slice: index)
  }

  /// A payload without bytes.
  public func empty() -> Payload {
    unsafe Payload(store: store)
  }

  /// Slices that `zeros` takes for `byteCount` bytes.
  public static func sliceCount(ofZeros byteCount: Int) -> Int {
    byteCount / zeroByteCount + (byteCount % zeroByteCount > 0 ? 1 : 0)
  }

  /// `byteCount` zero bytes that take no room: many slices of one range. Not to be overwritten.
  public func zeros(_ byteCount: Int) -> Payload {
    var result = empty()
    while result.byteCount < byteCount {
      switch zeros {
      case .some(let zeros):
        result.append(zeros.sharing(min(Self.zeroByteCount, byteCount - result.byteCount)))
      case .none:
        preconditionFailure("an arena has its zeros from the start")
      }
    }
    return result
  }
}
