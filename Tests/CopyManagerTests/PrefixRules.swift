import Devices
import SCSI
import Transfer
import Uring

@testable import CopyManager
@testable import CopyModel

/// What may be found after a list that ended early: nothing but what the model does, up to the
/// segment that is reported and not beyond it.
struct PrefixRules {
  /// What a tape may have lost.
  enum Loss {
    /// Nothing that a completed segment wrote.
    case nothing
    /// What was not durable, if a deferred error says so.
    case reported
    /// What was not durable.
    case anything
  }

  let scenario: Scenario
  let steps: ModelSteps
  let plan: SimulationPlan
  let heldDataLimit: Int
  let report: SimulatedRun.Report
  let devices: [ModelDevice]
  let loss: Loss

  private var found: [String] = []

  init(
    run: SimulatedRun, steps: ModelSteps, report: SimulatedRun.Report, devices: [ModelDevice],
    loss: Loss
  ) {
    scenario = run.scenario
    plan = run.plan
    heldDataLimit = run.limits.heldBytes
    self.steps = steps
    self.report = report
    self.devices = devices
    self.loss = loss
  }

  /// Everything that must not be, for a copy that ended in the midst of a segment.
  static func violations(_ rules: PrefixRules) -> [String] {
    var rules = rules
    rules.check()
    return rules.found
  }

  private mutating func violate(_ text: String) { found.append(text) }

  private var sense: SenseData? { report.result?.sense }

  /// Whether the devices said that data accepted earlier is lost.
  private var saysLost: Bool {
    sense?.forwarded.contains { $0.sense.first.map { $0 & 0x7F == 0x71 } ?? false } ?? false
  }

  private mutating func check() {
    guard let result = report.result else { return violate("no result") }
    let number = result.segmentsProcessed - 1
    guard steps.segments.indices.contains(number), number <= steps.failing ?? .max else {
      return violate("segments \(result.segmentsProcessed)")
    }
    switch result.status {
    case .checkCondition: checkSense(number)
    case .taskAborted:
      if sense != nil { violate("sense data with TASK ABORTED") }
    default: violate("status \(result.status)")
    }
    for device in devices.indices {
      switch devices[device] {
      case .disk(let disk): checkDisk(device, disk, number)
      case .tape(let tape): checkTape(device, tape, number)
      case .missing: break
      }
    }
    checkHeldData(number, result)
    if !saysLost, loss != .anything, sense?.additional == .thirdPartyDeviceFailure {
      checkInformation(number)
    }
  }

  // MARK: Sense data

  private mutating func checkSense(_ number: Int) {
    guard let sense else { return violate("no sense data") }
    if sense.key != .copyAborted { violate("key \(sense.key)") }
    if sense.copySegment.map({ Int($0) }) != number {
      violate("segment \(sense.copySegment ?? 0xFFFF) of \(number)")
    }
    let model = steps.after(number)
    let isModel =
      number == steps.failing && sense.additional.code == model.asc
      && sense.additional.qualifier == model.ascq
    if sense.additional != .thirdPartyDeviceFailure {
      if !isModel { violate("\(sense.additional)") }
    } else if sense.forwarded.isEmpty {
      violate("no forwarded sense")
    }
    for forwarded in sense.forwarded { checkForwarded(forwarded, number, isModel) }
  }

  /// A device may only say what its faults make it say.
  private mutating func checkForwarded(
    _ forwarded: SenseData.ForwardedSense, _ number: Int, _ isModel: Bool
  ) {
    if isModel {
      let own =
        forwarded.origin == .source
        ? steps.after(number).sourceSense : steps.after(number).destinationSense
      if let own, Condition(own).senseBytes == forwarded.sense { return }
    }
    guard let condition = try? SenseData.decode(forwarded.sense) else {
      return violate("forwarded \(forwarded.sense)")
    }
    var suspects: [Int] = []
    if forwarded.origin == .source {
      suspects = [steps.source(of: number)].compactMap { $0 }
    } else if saysLost || number == steps.segments.count - 1 {
      // What is flushed at the end was written by any segment.
      suspects = Array(devices.indices)
    } else {
      suspects = [steps.destination(of: number)].compactMap { $0 }
    }
    let keys = Set(suspects.flatMap { faultKeys(of: $0) })
    if !keys.contains(condition.key) {
      violate("\(forwarded.origin) says \(condition.key), of \(keys)")
    }
  }

  private func faultKeys(of device: Int) -> [SenseKey] {
    if plan.powerLossAtOperation != nil { return [.mediumError, .abortedCommand] }
    var keys: [SenseKey] = []
    let path = SimulatedShelf.path(device, devices[device])
    func concerns(_ other: String?) -> Bool { other.map { $0.hasPrefix(path) } ?? true }
    if plan.failedFlushes > 0 || plan.faults.contains(where: { concerns($0.path) })
      || plan.callFaults.contains(where: { concerns($0.path) })
    {
      keys.append(.mediumError)
    }
    if plan.bytesUntilNoSpace != nil { keys += [.dataProtect, .volumeOverflow] }
    return keys
  }

  // MARK: Data

  private mutating func checkDisk(_ device: Int, _ disk: ModelDisk, _ number: Int) {
    let first = loss == .anything ? 0 : number
    let last = min(number + 1, steps.states.count - 1)
    let states = steps.states[first...last].compactMap { $0.devices[device].disk?.bytes }
    guard let before = states.first, let after = states.last else { return }
    if disk.bytes == before || disk.bytes == after { return }
    guard disk.bytes.count == before.count else { return violate("length of disk \(device)") }
    let wrong = stride(from: 0, to: disk.bytes.count, by: 512).first { start in
      let sector = start..<min(start + 512, disk.bytes.count)
      if states.contains(where: { $0[sector] == disk.bytes[sector] }) { return false }
      return !sector.allSatisfy { at in states.contains { $0[at] == disk.bytes[at] } }
    }
    if let wrong { violate("sector at byte \(wrong) of disk \(device)") }
  }

  private mutating func checkTape(_ device: Int, _ tape: ModelTape, _ number: Int) {
    guard let before = steps.states[number].devices[device].tape,
      let after = steps.after(number).devices[device].tape
    else { return }
    let isDestination = steps.destination(of: number) == device
    let written = isDestination && steps.writes(number)
    let isWhole =
      tape.objects == before.objects
      || (written && tape.objects.count >= before.position
        && after.objects.starts(with: tape.objects))
    if !isWhole {
      let isKnown =
        before.objects.starts(with: tape.objects)
        || (written && after.objects.starts(with: tape.objects))
      let floor = steps.floor(within: number, of: device)
      if !isKnown {
        violate("tape \(device) holds what was never written there")
      } else if tape.objects.count < floor {
        violate("tape \(device): \(tape.objects.count) objects, \(floor) were durable")
      } else if loss == .nothing || (loss == .reported && !saysLost) {
        violate(
          "tape \(device): \(tape.objects.count) objects, of \(before.objects.count) before and"
            + " \(after.objects.count) behind, and nothing says so")
      }
    }
    if loss != .anything, !saysLost { checkPosition(device, before, after, number) }
  }

  private mutating func checkPosition(
    _ device: Int, _ before: ModelTape, _ after: ModelTape, _ number: Int
  ) {
    guard let position = report.positions[device] else { return }
    var range = min(before.position, after.position)...max(before.position, after.position)
    if steps.source(of: number) == device, !steps.segments[number].isPositioning {
      // Behind a record that cannot be read; an image copy reads ahead of what it writes.
      let ahead = steps.segments[number].code == 0x13 ? ModelTests.imageReadAhead : 1
      range = range.lowerBound...range.upperBound + ahead
    }
    if !range.contains(position) {
      violate("tape \(device) stands at \(position), not in \(range)")
    }
  }

  private mutating func checkHeldData(_ number: Int, _ result: CopyResult) {
    let before = steps.states[number].heldData
    let after = steps.after(number).heldData
    let counts = before.count...after.count
    let isHeld: Bool
    if result.heldData.count < heldDataLimit {
      isHeld =
        counts.contains(result.heldData.count) && after.starts(with: result.heldData)
        && !result.heldDataDiscarded
    } else {
      isHeld = counts.contains { count in
        result.heldDataDiscarded == (count > heldDataLimit)
          && after[max(0, count - heldDataLimit)..<count].elementsEqual(result.heldData)
      }
    }
    if !isHeld { violate("held data: \(result.heldData.count) bytes") }
  }

  // MARK: INFORMATION

  /// What the sense data says was not written, held against what is there.
  private mutating func checkInformation(_ number: Int) {
    guard let total = steps.writtenBytes(by: number),
      let shape = ModelShape(steps.segments[number]),
      let device = steps.destination(of: number)
    else { return }
    switch (shape.destination, devices[device]) {
    case (.stream, .tape(let tape)):
      checkTapeInformation(device, tape, number, total: total)
    case (.block(_, let lba, let byteOffset, _), .disk(let disk)):
      guard let information = sense?.information,
        let after = steps.after(number).devices[device].disk
      else { return }
      let blockLength = disk.blockLength
      let start = Int(lba) * blockLength + byteOffset
      let first = start / blockLength
      let end = (start + total + blockLength - 1) / blockLength
      let done = end - first - Int(information)
      guard done >= 0, first + done <= end,
        disk.bytes[first * blockLength..<(first + done) * blockLength]
          == after.bytes[first * blockLength..<(first + done) * blockLength]
      else { return violate("information \(information) of disk \(device)") }
    default: break
    }
  }

  private mutating func checkTapeInformation(
    _ device: Int, _ tape: ModelTape, _ number: Int, total: Int
  ) {
    guard let before = steps.states[number].devices[device].tape, tape.objects != before.objects
    else {
      if let information = sense?.information {
        violate("information \(information), and nothing is written")
      }
      return
    }
    let added = tape.objects.dropFirst(before.position)
    let written = added.reduce(0) { sum, object in
      if case .record(let bytes) = object { sum + bytes.count } else { sum }
    }
    let left = total - written
    let target = steps.list.targets[device]
    let blockLength = target.flatMap { $0.fixed ? $0.blockLength : nil } ?? 1
    let expected = written == 0 ? nil : UInt64(left / blockLength)
    if sense?.information != expected {
      violate("information \(sense?.information ?? .max), \(left) bytes of \(total) are left")
    }
  }
}

extension ModelSegment {
  var isPositioning: Bool { code == 0x11 || code == 0x12 }
}
