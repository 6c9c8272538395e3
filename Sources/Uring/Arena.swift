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
    /// How much of it lies in huge pages, as the kernel reports it.
    public var hugePageBytes: Int
    /// Whether the kernel holds it as registered buffers.
    public var isRegistered: Bool
  }

  let store: UnsafeMutablePointer<ArenaStore>
  private var zeros: Payload?
  /// What the machine gave.
  public internal(set) var facts: Facts

  /// Length of the range of zeros that pads and holes are made of.
  static let zeroByteCount = 64 << 10
  /// Payloads cut finer than this are gathered into one range before they are written.
  public static let mostRanges = 256
  private static let slicesPerMebibyte = 64

  /// Maps `byteCount` bytes, rounded up to 2 MiB.
  ///
  /// - Throws: `RingError.arenaTooLarge` where the machine has no such memory.
  init(byteCount: Int) throws(RingError) {
    let huge = 2 << 20
    let rounded = max(huge, (byteCount + huge - 1) / huge * huge)
    guard let base = unsafe cu_map_arena(rounded) else {
      throw .arenaTooLarge(byteCount: rounded, errno: errno)
    }
    let slices = max(16384, (rounded >> 20) * Self.slicesPerMebibyte)
    unsafe store = .allocate(capacity: 1)
    unsafe store.initialize(
      to: ArenaStore(base: base, byteCount: rounded, sliceCapacity: slices))
    facts = Facts(
      byteCount: rounded, hugePageBytes: unsafe Self.hugePageBytes(at: base), isRegistered: false)
    zeros = nil
    zeros = allocate(Self.zeroByteCount, alignment: 4096)
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

  /// The number of bytes of the mapping at `base` that lie in transparent huge pages.
  private static func hugePageBytes(at base: UnsafeMutableRawPointer) -> Int {
    guard let file = unsafe fopen("/proc/self/smaps", "r") else { return 0 }
    defer { unsafe fclose(file) }
    let address = UInt(bitPattern: base)
    var line = [CChar](repeating: 0, count: 512)
    var inside = false
    while unsafe fgets(&line, Int32(line.count), file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let fields = text.split(separator: " ", omittingEmptySubsequences: true)
      guard let first = fields.first else { continue }
      let bounds = first.split(separator: "-")
      if bounds.count == 2, let low = UInt(bounds[0], radix: 16),
        let high = UInt(bounds[1], radix: 16)
      {
        inside = low <= address && address < high
      } else if inside, first == "AnonHugePages:", fields.count > 1 {
        return (Int(fields[1]) ?? 0) << 10
      }
    }
    return 0
  }
}
