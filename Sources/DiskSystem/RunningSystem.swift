import DeviceServers
import Devices
import Fabric
import ISCSI
import ISCSIProtocol
import SAM
import Uring

/// A disk system that runs: everything that belongs to one processor.
///
/// It is handed from thread to thread, and used on the processor's own only.
final class RunningSystem: @unchecked Sendable {
  /// Where it listens.
  let addresses: [SocketAddress]
  private let ring: Ring
  private let directory: StateDirectory
  private let units: [OpenUnit]
  private let copies: CopyCommands
  private let server: TargetServer
  private let log: @Sendable (DiskSystem.Event) -> Void
  private var heartbeat: Heartbeat?

  private init(
    _ addresses: [SocketAddress], ring: Ring, directory: StateDirectory, units: [OpenUnit],
    copies: CopyCommands, server: TargetServer, log: @escaping @Sendable (DiskSystem.Event) -> Void
  ) {
    self.addresses = addresses
    self.ring = ring
    self.directory = directory
    self.units = units
    self.copies = copies
    self.server = server
    self.log = log
  }

  // MARK: Beginning

  /// Opens everything, or nothing.
  static func open(
    _ configuration: Configuration, state path: String, ring: Ring,
    log: @escaping @Sendable (DiskSystem.Event) -> Void
  ) async throws(DiskSystemError) -> RunningSystem {
    let directory = try await ring.blocking { files in StateDirectory.open(path, files) }.get()
    var units: [OpenUnit] = []
    let warn: @Sendable (String) -> Void = {
      log(DiskSystem.Event(kind: .warning, text: $0))
    }
    do throws(DiskSystemError) {
      let plan = MemoryPlan(arena: ring.arena.facts.byteCount)
      let share = BufferShare(of: ring.arena, byteCount: plan.units, gathers: true)
      let copies = CopyCommands(
        ring: ring, memoryBytes: plan.copies, listBytesMaximum: plan.target / 2)
      for unit in configuration.units {
        units.append(
          try await OpenUnit.open(
            unit, in: directory, share: share, copies: copies, ring: ring, warn: warn))
      }
      let (targets, portals) = (configuration.targets.map(\.name), configuration.portals)
      let identifiers = try await StateDirectory.blocking(on: ring) { _ throws(DiskSystemError) in
        try directory.portIdentifiers(targets: targets, portals: portals)
      }
      let table = AccessTable(configuration, portIdentifiers: identifiers)
      return try await listen(configuration, table, plan, ring, directory, units, copies, log)
    } catch {
      for unit in units { await unit.disk.close() }
      await ring.blocking { _ in directory.close() }
      throw error
    }
  }

  /// Portals are bound before anybody may log in: rules go by all of their addresses.
  private static func listen(
    _ configuration: Configuration, _ table: AccessTable, _ plan: MemoryPlan, _ ring: Ring,
    _ directory: StateDirectory, _ units: [OpenUnit], _ copies: CopyCommands,
    _ log: @escaping @Sendable (DiskSystem.Event) -> Void
  ) async throws(DiskSystemError) -> RunningSystem {
    let map = UnitMap(
      table, units: Dictionary(units.map { ($0.configuration.name, $0.logicalUnit) }) { $1 })
    let router = LogicalUnitRouter(ring: ring, map: map)
    copies.router = router
    copies.reach = reach(configuration.fabric, directory, ring, log)
    let server = TargetServer(
      ring: ring, directory: Directory(table, router: router, log: log),
      data: BufferShare(of: ring.arena, byteCount: plan.target),
      control: BufferShare(of: ring.arena, byteCount: plan.control))
    do throws(NetworkError) {
      for portal in configuration.portals {
        table.portals.append(try server.listen(on: portal))
      }
    } catch {
      await server.stop()
      throw .portal(error)
    }
    for unit in units {
      unit.logicalUnit.control.targetPortIdentifiers = table.portIdentifiers(
        showing: unit.configuration.name)
    }
    return RunningSystem(
      table.portals, ring: ring, directory: directory, units: units, copies: copies,
      server: server, log: log)
  }

  /// The initiator ports for copies; nil where there are none.
  private static func reach(
    _ plan: FabricPlan, _ directory: StateDirectory, _ ring: Ring,
    _ log: @escaping @Sendable (DiskSystem.Event) -> Void
  ) -> CopyReach? {
    guard plan.ports.contains(where: { $0.designation == .initiator }) else { return nil }
    guard let name = plan.initiatorName ?? (try? ISCSIName(directory.initiatorName)) else {
      preconditionFailure("the name is one")
    }
    // Portal group tags count the target ports.
    let targetPorts = plan.ports.filter { $0.designation == .target }.map(\.name)
    return FabricReach(
      plan, initiatorName: name, ring: ring,
      targetPort: { nexus in
        let index = Int(nexus.targetPort.portalGroupTag) - 1
        return targetPorts.indices.contains(index) ? targetPorts[index] : nil
      }, log: { log(DiskSystem.Event(kind: .event, text: $0)) })
  }

  // MARK: While it runs

  /// Calls `body` with the number of sessions, again and again until everything is closed.
  func beat(everyNanoseconds nanoseconds: UInt64, _ body: @escaping (Int) -> Void) {
    precondition(heartbeat == nil, "a system has one heart")
    let server = server
    heartbeat = Heartbeat(ring, everyNanoseconds: nanoseconds) { body(server.sessionCount) }
  }

  // MARK: The end

  /// Ends the sessions and the copies that outlive them, then makes everything durable; whether it is.
  func close() async -> Bool {
    await server.stop()
    await copies.stop()
    var isDurable = true
    for unit in units {
      let status = await unit.disk.flush()
      if let condition = status.condition {
        isDurable = false
        log(
          DiskSystem.Event(
            kind: .warning,
            text: "unit \(unit.configuration.name): flush: \(condition.description)"))
      }
      unit.failures.end()
      await unit.disk.close()
    }
    let directory = directory
    await ring.blocking { _ in directory.close() }
    await heartbeat?.stop()
    return isDurable
  }
}
