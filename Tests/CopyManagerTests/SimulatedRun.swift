import CopyManager
import Devices
import ExtendedCopy
import Glibc
import SCSI
import Transfer
import Uring

@testable import CopyModel

/// One execution of a scenario on a simulated kernel.
struct SimulatedRun: Sendable {
  var scenario: Scenario
  var plan: SimulationPlan
  var limits: TransferLimits
  var streaming: StreamingPolicy?
  var arenaBytes = SimulatedShelf.arenaBytes
  /// Simulated nanoseconds after which the copy is cancelled.
  var cancelsAfter: UInt64?

  /// What became of it.
  struct Report: Sendable {
    var result: CopyResult?
    var refusal: SenseData?
    /// Where tapes stood at the end.
    var positions: [Int?] = []
    /// The devices' answers to being closed.
    var closings: [DeviceStatus] = []
    /// Whether the power was there to the end.
    var wasDown = false
    var opening: DeviceError?
    var leakedBytes = 0
    var leakedSlices = 0
    var nanoseconds: UInt64 = 0
  }

  /// Longer than any run takes in simulated time.
  private static let longest: UInt64 = 3_000_000_000_000

  /// And in real time, where a loop makes no simulated time pass.
  private static let longestSeconds = 240

  /// Executes the list; nil where it did not come to an end. It then hangs for good: its thread is
  /// left behind.
  func execute(on files: SimulatedFileSystem) async throws -> Report? {
    let kernel = SimulatedKernel(files: files, plan: plan)
    var configuration = Processor.Configuration()
    configuration.arenaBytes = arenaBytes
    configuration.kernel = { kernel }
    let processor = try Processor(configuration)
    let (reports, continuation) = AsyncStream.makeStream(of: Report?.self)
    Task {
      continuation.yield(
        await processor.run { ring in await body(ring, files) { continuation.yield(nil) } })
    }
    let clock = Task {
      try await Task.sleep(for: .seconds(Self.longestSeconds))
      continuation.yield(nil)
    }
    defer { clock.cancel() }
    for await report in reports {
      if report != nil { processor.stop() }
      return report
    }
    return nil
  }

  private func body(
    _ ring: Ring, _ files: SimulatedFileSystem, hangs: @escaping () -> Void
  ) async -> Report {
    var report = Report()
    let (freeBytes, freeSlices) = (ring.arena.freeByteCount, ring.arena.freeSliceCount)
    let watchdog = Alarm(ring, after: Self.longest, insists: true, hangs)
    let start = ring.now
    do throws(DeviceError) {
      let devices = try await SimulatedShelf.open(scenario.devices, ring)
      do throws(ParameterListError) {
        let list = try scenario.decoded()
        report.result = await copy(list, devices, ring)
      } catch {
        report.refusal = error.sense
      }
      await close(devices, &report)
    } catch {
      report.opening = error
    }
    report.nanoseconds = ring.now - start
    report.wasDown = files.isDown
    await watchdog.end()
    report.leakedBytes = freeBytes - ring.arena.freeByteCount
    report.leakedSlices = freeSlices - ring.arena.freeSliceCount
    return report
  }

  private func copy(_ list: ParameterList, _ devices: [CopyDevice?], _ ring: Ring) async
    -> CopyResult
  {
    let manager = CopyManager(ring: ring, limits: limits, streaming: streaming)
    let alarm = cancelsAfter.map { Alarm(ring, after: $0) { manager.cancel() } }
    let result = await manager.execute(list, devices: devices)
    await alarm?.end()
    return result
  }

  private func close(_ devices: [CopyDevice?], _ report: inout Report) async {
    for device in devices {
      switch device {
      case .block(let disk):
        await disk.close()
        report.positions.append(nil)
      case .stream(let tape):
        let position = try? await tape.position()
        report.positions.append(position.map { Int($0.object) })
        report.closings.append(await tape.close())
      case nil: report.positions.append(nil)
      }
    }
  }
}

extension SimulatedRun: CustomStringConvertible {
  /// What a failing seed was about.
  var description: String {
    let limits =
      "chunk \(limits.chunkBytes) flight \(limits.flightBytes) reservoir \(limits.reservoirBytes)"
    var lines = ["arena \(arenaBytes) \(limits), streaming \(String(describing: streaming))"]
    guard let list = try? scenario.decoded() else { return lines[0] }
    lines += list.targets.enumerated().map { "target \($0.offset) \($0.element.device)" }
    for (number, segment) in list.segments.enumerated() {
      let source = segment.source.map { "from \($0) " } ?? ""
      let destination = segment.destination.map { "to \($0) " } ?? ""
      let text = "\(segment.operation)".prefix(120)
      lines.append("segment \(number) cat \(segment.cat) \(source)\(destination)\(text)")
    }
    return lines.joined(separator: "\n")
  }
}

/// Does something when simulated time has passed.
final class Alarm: CompletionHandler {
  private let ring: Ring
  private let nanoseconds: UInt64
  private let insists: Bool
  private var operation: OperationID?
  private var action: (() -> Void)?
  private var waiter: CheckedContinuation<Void, Never>?
  private var attempts = 0

  /// `insists`: goes on when the kernel ends it early, as it does when the power fails.
  init(
    _ ring: Ring, after nanoseconds: UInt64, insists: Bool = false, _ action: @escaping () -> Void
  ) {
    self.ring = ring
    self.nanoseconds = nanoseconds
    self.insists = insists
    self.action = action
    super.init()
    operation = ring.timeout(nanoseconds: nanoseconds, for: self, tag: 0)
  }

  override func complete(_ completion: consuming Completion) {
    operation = nil
    attempts += 1
    if completion.result == -ECANCELED, waiter == nil, insists, attempts < 100_000 {
      operation = ring.timeout(nanoseconds: nanoseconds, for: self, tag: 0)
      return
    }
    if waiter == nil { action?() }
    action = nil
    waiter.take()?.resume()
  }

  /// Ends it, whether it has rung or not.
  func end() async {
    guard let operation else { return }
    await withCheckedContinuation {
      waiter = $0
      ring.cancel(operation)
    }
  }
}
