import CTestSupport
import CUring
import Glibc
import Testing

@testable import Uring

@Suite("When rings or their memory are refused")
struct RingErrorTests {
  @Test("the cause is told from what can be seen, and the message names the way out")
  func diagnosis() {
    let table: [(errno: Int32, disabled: Int?, filtered: Bool, cause: RingError, says: String)] = [
      (EPERM, 2, false, .disabledBySysctl(value: 2), "sysctl -w kernel.io_uring_disabled=0"),
      (EPERM, 2, true, .disabledBySysctl(value: 2), "sysctl -w kernel.io_uring_disabled=0"),
      (EPERM, 1, false, .disabledBySysctl(value: 1), "kernel.io_uring_group"),
      (EPERM, 0, true, .forbiddenBySeccomp, "io_uring_setup"),
      (EPERM, nil, true, .forbiddenBySeccomp, "seccomp"),
      (ENOSYS, 0, true, .forbiddenBySeccomp, "seccomp"),
      (ENOSYS, nil, true, .forbiddenBySeccomp, "container"),
      (EPERM, 0, false, .forbidden(errno: EPERM), "audit log"),
      (EPERM, nil, false, .forbidden(errno: EPERM), "SELinux"),
      (ENOSYS, nil, false, .unsupportedKernel(errno: ENOSYS), "Linux 6.1"),
      (EINVAL, 0, false, .unsupportedKernel(errno: EINVAL), "Linux 6.1"),
      (ENOMEM, 0, false, .noMemoryForRing(lockedMemory: .current()), "ulimit -l"),
      (EMFILE, 0, false, .setup(call: "io_uring_setup", errno: EMFILE), "open files"),
    ]
    for row in table {
      let cause = RingError.cause(
        setupErrno: row.errno, disabled: row.disabled, filtered: row.filtered)
      #expect(cause == row.cause)
      #expect(cause.description.contains(row.says), "\(cause)")
      #expect(!cause.description.contains("\n"))
    }
  }

  @Test("an ordinary user with 8 MiB gets as much registered as fits; with none, the log says so")
  func ordinaryUser() async throws {
    var before = rlimit()
    unsafe getrlimit(__rlimit_resource_t(8), &before)
    defer { unsafe setrlimit(__rlimit_resource_t(8), &before) }
    // The limit is the process's: of other tests only those of an ordinary user feel it.
    let limits = geteuid() == 0 ? [8 << 20, 1 << 20] : [8 << 20]
    for locked in limits {
      var configuration = Processor.Configuration()
      configuration.kernel = {
        // Only the processor's thread becomes the ordinary user, and it ends with the processor.
        precondition(ct_become_ordinary(UInt64(locked)) == 0, "root may become anyone")
        return LinuxKernel()
      }
      let processor = try Processor(configuration)
      let path = "/dev/null"
      let read = await processor.run { ring in
        await ring.get(
          ring.know(ring.kernel.files.open(path, flags: O_RDONLY, mode: 0)), 512, at: 0
        ).0
      }
      processor.stop()
      let facts = processor.facts
      #expect(read == 0)
      #expect(
        facts.arena.isRegistered
          ? 4 << 20...6 << 20 ~= facts.arena.byteCount : facts.arena.byteCount == 32 << 20)
      if locked == 1 << 20 { #expect(!facts.arena.isRegistered) }
      #expect(facts.warnings.contains { $0.contains("soft \(locked >> 20) MiB") })
      #expect(facts.warnings.contains { $0.contains("DEGRADED") } != facts.arena.isRegistered)
      #expect(facts.capabilities.contains("NOT registered") != facts.arena.isRegistered)
    }
  }

  @Test("a plain machine is described in one line, and warns of nothing")
  func capabilities() async throws {
    let kernel = SimulatedKernel(files: SimulatedFileSystem(), plan: SimulationPlan())
    var configuration = Processor.Configuration()
    configuration.kernel = { kernel }
    let processor = try Processor(configuration)
    processor.stop()
    #expect(
      processor.facts.capabilities
        == "io_uring SIMULATED; 64 registered files; arena 32 MiB registered, 0 MiB in huge pages")
    #expect(processor.facts.warnings.isEmpty)
  }

  @Test("a kernel that refuses set-up reaches the caller, and the thread ends")
  func refusal() {
    final class Refusing: Kernel {
      override func setUp(entries: UInt32) throws(RingError) -> UnsafeMutablePointer<io_uring> {
        throw .disabledBySysctl(value: 1)
      }
    }
    var configuration = Processor.Configuration()
    configuration.kernel = { Refusing() }
    #expect(throws: RingError.disabledBySysctl(value: 1)) { _ = try Processor(configuration) }
  }
}
