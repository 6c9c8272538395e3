import ExtendedCopy
import Foundation
import SAM
import SCSI
import Testing
import Uring

@testable import CopyModel
@testable import DeviceServers

/// Random block lists on three disks.
private struct BlockScenario {
  var list: CopyList
  var disks: [ModelDisk]
  /// Descriptor numbers that name nothing.
  var missing: Set<Int>

  init(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    list = CopyList(identifier: UInt32(random.number(0...255)))
    list.usage = random.percent(80) ? 0b00 : 0b10
    disks = []
    missing = []
    for number in 0..<3 {
      let blockLength = random.pick([512, 512, 1024, 4096])
      let blocks = random.number(16...96)
      var disk = ModelDisk(blockLength: blockLength, bytes: random.bytes(blocks * blockLength))
      disk.readOnly = random.percent(4)
      disks.append(disk)
      if random.percent(3) { missing.insert(number) }
      let designator = MemoryUnit.designator(UInt8(missing.contains(number) ? 90 : number))
      var target = CopyList.cscd(
        designator, blockLength: random.percent(30) ? 0 : blockLength,
        flags: random.percent(2) ? 0x20 : 0)
      target[28] = random.percent(40) ? 0x04 : 0
      list.targets.append(target)
    }
    for _ in 0..<random.number(1...8) { list.segments.append(segment(&random)) }
  }

  private func segment(_ random: inout SplitMix64) -> [UInt8] {
    let source = random.percent(2) ? 3 : random.number(0...2)
    let destination = random.percent(2) ? 9 : random.number(0...2)
    let most = random.percent(5) ? 120 : 30
    let cat: UInt8 = random.percent(50) ? 1 : 0
    switch random.number(0...9) {
    case 0:
      return [7, 0, 0, 8, 0, UInt8(source), 0, 0, UInt8(random.number(0...1)), 0, 0, 0]
    case 1, 2, 3:
      var segment = CopyList.bytes(
        UInt32(random.number(0...20000)), from: UInt64(random.number(0...most)),
        to: UInt64(random.number(0...most)))
      segment[1] = cat
      segment[5] = UInt8(source)
      segment[7] = UInt8(destination)
      segment.replaceSubrange(28..<32, with: bigEndian(random.number(0...600), 2) + [0, 9])
      return segment
    default:
      return CopyList.blocks(
        random.number(0...most), from: UInt64(random.number(0...most)),
        to: UInt64(random.number(0...most)), source: UInt16(source),
        destination: UInt16(destination), flags: cat | (random.percent(40) ? 2 : 0),
        type: random.percent(25) ? 0x0D : 0x02)
    }
  }
}

@Suite("Copies between logical units and the model written from the rules alone", .serialized)
struct CopyModelTests {
  /// ECOPY_SCENARIOS asks for more.
  static let scenarios =
    Int(ProcessInfo.processInfo.environment["ECOPY_SCENARIOS"] ?? "") ?? 150

  @Test("agree on every byte, on the sense data and on what is held")
  func random() async throws {
    let found = try await withCopyBench { bench in
      var found: [String] = []
      for seed in 0..<UInt64(Self.scenarios) where found.count < 3 {
        let differences = await Self.run(BlockScenario(seed: seed), bench)
        if !differences.isEmpty {
          found.append("seed \(seed): \(differences.joined(separator: "; "))")
        }
      }
      return found
    }
    #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
  }

  private static func run(_ scenario: BlockScenario, _ bench: CopyBench) async -> [String] {
    let devices = scenario.disks.enumerated().map { number, disk in
      scenario.missing.contains(number) ? ModelDevice.missing : .disk(disk)
    }
    let expected = CopyModel.execute(
      list: scenario.list.bytes, devices: devices, heldDataLimit: CopyLimits.heldBytes)
    bench.units = scenario.disks.enumerated().map { number, disk in
      let unit = MemoryUnit(
        UInt8(number), blockLength: disk.blockLength, bytes: disk.bytes, ring: bench.ring)
      unit.isReadOnly = disk.readOnly
      return unit
    }
    let answer = await bench.copy(scenario.list)
    var found: [String] = []
    func compare<Value: Equatable>(_ name: String, _ expected: Value, _ actual: Value) {
      if expected != actual { found.append("\(name): expected \(expected), got \(actual)") }
    }
    compare("status", expected.status, answer.status.rawValue)
    compare("key", expected.senseKey, answer.sense?.key.rawValue ?? 0)
    compare("asc", expected.asc, answer.sense?.additional.code ?? 0)
    compare("ascq", expected.ascq, answer.sense?.additional.qualifier ?? 0)
    compare("segment", expected.segmentNumber, answer.sense?.copySegment.map { Int($0) })
    compare("information", expected.information, answer.sense?.information)
    for (number, unit) in bench.units.enumerated() where !scenario.missing.contains(number) {
      if case .disk(let disk) = expected.devices[number], disk.bytes != unit.bytes {
        found.append("disk \(number) differs")
      }
    }
    if scenario.list.usage == 0, !expected.heldDataIsLoose {
      let bytes = try? bench.receive(.receiveData, scenario.list.identifier, length: .max)
      let held = bytes.flatMap { try? HeldData.decode($0).data }
      if held != expected.heldData { found.append("held data differs") }
    }
    return found
  }
}
