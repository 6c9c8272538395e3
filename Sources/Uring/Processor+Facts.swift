extension Processor {
  /// What the machine gave to this processor.
  public struct Facts: Sendable, Equatable {
    /// Of the ring.
    public var ring: RingFacts
    /// Of the arena.
    public var arena: Arena.Facts

    private var isSimulated: Bool { ring.setupFlags == ["SIMULATED"] }

    /// Everything in one line, for the log.
    public var capabilities: String {
      let files = ring.registeredFileCapacity == 0 ? "no" : "\(ring.registeredFileCapacity)"
      return "io_uring \(ring.setupFlags.joined(separator: " ")); \(files) registered files; "
        + "arena \(mebibytes(arena.byteCount))\(arena.isRegistered ? "" : " NOT") registered, "
        + "\(mebibytes(arena.hugePageBytes)) in huge pages"
    }

    /// What costs speed on this machine and how to change it, a line each; none where all is well.
    public var warnings: [String] {
      [oldKernel, fewFiles, unregistered, smallPages].compactMap(\.self)
    }

    private var oldKernel: String? {
      isSimulated || ring.setupFlags.contains("DEFER_TASKRUN") && !ring.canLoseCompletions
        ? nil : "this kernel lacks what Linux 6.1 brings to rings: more work for each operation"
    }

    private var fewFiles: String? {
      ring.registeredFileCapacity > 0
        ? nil : "files cannot be registered: more work for each operation"
    }

    private var unregistered: String? {
      let wanted = mebibytes(arena.wantedByteCount)
      let limits = arena.lockedMemory.map { "locked memory: \($0.description)" } ?? ""
      let mend = "raise it with ulimit -l, with LimitMEMLOCK= of the service or with CAP_IPC_LOCK"
      if !arena.isRegistered {
        return "DEGRADED: buffers of \(wanted) cannot be registered "
          + "(\(RingError.text(arena.registrationErrno)); \(limits)), so every transfer pins its "
          + "memory anew; \(mend)"
      }
      guard arena.byteCount < arena.wantedByteCount else { return nil }
      return "buffers of \(mebibytes(arena.byteCount)) instead of \(wanted) are registered "
        + "(\(limits)); \(mend)"
    }

    private var smallPages: String? {
      guard !isSimulated, arena.hugePageBytes < arena.byteCount else { return nil }
      return "only \(mebibytes(arena.hugePageBytes)) of \(mebibytes(arena.byteCount)) lie in huge "
        + "pages, so devices get more and smaller requests; "
        + "set /sys/kernel/mm/transparent_hugepage/enabled to madvise"
    }

    private func mebibytes(_ count: Int) -> String { "\(count >> 20) MiB" }
  }
}
