import ArgumentParser
import CopyEngine
import Glibc
import Synchronization

/// How progress is shown.
enum ProgressStyle: String, ExpressibleByArgument, CaseIterable {
  /// A bar where standard error is a terminal, else the lines of `json` from the first second on.
  case auto
  /// A JSON object on a line of standard error, once a second.
  case json
  /// Nothing.
  case none
}

/// Shows how far a job is, and passes signals on to it.
struct ProgressDisplay {
  let style: ProgressStyle
  let name: String

  /// Waits for the end of `job`. SIGINT and SIGTERM cancel it, the second one ends the program;
  /// SIGUSR1 prints a line.
  func result<Report: Sendable>(of job: CopyJob<Report>) async throws(EngineError) -> Report {
    let asked = Mutex(0)
    let line = ProgressLine(name)
    Signals.handle { number in
      if number == SIGUSR1 {
        Output.write(line.text(job.progress) + "\n", to: STDERR_FILENO)
      } else if asked.withLock({
        $0 += 1; return $0
      }) == 1 {
        Output.note("stopping at the next record border; once more ends at once")
        job.cancel()
      } else {
        _exit(128 + number)
      }
    }
    defer { Signals.handle(nil) }
    let isTerminal = isatty(STDERR_FILENO) == 1
    switch style {
    case .auto where isTerminal: await show(job, line)
    case .auto: await log(job, from: 1)
    case .json: await log(job, from: 0)
    case .none: break
    }
    return try await job.result
  }

  private func show<Report: Sendable>(_ job: CopyJob<Report>, _ line: ProgressLine) async {
    for await progress in job.updates {
      let text = line.text(progress, columns: Terminal.columns - 1)
      Output.write("\r" + text + "\u{1B}[K", to: STDERR_FILENO)
    }
    Output.write("\r\u{1B}[K", to: STDERR_FILENO)
  }

  /// A line a second, beginning with the one after `delay` seconds; nothing for a shorter job.
  private func log<Report: Sendable>(_ job: CopyJob<Report>, from delay: Double) async {
    var shown: Double?
    for await progress in job.updates {
      let isLast = progress.phase == .ended
      guard progress.seconds >= delay else { continue }
      if let shown, !isLast, progress.seconds - shown < 1 { continue }
      shown = progress.seconds
      var members: [(String, JSON)] = [
        ("v", .number(1)), ("t", .string("progress")), ("phase", .string(progress.phase.rawValue)),
        ("bytes", .number(progress.bytes)), ("total", .optional(progress.totalBytes)),
        ("rate", .real(progress.averageRate)), ("seconds", .real(progress.seconds)),
      ]
      let eta = ProgressLine.secondsLeft(progress, rate: progress.averageRate)
      members.append(("eta_s", eta.map { .real($0) } ?? .null))
      Output.write(JSON.object(members).text + "\n", to: STDERR_FILENO)
    }
  }
}

/// Progress as pv and ddrescue show it: bytes, share, bar, rate now and on average, time left.
final class ProgressLine: Sendable {
  private let name: String
  private let samples = Mutex<[(seconds: Double, bytes: UInt64)]>([])

  init(_ name: String) { self.name = name }

  /// One line without its end and without a bar.
  func text(_ progress: CopyProgress) -> String {
    text(progress, rates(progress), name: name, barWidth: 0, isLong: true)
  }

  /// One line without its end, at most `columns` long: what matters least is left out first.
  func text(_ progress: CopyProgress, columns: Int) -> String {
    let rates = rates(progress)
    let short = Self.end(of: name, columns / 4)
    for (barWidth, isLong) in [(24, true), (12, true), (24, false), (12, false), (0, false)] {
      let text = text(progress, rates, name: short, barWidth: barWidth, isLong: isLong)
      if text.count <= columns { return text }
    }
    let text = text(progress, rates, name: "", barWidth: 0, isLong: false)
    return String(text.drop { $0 == " " }.prefix(max(0, columns)))
  }

  private static func end(of name: String, _ most: Int) -> String {
    name.count <= most ? name : "…" + name.suffix(max(0, most - 1))
  }

  private func rates(_ progress: CopyProgress) -> (now: Double, left: Double?) {
    let now = recentRate(progress, over: 2)
    return (now, Self.secondsLeft(progress, rate: recentRate(progress, over: 30)))
  }

  private func text(
    _ progress: CopyProgress, _ rates: (now: Double, left: Double?), name: String, barWidth: Int,
    isLong: Bool
  ) -> String {
    var text = name
    if let total = progress.totalBytes, total > 0 {
      let share = min(1, Double(progress.bytes) / Double(total))
      text += "  \(Words.decimal(share * 100, 1))%"
      if barWidth > 0 {
        let filled = Int(share * Double(barWidth))
        text +=
          "  [" + String(repeating: "=", count: max(0, filled - 1)) + (filled > 0 ? ">" : "")
          + String(repeating: " ", count: barWidth - filled) + "]"
      }
      text += "  \(Words.size(Double(progress.bytes)))"
      if isLong { text += " of \(Words.size(Double(total)))" }
    } else {
      text += "  \(Words.size(Double(progress.bytes)))"
    }
    text += "  \(Words.size(rates.now))/s"
    if isLong { text += " (average \(Words.size(progress.averageRate))/s)" }
    if progress.totalBytes != nil { text += "  ETA " + (rates.left.map(Words.duration) ?? "-") }
    if progress.phase != .copying { text += "  " + progress.phase.rawValue }
    return text
  }

  static func secondsLeft(_ progress: CopyProgress, rate: Double) -> Double? {
    guard let total = progress.totalBytes, rate > 0, progress.bytes <= total else { return nil }
    return Double(total - progress.bytes) / rate
  }

  private func recentRate(_ progress: CopyProgress, over seconds: Double) -> Double {
    samples.withLock { samples in
      if samples.last.map({ $0.seconds < progress.seconds }) ?? true {
        samples.append((progress.seconds, progress.bytes))
      }
      samples.removeAll { $0.seconds < progress.seconds - 30 }
      guard let first = samples.first(where: { $0.seconds >= progress.seconds - seconds }),
        progress.seconds > first.seconds, progress.bytes >= first.bytes
      else { return progress.averageRate }
      return Double(progress.bytes - first.bytes) / (progress.seconds - first.seconds)
    }
  }
}
