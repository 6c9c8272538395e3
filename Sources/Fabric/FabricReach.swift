import CopyManager
public import DeviceServers
import ExtendedCopy
public import ISCSIProtocol
public import SAM
import SCSI
public import Uring

/// What copies reach through the initiator ports of one processor.
public final class FabricReach: CopyReach {
  /// The ports, groups and devices of now; a copy keeps those that it began with.
  public var plan: FabricPlan
  private let initiatorName: ISCSIName
  private let ring: Ring
  private let claims = DeviceClaims()
  private let targetPort: (Nexus) -> PortName?
  private let log: @Sendable (String) -> Void

  /// What `plan` lets copies reach.
  ///
  /// - Parameters:
  ///   - initiatorName: what ports without a name of their own log in as.
  ///   - targetPort: the port of the plan through which a nexus came; nil where it is none.
  ///   - log: receives a line for each copy that searched, and for what happened to sessions.
  public init(
    _ plan: FabricPlan, initiatorName: ISCSIName, ring: Ring,
    targetPort: @escaping (Nexus) -> PortName?, log: @escaping @Sendable (String) -> Void
  ) {
    self.plan = plan
    self.initiatorName = initiatorName
    self.ring = ring
    self.targetPort = targetPort
    self.log = log
    super.init()
  }

  /// Where the port that the nexus used is served by an initiator port.
  public override func isOpen(to nexus: Nexus) -> Bool {
    guard let port = targetPort(nexus) else { return false }
    return (try? plan.initiatorPorts(servingTargetPort: port)) != nil
  }

  /// One port after another, device for device.
  public override func find(_ search: CopySearch) async -> ReachedDevices {
    guard let port = targetPort(search.nexus) else { return ReachedDevices([:]) }
    let units = Dictionary(search.units.map { ($0.number, $0.unit) }) { $1 }
    let scope = DescriptorScope(plan, targetPort: port, unitNumbers: Set(units.keys))
    let finder = PortSearch(
      plan, claims: claims, initiatorName: initiatorName, ring: ring, log: log)
    let written = Self.written(search.list)
    var ends: [Int: ReachedDevices.End] = [:]
    var open: [ReachedDevice] = []
    for place in search.missing where !search.isCancelled() {
      let target = search.list.targets[place]
      var (ways, ports): ([DeviceWay], [Port])
      var designator: Designator?
      switch scope.resolve(target) {
      case .nothing:
        tell(search, place, "names nothing that \(port) may reach")
        continue
      case .ownUnit(let number):
        if let unit = units[number] { ends[place] = .unit(unit) }
        continue
      case .ways(let found, let through): (ways, ports) = (found, through)
      case .bearer(let all, let through):
        guard case .designator(let named) = target.identification else { continue }
        designator = named
        let (bearers, reports) = await finder.bearers(
          of: named, among: all, through: through, isCancelled: search.isCancelled)
        guard bearers.count == 1 else {
          tell(search, place, reports)
          tell(search, place, "\(named) is borne by \(bearers.count) devices; it has to be one")
          continue
        }
        (ways, ports) = (all.filter { bearers.contains($0.device) }, through)
      }
      // Two descriptors of one device are one device.
      if let again = open.first(where: { found in ways.contains { $0.device == found.place } }) {
        ends[place] = .device(again.device)
        continue
      }
      let (found, reports) = await finder.find(
        PortSearch.Wish(
          ways: ways, deviceType: target.peripheralDeviceType, designator: designator,
          readOnly: !written.contains { search.list.targets[$0].isSameDevice(as: target) }),
        through: ports, isCancelled: search.isCancelled)
      tell(search, place, reports)
      if let found {
        open.append(found)
        ends[place] = .device(found.device)
      }
    }
    return Reached(ends, open)
  }

  /// Places of the targets that segments write to, or move.
  private static func written(_ list: ParameterList) -> Set<Int> {
    let indices = list.targetIndices
    return Set(
      list.segments.compactMap { segment in
        segment.destination.flatMap { Int($0) < indices.count ? indices[Int($0)] : nil }
      })
  }

  private func tell(_ search: CopySearch, _ place: Int, _ text: String) {
    search.report("target \(place): \(text)")
    log(
      "copy \(search.list.listIdentifier) of \(search.nexus.initiatorPort.name): "
        + "target \(place): \(text)")
  }

  private func tell(_ search: CopySearch, _ place: Int, _ reports: [RouteReport]) {
    for report in reports { tell(search, place, "\(report)") }
  }

  private final class Reached: ReachedDevices {
    private var open: [ReachedDevice]

    init(_ ends: [Int: End], _ open: [ReachedDevice]) {
      self.open = open
      super.init(ends)
    }

    override func close() async {
      for device in open { await device.close() }
      open = []
    }
  }
}

extension TargetDescriptor {
  /// Whether both name the device in the same words: then it is opened once, for both.
  fileprivate func isSameDevice(as other: TargetDescriptor) -> Bool {
    identification == other.identification && logicalUnit == other.logicalUnit
  }
}
