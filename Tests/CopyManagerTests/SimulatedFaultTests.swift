import CopyManager
import Devices
import Foundation
import Glibc
import SCSI
import Testing
import Transfer
import Uring

@testable import CopyModel

@Suite("Random lists on simulated files", .serialized)
struct SimulatedFaultTests {
  /// 2 parts of these for each kind; ECOPY_SCENARIOS asks for another number.
  static let scenariosPerPart =
    (Int(ProcessInfo.processInfo.environment["ECOPY_SCENARIOS"] ?? "") ?? 250) / 2

  @Test("end as the model says where faults are harmless", arguments: 0..<2)
  func harmless(part: Int) async throws {
    try await forEachScenario(part, 1) { run, files in
      var run = run
      run.plan = .harmless(seed: run.scenario.seed)
      return try await run.check(on: files) { _ in ["no fault was there"] }
    }
  }

  @Test("end as the model says or at the segment that met a bad disk", arguments: 0..<2)
  func failing(part: Int) async throws {
    try await forEachScenario(part, 2) { run, files in
      var run = run
      run.plan = .failing(run.scenario)
      return try await run.check(on: files, loss: .reported)
    }
  }

  @Test("stop where they are when they are cancelled", arguments: 0..<2)
  func cancelled(part: Int) async throws {
    try await forEachScenario(part, 3) { run, files in
      var run = run
      var random = SplitMix64(seed: run.scenario.seed ^ 0xCA9C)
      run.plan = .harmless(seed: run.scenario.seed)
      run.cancelsAfter = 1_000 << UInt64(random.number(0...16)) + random.next() % 1_000_000
      return try await run.check(on: files, loss: .none)
    }
  }

  @Test("leave what was durable when the power fails", arguments: 0..<2)
  func powerLoss(part: Int) async throws {
    try await forEachScenario(part, 4) { run, files in
      var run = run
      var random = SplitMix64(seed: run.scenario.seed ^ 0x10555)
      run.plan = .harmless(seed: run.scenario.seed)
      // The first operations open the devices.
      run.plan.powerLossAtOperation = 40 + random.number(0...(2 << random.number(0...8)))
      return try await run.check(on: files, loss: .anything)
    }
  }
}

extension SimulatedFaultTests {
  /// Runs scenarios until one shows a difference, which is an issue with its seed.
  private func forEachScenario(
    _ part: Int, _ kind: UInt64,
    _ body: (SimulatedRun, SimulatedFileSystem) async throws -> [String]
  ) async throws {
    var only: UInt64?
    if let text = ProcessInfo.processInfo.environment["ECOPY_SEED"] { only = UInt64(text) }
    for number in 0..<Self.scenariosPerPart {
      let seed = only ?? UInt64(number * 2 + part) + kind * 1_000_000_000
      var generator = ListGenerator(seed: seed)
      let scenario = generator.next()
      if scenario.devices.contains(where: { $0.tape?.capacity == 0 }) { continue }
      let alignment: UInt32 = [512, 4096, 0, 512][Int(seed % 4)]
      let files = try await SimulatedShelf.make(scenario.devices, directAlignment: alignment)
      let run = SimulatedRun(scenario, seed: seed)
      let found = try await body(run, files)
      #expect(
        found.isEmpty, "seed \(seed): \(found.joined(separator: "; "))\n\(run.description)")
      if !found.isEmpty || only != nil { break }
    }
  }
}

extension SimulatedRun {
  /// With limits and streaming that the seed chooses.
  init(_ scenario: Scenario, seed: UInt64) {
    var random = SplitMix64(seed: seed ^ 0x11A175)
    var limits = ModelTests.limits(seed)
    var arenaBytes = SimulatedShelf.arenaBytes
    if random.percent(30) {
      // A reservoir of two of the largest records, and less in flight than one.
      arenaBytes = 2 << 20
      limits.reservoirBytes = max(4096 * 2, 2 * scenario.largestUnit)
      limits.flightBytes = 512
      limits.chunkBytes = random.pick([512, 4096, 65_536, 1 << 20])
      limits.writeDepth = random.number(1...3)
    }
    limits.heldBytes = random.pick([100, 4096, 1 << 20])
    var streaming: StreamingPolicy?
    if random.percent(25) {
      streaming = StreamingPolicy(
        startThreshold: random.number(1...limits.reservoirBytes),
        rates: random.percent(50) ? 1e6...4e6 : nil)
    }
    self.init(
      scenario: scenario, plan: SimulationPlan(seed: seed), limits: limits, streaming: streaming,
      arenaBytes: arenaBytes)
  }

  /// Executes and compares: with the model, else by what it may leave behind.
  func check(
    on files: SimulatedFileSystem, loss: PrefixRules.Loss
  ) async throws -> [String] {
    try await check(on: files) { rules in
      PrefixRules.violations(
        PrefixRules(
          run: self, steps: rules.steps, report: rules.report, devices: rules.devices, loss: loss))
    }
  }

  /// What a run that did not end as the model says left behind.
  struct Leavings {
    var steps: ModelSteps
    var report: Report
    var devices: [ModelDevice]
    var differences: [String]
  }

  func check(on files: SimulatedFileSystem, otherwise: (Leavings) -> [String]) async throws
    -> [String]
  {
    guard let report = try await execute(on: files) else { return ["it hangs"] }
    var found: [String] = []
    if report.opening != nil, plan.powerLossAtOperation == nil {
      found.append("\(report.opening.map { "\($0)" } ?? "")")
    }
    if report.leakedBytes != 0 || report.leakedSlices != 0 {
      found.append("\(report.leakedBytes) bytes in \(report.leakedSlices) slices are lost")
    }
    if files.openDescriptorCount != 0 { found.append("files are left open") }
    var devices = try await SimulatedShelf.readBack(scenario.devices, files)
    guard report.opening == nil else { return found }
    for (number, position) in report.positions.enumerated() {
      if case .tape(var tape) = devices[number], let position {
        tape.position = position
        devices[number] = .tape(tape)
      }
    }
    let expected = CopyModel.execute(
      list: scenario.list, devices: scenario.devices, heldDataLimit: limits.heldBytes,
      lid4: scenario.lid4)
    var differences = ModelTests.differences(
      scenario, expected,
      ModelTests.Outcome(result: report.result, refusal: report.refusal, devices: devices))
    if scenario.holdsOverlapping {
      // What does not fit into memory is read once to be held and once to be moved.
      differences.removeAll { $0.hasPrefix("read: ") }
    }
    if differences.isEmpty { return found }
    guard report.result?.status != .good, let steps = ModelSteps(scenario) else {
      return found + differences
    }
    let leavings = Leavings(
      steps: steps, report: report, devices: devices, differences: differences)
    let violations = otherwise(leavings)
    return violations.isEmpty ? found : found + violations + differences
  }
}

extension Scenario {
  /// Whether a segment holds what it moves from a disk to the same disk.
  var holdsOverlapping: Bool {
    guard let list = try? ModelList(self.list, lid4: lid4) else { return false }
    return list.segments.contains { $0.code == 0x0D && $0.bytes[4..<6] == $0.bytes[6..<8] }
  }

  /// Bytes of the longest record, or of the longest command of the list.
  var largestUnit: Int {
    var largest = 1
    for device in devices {
      for case .record(let bytes) in device.tape?.objects ?? [] {
        largest = max(largest, bytes.count)
      }
    }
    guard let list = try? ModelList(self.list, lid4: lid4) else { return largest }
    for segment in list.segments {
      guard let shape = ModelShape(segment) else { continue }
      for (side, offset) in [(shape.source, 4), (shape.destination, 6)] {
        guard case .stream(let length) = side else { continue }
        let index = field(segment.bytes, at: offset, width: 2)
        let blockLength = index < list.targets.count ? list.targets[index]?.blockLength ?? 0 : 0
        largest = max(largest, length * max(1, blockLength))
      }
    }
    return largest
  }
}
