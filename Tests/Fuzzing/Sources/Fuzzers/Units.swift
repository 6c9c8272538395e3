import DeviceServers
import Devices
import Glibc
import SAM
import SCSI
import Uring

/// One processor for all inputs: making one costs more than an input.
private let processor: Processor = {
  var configuration = Processor.Configuration()
  configuration.arenaBytes = 32 << 20
  do {
    return try Processor(configuration)
  } catch {
    fatalError("the fuzzer needs io_uring: \(error)")
  }
}()

/// Shows one disk to everybody as LUN 0.
private final class OneUnit: LogicalUnitMap {
  let unit: LogicalUnit
  init(_ unit: LogicalUnit) { self.unit = unit }
  override func units(for nexus: Nexus) -> [(lun: UInt64, unit: LogicalUnit)] { [(0, unit)] }
}

/// Counts how often each command ends.
private final class Ends: CommandClient {
  private(set) var count = 0
  override func complete(_ command: Command, _ result: consuming CommandResult) { end(result) }

  func end(_ result: consuming CommandResult) {
    count += 1
    precondition(count == 1, "a command ended twice")
    precondition(
      result.status != .checkCondition || (try? SenseData.decode(result.sense)) != nil,
      "sense data that nobody can read")
    let (share, borrowed) = (result.share, result.borrowedByteCount)
    do { _ = result.takeDataIn() }
    share?.giveBack(borrowed)
  }
}

/// One command of an input: two bytes that choose the nexus, the LUN, the attribute and the length of
/// the data, sixteen of CDB, and the data.
private struct Step {
  let choice: UInt8
  let cdb: [UInt8]
  let data: [UInt8]

  static func cut(_ bytes: [UInt8]) -> [Step] {
    var rest = bytes[...]
    var steps: [Step] = []
    while rest.count >= 18 {
      let head = Array(rest.prefix(18))
      rest = rest.dropFirst(18)
      let data = Array(rest.prefix(Int(head[1])))
      rest = rest.dropFirst(data.count)
      steps.append(Step(choice: head[0], cdb: Array(head[2...]), data: data))
    }
    return steps
  }
}

/// Commands of two nexuses to a disk and to LUNs without one: each ends once, and nothing stays behind.
@Sendable func units(_ bytes: [UInt8]) {
  let steps = Step.cut(bytes)
  let done = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
  defer { unsafe done.deallocate() }
  precondition(unsafe sem_init(done, 0, 0) == 0, "a semaphore costs nothing")
  let address = UInt(bitPattern: done)
  Task {
    await processor.run { await play(steps, on: $0) }
    // `units` keeps the semaphore until it has been posted.
    guard let posted = unsafe UnsafeMutablePointer<sem_t>(bitPattern: address) else { return }
    unsafe sem_post(posted)
  }
  while unsafe sem_wait(done) != 0 {}
}

nonisolated(nonsending) private func play(_ steps: [Step], on ring: Ring) async {
  var options = FileDisk.Options.readWrite
  options.creates = true
  options.direct = false
  options.byteCount = 128 << 10
  guard let disk = try? await FileDisk.open(".build/fuzzed-disk", options: options, ring: ring)
  else { fatalError("the fuzzer needs a directory .build to put its disk into") }
  let share = BufferShare(of: ring.arena, byteCount: 8 << 20)
  let unit = BlockLogicalUnit(
    disk: disk, identity: UnitIdentity(product: "FUZZED", serialNumber: "1", naa: []),
    share: share, ring: ring)
  let router = LogicalUnitRouter(ring: ring, map: OneUnit(unit))
  let port = TargetPort(name: "iqn.2026-11.test:disks", portalGroupTag: 1, relativeIdentifier: 1)
  let nexuses = (0..<2).map { number in
    Nexus(
      initiatorPort: InitiatorPort(name: "iqn.2026-11.test:\(number)", isid: UInt64(number)),
      targetPort: port)
  }
  nexuses.forEach(router.attach)
  var ends: [Ends] = []
  for (tag, step) in steps.enumerated() {
    let command = Command(nexus: nexuses[Int(step.choice & 1)])
    command.tag = UInt64(tag)
    command.cdb = CommandDescriptorBlock(step.cdb)
    command.attribute = TaskAttribute(rawValue: step.choice >> 1 & 0x07) ?? .simple
    command.logicalUnit = step.choice >> 4 == 15 ? UInt64(step.choice) << 48 : 0
    command.expectedDataOut = step.data.count
    command.expectedDataIn = 1 << 20
    let client = Ends()
    ends.append(client)
    switch router.admit(command) {
    case .finished(let result): client.end(result)
    case .execute(let wanted):
      var payload = ring.arena.empty()
      let data = Array(step.data.prefix(wanted))
      if !data.isEmpty, let room = ring.arena.allocate(data.count) {
        payload = room
        payload.overwrite(with: data)
      }
      router.execute(command, dataOut: payload, for: client)
    }
  }
  while ends.contains(where: { $0.count == 0 }) || isSanitizing(unit) {
    await ring.sleep(nanoseconds: 100_000)
  }
  for nexus in nexuses { await router.detach(nexus) }
  precondition(share.freeByteCount == share.byteCount, "buffers stay behind")
  await disk.close()
}

private func isSanitizing(_ unit: LogicalUnit) -> Bool {
  unit.notReady()?.additional == .sanitizeInProgress
}
