import Glibc
import Uring

/// What a machine gives to the engine, looked at piece by piece.
public enum Diagnosis {
  /// How serious a finding is.
  public enum Verdict: String, Sendable {
    /// As it should be.
    case pass = "PASS"
    /// It works, but slower or with less.
    case warn = "WARN"
    /// It does not work.
    case fail = "FAIL"
  }

  /// One thing that was looked at.
  public struct Finding: Sendable, Equatable {
    /// How serious it is.
    public var verdict: Verdict
    /// What was looked at.
    public var subject: String
    /// What was found.
    public var found: String
    /// What to do about it; nil where nothing is to be done.
    public var fix: String?

    init(_ verdict: Verdict, _ subject: String, _ found: String, fix: String? = nil) {
      self.verdict = verdict
      self.subject = subject
      self.found = found
      self.fix = fix
    }
  }

  /// Looks at kernel, io_uring, locked memory, huge pages, and at direct I/O and pre-allocation where
  /// `path` lies. Makes an engine for a moment, and where `path` is a directory a file that has no
  /// name.
  public static func examine(path: String, arenaBytes: Int? = nil) async -> [Finding] {
    var findings = [kernel()]
    var configuration = Processor.Configuration()
    configuration.arenaBytes = arenaBytes.map { max(2 << 20, min(1 << 40, $0)) }
    var processor: Processor?
    if let refusal = configuration.arenaBytes.flatMap(AvailableMemory.refusal(of:)) {
      findings.append(
        Finding(.fail, "memory", refusal, fix: "ask for a smaller --arena, or free memory"))
      return findings + [capabilities()] + (await PathDiagnosis.examine(path, with: nil))
    }
    do throws(RingError) {
      let started = try Processor(configuration)
      let facts = EngineFacts(started.facts)
      processor = started
      findings += [ring(facts), capabilities(), lockedMemory(facts), hugePages(facts)]
    } catch {
      findings += [
        Finding(.fail, "io_uring", "not available", fix: error.description), capabilities(),
      ]
    }
    findings += await PathDiagnosis.examine(path, with: processor)
    processor?.stop()
    return findings
  }

  private static func kernel() -> Finding {
    let release = TextFile.read("/proc/sys/kernel/osrelease")
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    let isEnough = numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 1)
    return Finding(
      isEnough ? .pass : .fail, "kernel", "Linux \(release)",
      fix: isEnough ? nil : "run Linux 6.1 or later")
  }

  private static func ring(_ facts: EngineFacts) -> Finding {
    let disabled = TextFile.read("/proc/sys/kernel/io_uring_disabled")
    let found =
      "set up with \(facts.ringFlags.joined(separator: " ")); "
      + "kernel.io_uring_disabled=\(disabled.isEmpty ? "absent" : disabled)"
    let isWhole = facts.ringFlags.contains("DEFER_TASKRUN") && facts.registersFiles
    return Finding(
      isWhole ? .pass : .warn, "io_uring", found,
      fix: isWhole ? nil : "a later kernel gives more and costs less for each transfer")
  }

  private static func capabilities() -> Finding {
    func field(_ name: String) -> String {
      for line in TextFile.read("/proc/self/status").split(separator: "\n")
      where line.hasPrefix(name + ":") {
        return line.dropFirst(name.count + 1).filter { $0 != "\t" && $0 != " " }
      }
      return "unknown"
    }
    let filter = ["0": "none", "1": "strict", "2": "a filter"][field("Seccomp")] ?? "unknown"
    return Finding(
      .pass, "process",
      "user \(geteuid()), seccomp \(filter), effective capabilities \(field("CapEff"))")
  }

  private static func lockedMemory(_ facts: EngineFacts) -> Finding {
    let limit = LockedMemoryLimit.current()
    let found =
      "limit \(limit.description); the arena of \(facts.arenaBytes >> 20) MiB is "
      + (facts.isArenaRegistered ? "registered" : "not registered")
    return Finding(
      facts.isArenaRegistered ? .pass : .warn, "locked memory", found,
      fix: facts.isArenaRegistered
        ? nil
        : "raise the limit (ulimit -l \(facts.arenaBytes >> 10), LimitMEMLOCK= of a service, "
          + "limits.conf), or use less: --arena")
  }

  private static func hugePages(_ facts: EngineFacts) -> Finding {
    let mode = TextFile.read("/sys/kernel/mm/transparent_hugepage/enabled")
    let isWhole = facts.hugePageBytes >= facts.arenaBytes
    return Finding(
      isWhole ? .pass : .warn, "huge pages",
      "\(facts.hugePageBytes >> 20) of \(facts.arenaBytes >> 20) MiB; "
        + "transparent_hugepage: \(mode.isEmpty ? "absent" : mode)",
      fix: isWhole
        ? nil
        : "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, "
          + "or free memory: too little of it is in one piece")
  }
}

/// Short text files of the kernel.
enum TextFile {
  static func read(_ path: String) -> String {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = unsafe Glibc.read(file, &bytes, bytes.count)
    guard let end = bytes.prefix(max(0, count)).lastIndex(where: { $0 != 10 }) else { return "" }
    return String(decoding: bytes[...end], as: UTF8.self)
  }
}
