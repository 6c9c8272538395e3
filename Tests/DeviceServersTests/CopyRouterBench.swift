import Devices
import ExtendedCopy
import SAM
import SCSI
import Uring

@testable import DeviceServers

/// Shows each nexus what it is told to.
final class CopyMap: LogicalUnitMap {
  var units: [BlockLogicalUnit] = []
  /// Numbers of units that a nexus does not see.
  var masked: [ObjectIdentifier: Set<Int>] = [:]

  override func units(for nexus: Nexus) -> [(lun: UInt64, unit: LogicalUnit)] {
    let hidden = masked[ObjectIdentifier(nexus)] ?? []
    return units.enumerated().filter { !hidden.contains($0.offset) }.map {
      (LogicalUnitNumber.encode($0.offset), $0.element)
    }
  }
}

/// Two disks on files behind a router, as a transport sees them.
final class CopyRouterBench {
  let ring: Ring
  let router: LogicalUnitRouter
  let copies: CopyCommands
  let units: [BlockLogicalUnit]
  let nexus: Nexus
  /// Sees the first unit only.
  let confined: Nexus
  /// Sees both, as `nexus` does.
  let other = CopyBench.nexus(3)

  init(_ ring: Ring, _ disks: [BlockDevice]) {
    self.ring = ring
    copies = CopyCommands(ring: ring, memoryBytes: 8 << 20)
    let share = BufferShare(of: ring.arena, byteCount: 4 << 20)
    var options = BlockLogicalUnitOptions()
    options.isThin = true
    let (copies, shared) = (copies, options)
    units = disks.enumerated().map { number, disk in
      BlockLogicalUnit(
        disk: disk,
        identity: UnitIdentity(
          product: "DISK", serialNumber: "0000\(number)",
          naa: [0x30, 0, 0, 0, 0, 0, 0, UInt8(number)]),
        options: shared, share: share, ring: ring, copies: copies)
    }
    let map = CopyMap()
    map.units = units
    nexus = CopyBench.nexus(1)
    confined = CopyBench.nexus(2)
    map.masked[ObjectIdentifier(confined)] = [1]
    router = LogicalUnitRouter(ring: ring, map: map)
    copies.router = router
    for nexus in [nexus, confined, other] {
      router.attach(nexus)
      for unit in units { while unit.control.takeUnitAttention(for: nexus) != nil {} }
    }
  }

  static func open(_ directory: String, _ ring: Ring) async throws -> CopyRouterBench {
    var disks: [BlockDevice] = []
    for number in 0..<2 {
      var options = FileDisk.Options.readWrite
      options.creates = true
      options.byteCount = 4 << 20
      disks.append(
        try await FileDisk.open(directory + "/disk\(number)", options: options, ring: ring))
    }
    return CopyRouterBench(ring, disks)
  }

  func close() async {
    await copies.stop()
    for unit in units { await unit.disk.close() }
  }

  /// Starts a command at the unit with this number.
  func start(
    _ cdb: [UInt8], _ dataOut: [UInt8] = [], at number: Int = 0, from other: Nexus? = nil,
    tag: UInt64 = 0
  ) -> BlockClient {
    let command = Command(nexus: other ?? nexus)
    command.logicalUnit = LogicalUnitNumber.encode(number)
    command.tag = tag
    command.cdb = CommandDescriptorBlock(cdb)
    command.expectedDataOut = dataOut.count
    command.expectedDataIn = 1 << 20
    let client = BlockClient()
    switch router.admit(command) {
    case .finished(let result): client.complete(command, result)
    case .execute(let wanted):
      var payload = ring.arena.empty()
      if wanted > 0, let room = ring.arena.allocate(wanted) {
        payload = room
        payload.overwrite(with: dataOut)
      }
      router.execute(command, dataOut: payload, for: client)
    }
    return client
  }

  func run(
    _ cdb: [UInt8], _ dataOut: [UInt8] = [], at number: Int = 0, from other: Nexus? = nil
  ) async -> BlockOutcome {
    await start(cdb, dataOut, at: number, from: other).wait()
  }

  static func extendedCopy(
    _ list: [UInt8], _ action: ExtendedCopyCommand.ServiceAction = .lid1
  ) -> [UInt8] {
    ExtendedCopyCommand(serviceAction: action, parameterListLength: UInt32(list.count)).bytes
  }

  func list(_ segments: [UInt8]...) -> CopyList {
    CopyList(
      targets: units.map { CopyList.cscd($0.designators[0], blockLength: 512) },
      segments: segments)
  }

  func copy(_ list: CopyList, from other: Nexus? = nil) async -> BlockOutcome {
    let bytes = list.bytes
    return await run(Self.extendedCopy(bytes), bytes, from: other)
  }

  /// A list of whole disks, in many segments.
  var long: CopyList {
    var list = list()
    list.segments = (0..<64).map { CopyList.blocks(128, from: $0 * 128, to: $0 * 128) }
    return list
  }
}
