import Glibc

extension RingError {
  /// Finds the cause of a refused `io_uring_setup`: `errno` alone does not tell.
  static func diagnose(setupErrno: Int32) -> RingError {
    let disabled = Int(
      SmallFile.read("/proc/sys/kernel/io_uring_disabled").prefix { $0.isNumber })
    let filtered = ProcessStatus.field("Seccomp") == "2"
    return cause(setupErrno: setupErrno, disabled: disabled, filtered: filtered)
  }

  /// The decision itself, for every combination of what was seen.
  static func cause(setupErrno: Int32, disabled: Int?, filtered: Bool) -> RingError {
    switch setupErrno {
    case EPERM:
      if let disabled, disabled > 0 { return .disabledBySysctl(value: disabled) }
      return filtered ? .forbiddenBySeccomp : .forbidden(errno: setupErrno)
    case ENOSYS:
      return filtered ? .forbiddenBySeccomp : .unsupportedKernel(errno: setupErrno)
    case ENOMEM:
      return .noMemoryForRing(lockedMemory: .current())
    case EINVAL:
      return .unsupportedKernel(errno: setupErrno)
    default:
      return .setup(call: "io_uring_setup", errno: setupErrno)
    }
  }
}

extension RingError: CustomStringConvertible {
  /// The cause and the way out, in one line.
  public var description: String {
    switch self {
    case .disabledBySysctl(2):
      return "io_uring is switched off for all users; "
        + "an administrator can allow it: sysctl -w kernel.io_uring_disabled=0"
    case .disabledBySysctl(let value):
      return "io_uring is switched off for ordinary users (kernel.io_uring_disabled=\(value)); "
        + "join the group whose number is in kernel.io_uring_group, "
        + "or: sysctl -w kernel.io_uring_disabled=0"
    case .forbiddenBySeccomp:
      return "a seccomp filter, such as a container's default profile, forbids io_uring; "
        + "start the container with a profile that allows io_uring_setup, io_uring_enter and "
        + "io_uring_register"
    case .forbidden(let errno):
      return "io_uring is refused (\(Self.text(errno))), probably by a security module such as "
        + "SELinux; its audit log names the rule"
    case .unsupportedKernel(let errno):
      return "this kernel has no io_uring, or one older than Linux 6.1 (\(Self.text(errno)))"
    case .noMemoryForRing(let limit):
      return "no memory for the ring (locked memory: \(limit.description)); "
        + "raise it with ulimit -l or LimitMEMLOCK="
    case .arenaTooLarge(let byteCount, let errno):
      return "no memory for an arena of \(byteCount >> 20) MiB (\(Self.text(errno))); "
        + "ask for a smaller one"
    case .setup(let call, let errno):
      return "\(call) failed: \(Self.text(errno))"
    case .noThread(let errno):
      return "no thread for a processor: \(Self.text(errno))"
    }
  }

  static func text(_ errno: Int32) -> String {
    unsafe String(cString: strerror(errno))
  }
}
