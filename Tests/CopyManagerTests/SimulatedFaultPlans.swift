import Glibc
import Uring

@testable import CopyModel

extension SimulationPlan {
  /// Faults that a copy survives without a trace.
  static func harmless(seed: UInt64) -> SimulationPlan {
    var random = SplitMix64(seed: seed ^ 0x4A54)
    var plan = random.percent(70) ? rough(seed: seed) : SimulationPlan(seed: seed)
    plan.reordering = random.pick([0, 0.5, 1])
    if random.percent(20) { plan.shortTransfers = 0.6 }
    if random.percent(15) { plan.registrableArenaBytes = 0 }
    if random.percent(15) { plan.registeredFiles = UInt32(random.pick([0, 1, 3])) }
    if random.percent(20) {
      plan.faults.append(SimulatedFault([.allocate], errno: random.pick([ENOSPC, EOPNOTSUPP])))
    }
    return plan
  }

  /// One to three faults of the devices of a scenario, among harmless ones.
  static func failing(_ scenario: Scenario) -> SimulationPlan {
    var random = SplitMix64(seed: scenario.seed ^ 0xFA17)
    var plan = harmless(seed: scenario.seed)
    for _ in 0..<random.number(1...3) { plan.addFault(scenario, &random) }
    return plan
  }

  private mutating func addFault(_ scenario: Scenario, _ random: inout SplitMix64) {
    let number = random.number(0...scenario.devices.count - 1)
    let path = SimulatedShelf.path(number, scenario.devices[number])
    switch scenario.devices[number] {
    case .missing: return
    case .disk(let disk):
      let start = UInt64(random.number(0...disk.bytes.count - 1))
      faults.append(
        SimulatedFault(
          [random.pick([.read, .read, .write, .write, .flush])], path: path,
          bytes: start..<start + UInt64(random.pick([1, 512, 4096, 100_000])), errno: EIO,
          isOnce: random.percent(40)))
    case .tape:
      switch random.number(1...100) {
      case 1...55:
        let start = UInt64(random.number(0...random.pick([4096, 40_000, 400_000])))
        faults.append(
          SimulatedFault(
            [random.pick([.read, .write, .write, .flush])], path: path + "/data",
            bytes: start..<start + UInt64(random.pick([1, 512, 4096, 100_000])), errno: EIO,
            isOnce: random.percent(40)))
      case 56...70:
        faults.append(
          SimulatedFault(
            [random.pick([.write, .flush])], path: path + "/index", errno: EIO,
            isOnce: random.percent(60)))
      case 71...85:
        let call: SimulatedCallFault.Call = random.pick([.write, .synchronize, .rename, .open])
        let name = call == .open || call == .rename ? "/index.new" : "/index"
        callFaults.append(
          SimulatedCallFault(call, path: path + name, skipping: random.number(0...2), errno: EIO))
      case 86...93: failedFlushes = 0.3
      default: bytesUntilNoSpace = UInt64(random.number(0...random.pick([5_000, 200_000])))
      }
    }
  }
}
