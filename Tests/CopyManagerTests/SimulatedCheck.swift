import CopyManager
import Devices
import SCSI
import Transfer
import Uring

@testable import CopyModel

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

  /// What was wrong, and whether the copy ended before its end.
  struct Finding {
    var violations: [String] = []
    var endedEarly = false
  }

  /// Executes and compares: with the model, else with what may be left behind; `loss` nil: nothing
  /// may differ.
  func check(on files: SimulatedFileSystem, loss: PrefixRules.Loss?) async throws -> Finding {
    guard let report = try await execute(on: files) else {
      return Finding(violations: ["it hangs"])
    }
    var found = Finding()
    if report.leakedBytes != 0 || report.leakedSlices != 0 {
      found.violations.append(
        "\(report.leakedBytes) bytes in \(report.leakedSlices) slices are lost")
    }
    if files.openDescriptorCount != 0 { found.violations.append("files are left open") }
    var devices = try await SimulatedShelf.readBack(scenario.devices, files)
    if let error = report.opening {
      // Opening a cartridge for writing flushes its index: a disk that fails may refuse there.
      if plan.powerLossAtOperation == nil, loss != .reported {
        found.violations.append("\(error)")
      }
      found.endedEarly = true
      if devices != scenario.devices { found.violations.append("opening changed something") }
      return found
    }
    for (number, position) in report.positions.enumerated() {
      if case .tape(var tape) = devices[number], let position {
        tape.position = position
        devices[number] = .tape(tape)
      }
    }
    let differences = differences(report, devices)
    if differences.isEmpty { return found }
    found.endedEarly = true
    guard let loss, report.result?.status != .good, let steps = ModelSteps(scenario) else {
      found.violations += differences
      return found
    }
    let violations = PrefixRules.violations(
      PrefixRules(run: self, steps: steps, report: report, devices: devices, loss: loss))
    if !violations.isEmpty { found.violations += violations + differences }
    return found
  }

  private func differences(_ report: Report, _ devices: [ModelDevice]) -> [String] {
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
    return differences
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
