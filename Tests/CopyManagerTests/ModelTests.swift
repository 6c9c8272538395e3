import Devices
import Foundation
import ExtendedCopy
import SCSI
import Testing
import Transfer
import Uring

@testable import CopyManager
@testable import CopyModel

@Suite("The copy manager and the model written from the rules alone", .serialized)
struct ModelTests {
  /// What a run left behind, for comparison outside the processor's thread.
  struct Outcome: Sendable {
    var result: CopyResult?
    var refusal: SenseData?
    var devices: [ModelDevice]
    /// Memory that was not given back.
    var leakedBytes = 0
    var leakedSlices = 0
  }

  static func run(
    _ scenario: Scenario, on processor: Processor, limits: TransferLimits, seed: UInt64
  ) async -> Outcome {
    await processor.run { ring in
      let (freeBytes, freeSlices) = (ring.arena.freeByteCount, ring.arena.freeSliceCount)
      var outcome = await run(scenario, on: ring, limits: limits, seed: seed)
      outcome.leakedBytes = freeBytes - ring.arena.freeByteCount
      outcome.leakedSlices = freeSlices - ring.arena.freeSliceCount
      return outcome
    }
  }

  private static func run(
    _ scenario: Scenario, on ring: Ring, limits: TransferLimits, seed: UInt64
  ) async -> Outcome {
    var devices: [CopyDevice?] = []
    for (number, device) in scenario.devices.enumerated() {
      switch device {
      case .disk(let disk):
        devices.append(
          .block(MemoryDisk(disk, number: UInt64(number), ring: ring, seed: seed &+ 7)))
      case .tape(let tape):
        devices.append(
          .stream(MemoryTape(tape, number: number, ring: ring, seed: seed &+ UInt64(number))))
      case .missing: devices.append(nil)
      }
    }
    let list: ParameterList
    do throws(ParameterListError) {
      list = try scenario.decoded()
    } catch {
      return Outcome(refusal: error.sense, devices: scenario.devices)
    }
    let manager = CopyManager(ring: ring, limits: limits)
    let result = await manager.execute(list, devices: devices)
    let after = zip(scenario.devices, devices).map { before, device -> ModelDevice in
      switch (before, device) {
      case (.disk(var disk), .block(let block)):
        if let memory = block as? MemoryDisk { disk.bytes = memory.bytes }
        return .disk(disk)
      case (.tape, .stream(let stream)):
        if let memory = stream as? MemoryTape { return .tape(memory.tape) }
        return before
      default: return before
      }
    }
    return Outcome(result: result, devices: after)
  }

  static func limits(_ seed: UInt64) -> TransferLimits {
    var limits = TransferLimits(arenaBytes: 4 << 20)
    limits.heldBytes = 4096
    if seed % 3 == 1 {
      limits.chunkBytes = 4096
      limits.reservoirBytes = 1 << 20
      limits.flightBytes = 64 << 10
    } else if seed % 3 == 2 {
      limits.chunkBytes = 64 << 10
      limits.writeDepth = 2
    }
    return limits
  }

  /// 4 parts of these; ECOPY_SCENARIOS asks for more.
  static let scenariosPerPart =
    Int(ProcessInfo.processInfo.environment["ECOPY_SCENARIOS"] ?? "") ?? 250

  @Test("agree on every byte and every sense code of random lists", arguments: 0..<4)
  func random(_ part: Int) async throws {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 4 << 20
    let processor = try Processor(configuration)
    for number in 0..<Self.scenariosPerPart {
      let seed = UInt64(part * 1_000_000 + number)
      var generator = ListGenerator(seed: seed)
      let scenario = generator.next()
      let limits = Self.limits(seed)
      let expected = CopyModel.execute(
        list: scenario.list, devices: scenario.devices, heldDataLimit: limits.heldBytes,
        lid4: scenario.lid4)
      let outcome = await Self.run(scenario, on: processor, limits: limits, seed: seed)
      let differences = Self.differences(scenario, expected, outcome)
      #expect(differences.isEmpty, "seed \(seed): \(differences.joined(separator: "; "))")
      if !differences.isEmpty {
        print(
          "  model: key", expected.senseKey, expected.asc, expected.ascq, "segment",
          expected.segmentNumber ?? -1, "pointer", expected.fieldPointer?.offset ?? -1,
          "header", scenario.list.prefix(16))
        let list = try scenario.decoded()
        for target in list.targets { print("  target", target.device, target.isNull) }
        for segment in list.segments {
          print(
            "  segment cat", segment.cat, "from", segment.source ?? 9, "to",
            segment.destination ?? 9, segment.operation)
        }
        break
      }
    }
    processor.stop()
  }

  /// Everything the rules fix, compared; what they leave open is left out by the model's word.
  static func differences(
    _ scenario: Scenario, _ expected: ModelResult, _ outcome: Outcome
  ) -> [String] {
    var found: [String] = []
    func compare<Value: Equatable>(_ name: String, _ expected: Value, _ actual: Value) {
      if expected != actual { found.append("\(name): expected \(expected), got \(actual)") }
    }
    let sense = outcome.refusal ?? outcome.result?.sense
    compare("bytes lost", 0, outcome.leakedBytes)
    compare("slices lost", 0, outcome.leakedSlices)
    compare(
      "status", expected.status, outcome.refusal == nil ? outcome.result?.status.rawValue ?? 9 : 2)
    compare("key", expected.senseKey, sense?.key.rawValue ?? 0)
    compare("asc", expected.asc, sense?.additional.code ?? 0)
    compare("ascq", expected.ascq, sense?.additional.qualifier ?? 0)
    if expected.status != 0, expected.senseKey == 0xA {
      compare("segment", expected.segmentNumber, sense?.copySegment.map { Int($0) })
      compare("information", expected.information, sense?.information)
      for (name, origin, model) in [
        ("source", SenseData.ForwardedSense.Origin.source, expected.sourceSense),
        ("destination", .destination, expected.destinationSense),
      ] {
        let forwarded = sense?.forwarded.first { $0.origin == origin }
        let expectedBytes = model.map { Condition($0).senseBytes }
        compare("\(name) sense", expectedBytes, forwarded?.sense)
      }
      compare("pointer", expected.fieldPointer?.offset, sense?.fieldPointer.map { Int($0.offset) })
    }
    if outcome.refusal == nil, let result = outcome.result, expected.senseKey != 5 {
      compare("segments", expected.segmentsProcessed, result.segmentsProcessed)
      if !expected.heldDataIsLoose {
        if expected.heldData != result.heldData {
          found.append("held: \(result.heldData.count) bytes, not the right ones")
        }
        compare("held discarded", expected.heldDataDiscarded, result.heldDataDiscarded)
      }
      if expected.status == 0 {
        compare("read", UInt64(expected.bytesRead), result.counters.bytesRead)
        compare("written", UInt64(expected.bytesWritten), result.counters.bytesWritten)
      }
    }
    for (number, pair) in zip(expected.devices, outcome.devices).enumerated() {
      if case (.tape(var model), .tape(var real)) = pair,
        expected.loosePosition?.device == number
      {
        if expected.loosePosition?.range.contains(real.position) == false {
          found.append("device \(number) stands at \(real.position)")
        }
        model.position = 0
        real.position = 0
        if model != real { found.append("device \(number) differs") }
      } else if case .tape(let model) = pair.0, case .tape(let real) = pair.1,
        model.objects == real.objects, expected.destinationSense != nil,
        imageSource(scenario, expected.segmentNumber) == number,
        (model.position...model.position + imageReadAhead).contains(real.position)
      {
        // An image copy reads ahead of a destination that then fails.
        continue
      } else if pair.0 != pair.1 {
        found.append("device \(number) differs: \(Self.describe(pair.0, pair.1))")
      }
    }
    return found
  }

  /// Records that an image copy reads of a tape before one of them is written.
  static let imageReadAhead = 2 * 8

  /// The device a failed image copy (13h) was reading.
  static func imageSource(_ scenario: Scenario, _ segment: Int?) -> Int? {
    guard let segment, let list = try? scenario.decoded(),
      case .tapeImageCopy = list.segments[segment].operation
    else { return nil }
    return list.segments[segment].source.map { Int($0) }
  }

  static func text(_ object: ModelTape.Object?) -> String {
    switch object {
    case .record(let bytes): "\(bytes.count) bytes \(bytes.prefix(4))"
    case .filemark: "filemark"
    case nil: "nothing"
    }
  }

  static func describe(_ expected: ModelDevice, _ actual: ModelDevice) -> String {
    switch (expected, actual) {
    case (.disk(let one), .disk(let other)):
      let first = zip(one.bytes, other.bytes).enumerated().first { $0.element.0 != $0.element.1 }
      return "disk at byte \(first?.offset ?? -1)"
    case (.tape(let one), .tape(let other)):
      let first = zip(one.objects, other.objects).enumerated().first {
        $0.element.0 != $0.element.1
      }
      return
        "tape of \(one.objects.count)/\(other.objects.count) objects at \(one.position)/\(other.position), first at \(first?.offset ?? -1): \(Self.text(first?.element.0)) and \(Self.text(first?.element.1))"
    default: return "kinds"
    }
  }
}

extension Scenario {
  /// As the copy manager gets it.
  func decoded() throws(ParameterListError) -> ParameterList {
    try ParameterList.decode(list, serviceAction: lid4 ? .lid4 : .lid1)
  }
}
