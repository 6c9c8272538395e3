import SCSI
import Testing
import Uring

@testable import Devices

@Suite("A cartridge that loses power")
struct CartridgePowerLossTests {
  /// What may be found after a power loss.
  struct Ledger: Sendable {
    /// What the tape was when it was last reported durable, or found.
    var durable: [NaiveTape.Object] = []
    /// What it is to whoever writes it.
    var written = NaiveTape()
    /// Objects that were not overwritten since.
    var kept = 0
    var exists = false

    mutating func becameDurable() {
      durable = written.objects
      kept = durable.count
    }

    mutating func isOverwritten(from object: Int) { kept = min(kept, object) }

    /// Why `found` must not be, or nil.
    func complaint(_ found: [NaiveTape.Object]) -> String? {
      if found == durable { return nil }
      guard found.count >= kept else { return "\(kept) durable objects, found \(found.count)" }
      guard found.count <= written.objects.count else { return "more than was written" }
      guard Array(written.objects.prefix(found.count)) == found else { return "invented bytes" }
      return nil
    }
  }

  @Test(
    "has what was reported durable, and never a byte that was not written",
    arguments: 0..<20)
  func powerLoss(batch: Int) async throws {
    for number in 0..<50 {
      let seed = UInt64(batch * 50 + number)
      if let complaint = try await Self.lives(seed: seed) {
        Issue.record("seed \(seed): \(complaint)")
        return
      }
    }
  }

  /// Three lives of one cartridge, each ended by a power loss, and a look after each.
  static func lives(seed: UInt64) async throws -> String? {
    var random = Random(seed: seed)
    let files = SimulatedFileSystem(directAlignment: seed % 4 == 0 ? 0 : 512)
    var ledger = Ledger()
    for life in 0..<3 {
      var plan = seed % 2 == 0 ? SimulationPlan.rough(seed: seed) : SimulationPlan(seed: seed)
      plan.powerLossAtOperation = Int.random(in: 1...120, using: &random)
      plan.failedFlushes = seed % 5 == 0 ? 0.03 : 0
      let before = ledger
      let lifeSeed = random.next()
      ledger = try await simulate(files, plan) { ring in
        await live(before, Random(seed: lifeSeed), ring)
      }
      files.crash()
      let after = ledger
      let found = try await simulate(files, SimulationPlan(seed: seed)) { ring in
        await look(after, ring)
      }
      switch found {
      case .failure(let failure): return "life \(life): \(failure.what)"
      case .success(let objects):
        guard let objects else { continue }
        if let complaint = ledger.complaint(objects) { return "life \(life): \(complaint)" }
        ledger.exists = true
        ledger.written = NaiveTape(objects: objects)
        ledger.becameDurable()
      }
    }
    return nil
  }

  static func simulate<Success: Sendable>(
    _ files: SimulatedFileSystem, _ plan: SimulationPlan,
    _ body: @escaping @Sendable (Ring) async -> Success
  ) async throws -> Success {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = 2 << 20
    configuration.kernel = { SimulatedKernel(files: files, plan: plan) }
    let processor = try Processor(configuration)
    let result = await processor.run(body)
    processor.stop()
    return result
  }

  /// Writes until the power fails.
  static func live(_ ledger: Ledger, _ random: Random, _ ring: Ring) async -> Ledger {
    var ledger = ledger
    var random = random
    do {
      if !ledger.exists {
        try await Cartridge.create(at: "/tape", ring: ring)
        ledger.exists = true
      }
      let tape = try await Cartridge.open("/tape", ring: ring)
      ledger.written.position = 0
      for _ in 0..<40 {
        guard await act(tape, &ledger, &random, ring) else { break }
      }
      let closed = await tape.close()
      if closed == .good() { ledger.becameDurable() }
    } catch {}
    return ledger
  }

  /// Bytes that no other write has: cheaper than a pattern, of which a thousand lives need many.
  static func told(_ count: Int, _ number: UInt64) -> [UInt8] {
    var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: count)
    for index in 0..<min(8, count) {
      bytes[index] = UInt8(truncatingIfNeeded: number >> (index * 8))
    }
    return bytes
  }

  /// One action; false where the device failed, as it does without power.
  static func act(
    _ tape: Cartridge, _ ledger: inout Ledger, _ random: inout Random, _ ring: Ring
  ) async -> Bool {
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<6:
      let length = [1, 500, 512, 4096, 5000, 8192].randomElement(using: &random) ?? 1
      let writes = Int.random(in: 1...5, using: &random)
      let count = Int.random(in: 1...3, using: &random)
      let collector = Collector()
      ledger.isOverwritten(from: ledger.written.position)
      for _ in 0..<writes {
        let bytes = told(length * count, random.next())
        guard let payload = try? ring.payload(bytes, alignment: 512) else { return false }
        tape.write(payload, recordCount: count, for: collector, tag: 0)
        _ = ledger.written.write(bytes, recordCount: count)
      }
      await collector.wait(ring, until: writes)
      return collector.statuses.allSatisfy { $0.isSuccess }
    case 6..<8:
      let marks = Int.random(in: 0...2, using: &random)
      let immediate = Bool.random(using: &random)
      if marks > 0 { ledger.isOverwritten(from: ledger.written.position) }
      _ = ledger.written.writeFilemarks(marks)
      let status = await tape.writeFilemarks(marks, immediate: immediate)
      if status.isSuccess, marks == 0 || !immediate { ledger.becameDurable() }
      return status.isSuccess
    default:
      let object = Int.random(in: 0...ledger.written.objects.count, using: &random)
      let status = await tape.locate(UInt64(object))
      if status.isSuccess { ledger.becameDurable() }
      _ = ledger.written.locate(object)
      return status.isSuccess
    }
  }

  /// Opens the cartridge and reads everything; nil where it was never made.
  static func look(_ ledger: Ledger, _ ring: Ring) async
    -> Result<[NaiveTape.Object]?, Failed>
  {
    do throws(DeviceError) {
      let tape = try await Cartridge.open("/tape", ring: ring)
      var objects: [NaiveTape.Object] = []
      while objects.count < Int(tape.objectCount) {
        guard let room = ring.arena.allocate(tape.nextRecordLength ?? 512) else {
          return .failure(Failed("no room"))
        }
        let read = await tape.read(into: room)
        if let condition = read.status.condition {
          guard condition.filemark else { return .failure(Failed(condition.description)) }
          objects.append(.filemark)
        } else {
          objects.append(.record(read.payload.bytes()))
        }
      }
      _ = await tape.close()
      return .success(objects)
    } catch {
      return ledger.exists ? .failure(Failed("it does not open: \(error)")) : .success(nil)
    }
  }
}
