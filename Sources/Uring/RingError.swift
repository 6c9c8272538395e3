import Glibc

/// Why the engine cannot have its ring or its memory, and what to do about it.
public enum RingError: Error, Equatable, Sendable {
  /// `kernel.io_uring_disabled` forbids rings: 1 for ordinary users, 2 for all.
  case disabledBySysctl(value: Int)
  /// A seccomp filter, as containers have, forbids the system calls of io_uring.
  case forbiddenBySeccomp
  /// Refused although neither the sysctl nor a seccomp filter is the cause: a security module.
  case forbidden(errno: Int32)
  /// The kernel has no io_uring, or one older than Linux 6.1.
  case unsupportedKernel(errno: Int32)
  /// The kernel has no memory for the ring itself.
  case noMemoryForRing(lockedMemory: LockedMemoryLimit)
  /// No memory for the arena.
  case arenaTooLarge(byteCount: Int, errno: Int32)
  /// Any other failure of a set-up call.
  case setup(call: String, errno: Int32)
  /// The operating system gave no thread.
  case noThread(errno: Int32)
}

/// How much memory this process may pin.
public struct LockedMemoryLimit: Equatable, Sendable {
  /// Soft and hard limit in bytes; `UInt64.max` where there is none.
  public var soft, hard: UInt64
  /// Whether the process has the capability that lifts the limit (CAP_IPC_LOCK).
  public var isUnlimited: Bool

  /// The limits of this process now.
  public static func current() -> LockedMemoryLimit {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(8), &limit) == 0 else {
      return LockedMemoryLimit(soft: 0, hard: 0, isUnlimited: false)
    }
    let capabilityOfLocking: UInt64 = 1 << 14
    let effective = UInt64(ProcessStatus.field("CapEff") ?? "0", radix: 16) ?? 0
    return LockedMemoryLimit(
      soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max),
      isUnlimited: effective & capabilityOfLocking != 0)
  }

  /// The limits in words.
  public var description: String {
    func text(_ bytes: UInt64) -> String {
      bytes == .max ? "unlimited" : "\(bytes >> 20) MiB"
    }
    return
      "soft \(text(soft)), hard \(text(hard)), CAP_IPC_LOCK \(isUnlimited ? "yes" : "no")"
  }
}

/// Fields of the calling thread's status: capabilities and filters belong to threads.
enum ProcessStatus {
  static func field(_ name: String) -> String? {
    let text = SmallFile.read("/proc/thread-self/status")
    for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
      return String(line.dropFirst(name.count + 1).drop { $0 == "\t" || $0 == " " })
    }
    return nil
  }
}

/// Short text files of the kernel.
enum SmallFile {
  static func read(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
      count = max(0, unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count))
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
