import ISCSIProtocol
import Synchronization
import Transfer
import Uring

/// Copies between disks and tapes on its own threads, through io_uring.
///
/// An engine has one or more processors: a thread with a ring and pinned memory each. A job runs on
/// one processor from start to end; a processor runs one job at a time, further ones wait in the
/// order in which they were submitted. Everything here may be used from any thread.
///
///     let engine = try Engine()
///     let job = engine.submit(
///       CopyRequest(from: ["/dev/sdb"], to: "tape:/srv/tapes/A00001"))
///     for await progress in job.updates { print(progress.bytes) }
///     let report = try await job.result
public final class Engine: Sendable {
  /// How an engine is made.
  public struct Configuration: Sendable {
    /// Bytes of pinned memory of each processor, rounded up to 2 MiB, the same for short and long
    /// copies. A record may be up to three eighths of it long. Nil: as much as `largestRecord`
    /// needs, up to 384 MiB; else 32 MiB, or less where the limit of locked memory allows less to be
    /// registered.
    public var arenaBytes: Int?
    /// Bytes of the largest record, or of the largest transfer of a list, that will be copied.
    public var largestRecord = 1 << 20
    /// Reads, and writes to a disk, in flight at once, of up to 1 MiB each; nil: as many as suit
    /// the arena. From 1 to 64.
    public var depth: Int?
    /// The iSCSI name by which devices of other machines know this one; nil: one with the host's name.
    public var initiatorName: String?
    /// Number of processors, and so of jobs that run at once.
    public var processors = 1
    /// Receives a line for each thing an operator should know; called on any thread.
    public var log: @Sendable (LogLine) -> Void = { _ in }

    /// The default: one processor, 32 MiB, silent.
    public init() {}
  }

  /// Something an operator should know.
  public struct LogLine: Sendable {
    /// Whether something is not as it should be.
    public var isWarning: Bool
    /// One line.
    public var text: String
  }

  private struct Lane {
    var last: Task<Void, Never>?
    var jobs = 0
  }

  private let configuration: Configuration
  private let initiatorName: ISCSIName
  private let processors: [Processor]
  private let lanes: Mutex<[Lane]>
  /// What the machine gave to each processor.
  public let facts: [EngineFacts]

  /// Starts the processors.
  ///
  /// - Throws: what keeps this machine from running them, with the way out.
  public init(_ configuration: Configuration = Configuration()) throws(EngineError) {
    guard (1...64).contains(configuration.processors) else {
      throw EngineError(.illegalRequest, "an engine has from 1 to 64 processors")
    }
    if let depth = configuration.depth, !(1...64).contains(depth) {
      throw EngineError(.illegalRequest, "a depth of \(depth) is not possible; say 1 to 64")
    }
    initiatorName = try InitiatorName.of(configuration.initiatorName)
    let arenaBytes =
      configuration.arenaBytes
      ?? (configuration.largestRecord > Self.easyRecord
        ? max(32 << 20, 6 * min(configuration.largestRecord, Self.largestChosen)) : nil)
    guard (2 << 20...1 << 40).contains(arenaBytes ?? 2 << 20) else {
      throw EngineError(.illegalRequest, "an arena has from 2 MiB to 1 TiB")
    }
    let (all, overflow) = (arenaBytes ?? 0).multipliedReportingOverflow(
      by: configuration.processors)
    if let refusal = AvailableMemory.refusal(of: overflow ? .max : all) {
      throw EngineError(.unavailable, refusal + "; say a smaller --arena, or free memory")
    }
    var made: [Processor] = []
    do throws(RingError) {
      for _ in 0..<configuration.processors {
        var wish = Processor.Configuration()
        wish.arenaBytes = arenaBytes
        made.append(try Processor(wish))
      }
    } catch {
      for processor in made { processor.stop() }
      throw EngineError(error)
    }
    self.configuration = configuration
    processors = made
    lanes = Mutex(made.map { _ in Lane() })
    facts = made.map { EngineFacts($0.facts) }
    for fact in facts {
      configuration.log(LogLine(isWarning: false, text: fact.description))
      if let warning = fact.warning { configuration.log(LogLine(isWarning: true, text: warning)) }
    }
  }

  /// Ends the processors after their last job. Called once, not from a job.
  public func close() {
    for processor in processors { processor.stop() }
  }

  /// Starts `body` as a job on the processor with the fewest.
  func start<Report: Sendable>(
    _ body: @escaping @Sendable (JobContext) async throws(EngineError) -> Report
  ) -> CopyJob<Report> {
    let state = JobState()
    let limits = transferLimits
    let log = configuration.log
    let name = initiatorName
    let task = lanes.withLock { lanes in
      let chosen = lanes.indices.min { lanes[$0].jobs < lanes[$1].jobs } ?? 0
      lanes[chosen].jobs += 1
      let task = processors[chosen].start(after: lanes[chosen].last) {
        ring -> Result<Report, EngineError> in
        defer {
          state.end()
          self.lanes.withLock { $0[chosen].jobs -= 1 }
        }
        guard !state.isCancelled else {
          return .failure(EngineError(.cancelled, "stopped as asked, before it began"))
        }
        do throws(EngineError) {
          return .success(
            try await body(
              JobContext(
                ring: ring, limits: limits, state: state, initiatorName: name, log: log)))
        } catch {
          return .failure(error)
        }
      }
      lanes[chosen].last = processors[chosen].start { _ in _ = await task.value }
      return task
    }
    return CopyJob(state: state, task: task)
  }

  /// Records of this length can be copied within the smallest arena that is chosen by itself.
  private static let easyRecord = 1 << 20
  /// A list may ask for transfers of any length: more memory than for these is not taken unasked.
  private static let largestChosen = 64 << 20

  private var transferLimits: TransferLimits {
    // The smallest: processors may have been given less than was asked for.
    var limits = TransferLimits(arenaBytes: facts.map(\.arenaBytes).min() ?? 0)
    if let depth = configuration.depth {
      limits.writeDepth = depth
      limits.flightBytes = min(limits.reservoirBytes, depth * limits.chunkBytes)
    }
    return limits
  }
}

/// What a job works with, on its processor's thread.
final class JobContext {
  let ring: Ring
  let limits: TransferLimits
  let state: JobState
  let initiatorName: ISCSIName
  let log: @Sendable (Engine.LogLine) -> Void

  init(
    ring: Ring, limits: TransferLimits, state: JobState, initiatorName: ISCSIName,
    log: @escaping @Sendable (Engine.LogLine) -> Void
  ) {
    self.ring = ring
    self.limits = limits
    self.state = state
    self.initiatorName = initiatorName
    self.log = log
  }

  func warn(_ text: String) { log(Engine.LogLine(isWarning: true, text: text)) }
}
