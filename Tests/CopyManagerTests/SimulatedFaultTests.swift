import Foundation
import Testing
import Uring

@testable import CopyModel

@Suite("Random lists on simulated files", .serialized)
struct SimulatedFaultTests {
  /// 2 parts of these for each kind; ECOPY_SCENARIOS asks for another number.
  static let scenariosPerPart =
    (Int(ProcessInfo.processInfo.environment["ECOPY_SCENARIOS"] ?? "") ?? 250) / 2

  @Test("end as the model says where faults are harmless", arguments: 0..<2)
  func harmless(part: Int) async throws {
    try await forEachScenario(part, 1, isHarmless: true) { run, files in
      var run = run
      run.plan = .harmless(seed: run.scenario.seed)
      return try await run.check(on: files, loss: nil)
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
      return try await run.check(on: files, loss: .nothing)
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
    _ part: Int, _ kind: UInt64, isHarmless: Bool = false,
    _ body: (SimulatedRun, SimulatedFileSystem) async throws -> SimulatedRun.Finding
  ) async throws {
    var (count, early) = (0, 0)
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
      let violations = found.violations.joined(separator: "; ")
      #expect(violations.isEmpty, "seed \(seed): \(violations)\n\(run.description)")
      count += 1
      if found.endedEarly { early += 1 }
      if !violations.isEmpty || only != nil { break }
    }
    if count > 50 { #expect(isHarmless ? early == 0 : early > count / 8, "\(early) of \(count)") }
  }
}
