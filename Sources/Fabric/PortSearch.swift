public import CopyManager
import Devices
import ISCSI
public import ISCSIProtocol
public import SCSI
public import Uring

/// A device that was reached, open, with what has to be given back.
public final class ReachedDevice {
  /// The device.
  public let device: CopyDevice
  /// Its place in the plan.
  public let place: Int
  /// The initiator port that reaches it.
  public let port: PortName
  private let end: () -> Void

  init(_ device: CopyDevice, place: Int, port: PortName, end: @escaping () -> Void) {
    self.device = device
    self.place = place
    self.port = port
    self.end = end
  }

  /// Logs out and gives the claim back. Nothing is in flight.
  public func close() async {
    switch device {
    case .block(let disk): await disk.close()
    // What a copy wrote was made durable before, and its result told.
    case .stream(let tape): _ = await tape.close()
    }
    end()
  }
}

/// Looks for devices through initiator ports of one processor, one port after another.
///
/// Used on the ring's thread.
public final class PortSearch {
  private let plan: FabricPlan
  private let claims: DeviceClaims
  private let initiatorName: ISCSIName
  private let ring: Ring
  private let log: @Sendable (String) -> Void

  /// A search in `plan`.
  ///
  /// - Parameters:
  ///   - initiatorName: what ports without a name of their own log in as.
  ///   - log: receives a line for what an operator should know of sessions.
  public init(
    _ plan: FabricPlan, claims: DeviceClaims, initiatorName: ISCSIName, ring: Ring,
    log: @escaping @Sendable (String) -> Void
  ) {
    self.plan = plan
    self.claims = claims
    self.initiatorName = initiatorName
    self.ring = ring
    self.log = log
  }

  /// What is looked for.
  public struct Wish {
    /// Ways that lead to it.
    public var ways: [DeviceWay]
    /// PERIPHERAL DEVICE TYPE.
    public var deviceType: UInt8
    /// What it bears in VPD page 83h, where that is how it was named.
    public var designator: Designator?
    /// Whether nothing is written to it.
    public var readOnly: Bool

    /// A wish with everything said.
    public init(
      ways: [DeviceWay], deviceType: UInt8, designator: Designator? = nil, readOnly: Bool
    ) {
      self.ways = ways
      self.deviceType = deviceType
      self.designator = designator
      self.readOnly = readOnly
    }
  }

  /// The first port that reaches the device, with every miss before it.
  public func find(
    _ wish: Wish, through ports: [Port], isCancelled: () -> Bool = { false }
  ) async -> (ReachedDevice?, [RouteReport]) {
    var reports: [RouteReport] = []
    for port in ports {
      for way in wish.ways {
        if isCancelled() { return (nil, reports) }
        let name = plan.devices[way.device].name
        do throws(RouteMiss) {
          let found = try await open(way, wish, through: port)
          reports.append(RouteReport(port: port.name, device: name, miss: nil))
          return (found, reports)
        } catch {
          reports.append(RouteReport(port: port.name, device: name, miss: error))
        }
      }
    }
    return (nil, reports)
  }

  /// The devices that bear a designator, of those that can be asked.
  public func bearers(
    of designator: Designator, among ways: [DeviceWay], through ports: [Port],
    isCancelled: () -> Bool = { false }
  ) async -> (Set<Int>, [RouteReport]) {
    var bearers: Set<Int> = []
    var asked: Set<Int> = []
    var reports: [RouteReport] = []
    for port in ports {
      for way in ways where !asked.contains(way.device) {
        if isCancelled() { return (bearers, reports) }
        do throws(RouteMiss) {
          let (unit, number) = try await logIn(way, through: port)
          let found = await unit.designators()
          await unit.session.close()
          claims.giveBack(session: number, of: port.name)
          asked.insert(way.device)
          if found.contains(designator) { bearers.insert(way.device) }
        } catch {
          reports.append(
            RouteReport(port: port.name, device: plan.devices[way.device].name, miss: error))
        }
      }
    }
    return (bearers, reports)
  }

  private func logIn(
    _ way: DeviceWay, through port: Port
  ) async throws(RouteMiss) -> (RemoteUnit, UInt16) {
    let device = plan.devices[way.device]
    let there = device.ports[way.port]
    guard there.san == port.san else { throw .noRoute }
    let text = "iscsi://\(there.address)/\(device.targetName)/\(device.logicalUnit)"
    guard let url = try? ISCSIURL(text), let number = claims.takeSession(of: port.name) else {
      throw .unusable("its address makes no URL")
    }
    var options = InitiatorOptions(
      initiatorName: port.initiatorName ?? initiatorName, targetName: device.targetName,
      portal: there.address,
      isid: InitiatorSessionID(random: UInt32(port.relativeIdentifier), qualifier: number))
    options.source = port.address
    options.authentication = device.authentication
    options.log = log
    do throws(InitiatorError) {
      return (try await RemoteUnit.open(url, options, ring: ring), number)
    } catch {
      claims.giveBack(session: number, of: port.name)
      throw RouteMiss(error)
    }
  }

  private func open(
    _ way: DeviceWay, _ wish: Wish, through port: Port
  ) async throws(RouteMiss) -> ReachedDevice {
    let key = DeviceClaims.Key(plan.devices[way.device])
    if claims.isClaimed(key) { throw .busy }
    let (unit, number) = try await logIn(way, through: port)
    let claims = claims
    let isTape = unit.deviceType == RemoteUnit.tapeType
    var isClaimed = false
    do throws(RouteMiss) {
      guard unit.deviceType == wish.deviceType, isTape || wish.deviceType == RemoteUnit.diskType
      else { throw .wrongType(unit.deviceType) }
      if isTape {
        guard claims.claim(key) else { throw .busy }
        isClaimed = true
      }
      let device = try await Self.use(unit, readOnly: wish.readOnly)
      return ReachedDevice(device, place: way.device, port: port.name) {
        claims.giveBack(session: number, of: port.name)
        if isTape { claims.release(key) }
      }
    } catch {
      // Closing twice is closing once: what could not be opened has closed it already.
      await unit.session.close()
      claims.giveBack(session: number, of: port.name)
      if isClaimed { claims.release(key) }
      throw error
    }
  }

  private static func use(
    _ unit: RemoteUnit, readOnly: Bool
  ) async throws(RouteMiss) -> CopyDevice {
    let condition: Condition?
    do throws(InitiatorError) {
      condition = try await unit.readiness()
    } catch {
      throw RouteMiss(error)
    }
    if let condition { throw RouteMiss(condition) }
    do throws(InitiatorError) {
      // A tape stands where its user has put it.
      return unit.deviceType == RemoteUnit.tapeType
        ? .stream(try await RemoteTape.open(unit, readOnly: readOnly, rewinds: false))
        : .block(try await RemoteDisk.open(unit, readOnly: readOnly))
    } catch {
      throw RouteMiss(error)
    }
  }
}
