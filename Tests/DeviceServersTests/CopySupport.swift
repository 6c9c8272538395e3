import Devices
import SAM
import SCSI
import Uring

@testable import DeviceServers

/// A logical unit in memory, which takes its time and counts what is in flight.
final class MemoryUnit: CopyUnit {
  let name: String
  let designators: [Designator]
  let blockLength: Int
  let blockCount: UInt64
  let storageIdentity: DeviceIdentity
  let memoryAlignment = 1
  var isReadOnly = false

  var bytes: [UInt8]
  /// What is answered to a nexus, by the kind of access.
  var refusals: [(access: CopyAccess, nexus: Nexus?, condition: Condition)] = []
  /// After so many writes `refusals` begin to hold.
  var writesUntilRefusal = 0
  var delayNanoseconds: UInt64 = 1000
  /// While it is set nothing completes.
  var isStalled = false {
    didSet {
      if isStalled { return }
      for delivery in stalled { begin(delivery) }
      stalled = []
    }
  }
  /// `isStalled` is set after so many reads.
  var stallsAfterReads = Int.max
  private var stalled: [Delivery] = []
  private(set) var inFlight = 0
  private(set) var reads = 0, writes = 0, flushes = 0
  /// Bytes from here on are a hole, as far as `extent` tells.
  var holeStart: Int?
  private let ring: Ring
  private var deliveries: [ObjectIdentifier: Delivery] = [:]

  init(_ number: UInt8, blockLength: Int = 512, bytes: [UInt8], ring: Ring) {
    name = "unit\(number)"
    designators = [MemoryUnit.designator(number)]
    self.blockLength = blockLength
    blockCount = UInt64(bytes.count / blockLength)
    storageIdentity = DeviceIdentity(device: 0, inode: UInt64(number))
    self.bytes = bytes
    self.ring = ring
  }

  static func designator(_ number: UInt8) -> Designator {
    .naa([0x60, 0x01, 0x40, 0x50, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, number])
  }

  /// The descriptor that names it.
  var cscd: [UInt8] { CopyList.cscd(designators[0], blockLength: blockLength) }

  func refusal(of access: CopyAccess, from nexus: Nexus) -> Condition? {
    if writes < writesUntilRefusal { return nil }
    return refusals.first { $0.access == access && ($0.nexus == nil || $0.nexus === nexus) }?
      .condition
  }

  func read(
    at offset: UInt64, into payload: consuming Payload, of nexus: Nexus, for client: DeviceClient,
    tag: UInt64
  ) {
    reads += 1
    if reads > stallsAfterReads {
      isStalled = true
      stallsAfterReads = .max
    }
    var payload = payload
    payload.overwrite(with: Array(bytes[Int(offset)..<Int(offset) + payload.byteCount]))
    deliver(payload, client, tag)
  }

  func write(
    at offset: UInt64, from payload: consuming Payload, of nexus: Nexus, for client: DeviceClient,
    tag: UInt64
  ) {
    writes += 1
    bytes.replaceSubrange(Int(offset)..<Int(offset) + payload.byteCount, with: payload.bytes())
    deliver(payload, client, tag)
  }

  func flush() async -> DeviceStatus {
    flushes += 1
    return .good()
  }

  func extent(at offset: UInt64) async -> Extent {
    guard let holeStart else { return Extent(isHole: false, end: UInt64(bytes.count)) }
    return offset < UInt64(holeStart)
      ? Extent(isHole: false, end: UInt64(holeStart))
      : Extent(isHole: true, end: UInt64(bytes.count))
  }

  private func deliver(_ payload: consuming Payload, _ client: DeviceClient, _ tag: UInt64) {
    let delivery = Delivery(self, payload, client, tag)
    deliveries[ObjectIdentifier(delivery)] = delivery
    inFlight += 1
    if isStalled { stalled.append(delivery) } else { begin(delivery) }
  }

  private func begin(_ delivery: Delivery) {
    ring.timeout(nanoseconds: delayNanoseconds, for: delivery, tag: 0)
  }

  private final class Delivery: CompletionHandler {
    private let unit: MemoryUnit
    private var payload: Payload?
    private let client: DeviceClient
    private let tag: UInt64

    init(
      _ unit: MemoryUnit, _ payload: consuming Payload, _ client: DeviceClient, _ tag: UInt64
    ) {
      self.unit = unit
      self.payload = consume payload
      self.client = client
      self.tag = tag
    }

    override func complete(_ completion: consuming Completion) {
      guard let payload = payload.take() else { return }
      unit.inFlight -= 1
      unit.deliveries[ObjectIdentifier(self)] = nil
      let count = payload.byteCount
      client.complete(DeviceCompletion(tag: tag, status: .good(count), payload: payload))
    }
  }
}

/// A parameter list in the form of SPC-4, made by hand.
struct CopyList {
  var identifier: UInt32 = 1
  var usage: UInt8 = 0b00
  var priority: UInt8 = 0
  var immediate = false
  var targets: [[UInt8]] = []
  var segments: [[UInt8]] = []

  /// EXTENDED COPY(LID1).
  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.append([UInt8(truncatingIfNeeded: identifier), usage << 3 | priority])
    writer.uint16(UInt16(targets.joined().count))
    writer.uint32(0)
    writer.uint32(UInt32(segments.joined().count))
    writer.uint32(0)
    return writer.bytes + targets.joined() + segments.joined()
  }

  /// EXTENDED COPY(LID4).
  var longBytes: [UInt8] {
    var writer = ByteWriter()
    writer.append([1, usage << 3 | priority, 0, 0x20])
    writer.pad(to: 15)
    writer.append([immediate ? 1 : 0, 0xFF, 0, 0, 0])
    writer.uint32(identifier)
    writer.pad(to: 42)
    writer.uint16(UInt16(targets.joined().count))
    writer.uint16(UInt16(segments.joined().count))
    writer.uint16(0)
    return writer.bytes + targets.joined() + segments.joined()
  }

  static func cscd(
    _ designator: Designator, blockLength: Int, flags: UInt8 = 0, type: UInt8 = 0xE4
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.append([type, flags, 0, 0])
    writer.append([designator.codeSet, designator.association << 4 | designator.type, 0])
    writer.append([UInt8(designator.bytes.count)] + designator.bytes)
    writer.pad(to: 28)
    writer.uint32(UInt32(blockLength))
    return writer.bytes
  }

  /// 02h, or 0Dh.
  static func blocks(
    _ count: Int, from sourceLBA: UInt64, to destinationLBA: UInt64, source: UInt16 = 0,
    destination: UInt16 = 1, flags: UInt8 = 0, type: UInt8 = 0x02
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.append([type, flags, 0, 0x18])
    writer.uint16(source)
    writer.uint16(destination)
    writer.uint16(0)
    writer.uint16(UInt16(count))
    writer.uint64(sourceLBA)
    writer.uint64(destinationLBA)
    return writer.bytes
  }

  /// 0Ah, from the start of one block to the start of another.
  static func bytes(_ count: UInt32, from sourceLBA: UInt64, to destinationLBA: UInt64) -> [UInt8] {
    var writer = ByteWriter()
    writer.append([0x0A, 0, 0, 0x1C, 0, 0, 0, 1])
    writer.uint32(count)
    writer.uint64(sourceLBA)
    writer.uint64(destinationLBA)
    writer.uint32(0)
    return writer.bytes
  }
}

/// The third-party copy commands with two units, and an initiator that reaches both.
final class CopyBench {
  static let unitBytes = 2 << 20
  /// Bytes that tell their place.
  private static let sourceBytes = pattern(unitBytes)

  let ring: Ring
  let commands: CopyCommands
  let source: MemoryUnit, destination: MemoryUnit
  let nexus = CopyBench.nexus(1)
  var units: [MemoryUnit]

  init(_ ring: Ring, memoryBytes: Int) {
    self.ring = ring
    commands = CopyCommands(ring: ring, memoryBytes: memoryBytes)
    source = MemoryUnit(1, bytes: Self.sourceBytes, ring: ring)
    destination = MemoryUnit(
      2, bytes: [UInt8](repeating: 0, count: Self.unitBytes), ring: ring)
    units = [source, destination]
  }

  static func nexus(_ number: UInt64) -> Nexus {
    Nexus(
      initiatorPort: InitiatorPort(name: "iqn.2026-11.test:host", isid: number),
      targetPort: TargetPort(
        name: "iqn.2026-11.test:disks", portalGroupTag: 1, relativeIdentifier: 1))
  }

  /// Bytes that tell their place.
  static func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 9 ^ $0 >> 17) }
  }

  /// A list that names both units, source first.
  func list(
    _ segments: [UInt8]..., identifier: UInt32 = 1, usage: UInt8 = 0, priority: UInt8 = 0
  ) -> CopyList {
    CopyList(
      identifier: identifier, usage: usage, priority: priority,
      targets: [source.cscd, destination.cscd], segments: segments)
  }

  /// Whether so many blocks of the source are at the destination.
  func isCopied(_ blocks: Int, from sourceLBA: Int = 0, to destinationLBA: Int = 0) -> Bool {
    source.bytes.dropFirst(sourceLBA * 512).prefix(blocks * 512)
      .elementsEqual(destination.bytes.dropFirst(destinationLBA * 512).prefix(blocks * 512))
  }

  func command(_ cdb: [UInt8], _ nexus: Nexus? = nil) -> Command {
    let command = Command(nexus: nexus ?? self.nexus)
    command.cdb = CommandDescriptorBlock(cdb)
    return command
  }

  func command(
    list: [UInt8], _ action: ExtendedCopyCommand.ServiceAction = .lid1, _ nexus: Nexus? = nil
  ) -> Command {
    command(
      ExtendedCopyCommand(serviceAction: action, parameterListLength: UInt32(list.count)).bytes,
      nexus)
  }

  /// EXTENDED COPY as a logical unit does it: length, list, execution.
  func copy(
    _ list: [UInt8], _ action: ExtendedCopyCommand.ServiceAction = .lid1, from nexus: Nexus? = nil
  ) async -> CopyAnswer {
    let command = command(list: list, action, nexus)
    do throws(CopyRefusal) {
      let length = try commands.parameterListLength(command.cdb)
      return await commands.execute(
        command, at: source, list: Array(list.prefix(length)), units: units)
    } catch {
      return CopyAnswer(.checkCondition, sense: error.sense)
    }
  }

  func copy(_ list: CopyList) async -> CopyAnswer { await copy(list.bytes) }

  func receive(
    _ action: ReceiveCopyResultsCommand.ServiceAction, _ identifier: UInt32 = 1,
    length: UInt32 = 1024, from nexus: Nexus? = nil
  ) throws(CopyRefusal) -> [UInt8] {
    try commands.receive(
      command(
        ReceiveCopyResultsCommand(
          serviceAction: action, listIdentifier: identifier, allocationLength: length
        ).bytes, nexus), at: source)
  }

  /// How a RECEIVE COPY RESULTS is refused; nil where it is not.
  func refusal(
    _ action: ReceiveCopyResultsCommand.ServiceAction, _ identifier: UInt32 = 1,
    from nexus: Nexus? = nil
  ) -> SenseData? {
    do throws(CopyRefusal) {
      _ = try receive(action, identifier, from: nexus)
      return nil
    } catch {
      return error.sense
    }
  }
}

/// Runs `body` on a processor of its own, and sees that no memory is lost.
func withCopyBench<Success: Sendable>(
  memoryBytes: Int = 16 << 20,
  _ body: @escaping @Sendable (CopyBench) async throws -> Success
) async throws -> Success {
  var configuration = Processor.Configuration()
  configuration.arenaBytes = 32 << 20
  let processor = try Processor(configuration)
  let result: Result<Success, any Error> = await processor.run { ring in
    let free = ring.arena.freeByteCount
    do {
      let bench = CopyBench(ring, memoryBytes: memoryBytes)
      let success = try await body(bench)
      await bench.commands.stop()
      precondition(ring.arena.freeByteCount == free, "a copy gives back its memory")
      return .success(success)
    } catch {
      return .failure(error)
    }
  }
  processor.stop()
  return try result.get()
}

extension CopyAnswer {
  /// Key, code and qualifier, such as `A/08/04`; the status where there is no sense data.
  var short: String {
    guard let sense else { return status.description }
    func hex(_ value: UInt8) -> String {
      let digits = String(value, radix: 16, uppercase: true)
      return digits.count < 2 ? "0" + digits : digits
    }
    let key = String(sense.key.rawValue, radix: 16, uppercase: true)
    return "\(key)/\(hex(sense.additional.code))/\(hex(sense.additional.qualifier))"
  }
}
