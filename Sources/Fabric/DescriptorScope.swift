import DeviceServers
public import ExtendedCopy
import ISCSIProtocol
import Uring

/// One way to a device: a port of it, by their places in a plan.
public struct DeviceWay: Hashable, Sendable {
  /// The place in `FabricPlan.devices`.
  public let device: Int
  /// The place in `FabricDevice.ports`.
  public let port: Int

  /// A way.
  public init(device: Int, port: Int) {
    self.device = device
    self.port = port
  }
}

/// What a target descriptor may mean to a nexus.
public enum Resolution: Equatable, Sendable {
  /// The logical unit that the nexus sees under this number.
  case ownUnit(Int)
  /// These ways, to be tried through these initiator ports.
  case ways([DeviceWay], through: [Port])
  /// Whichever of these devices bears the descriptor's designator.
  case bearer([DeviceWay], through: [Port])
  /// Nothing, whether there is something of that name or not.
  case nothing
}

/// What the descriptors of one command may name: the logical units that its nexus sees through the
/// target port it used, and the devices that are configured and lie behind initiator ports which may
/// serve that port. The only place where this is decided.
public struct DescriptorScope {
  private let plan: FabricPlan
  private let targetPort: Port?
  /// Initiator ports that may be searched, in order; empty where there are none.
  public let initiatorPorts: [Port]
  /// Why there are none.
  public let refusal: PortRefusal?
  private let unitNumbers: Set<Int>

  /// The scope of a command that came through target port `name`.
  ///
  /// - Parameter unitNumbers: LUNs that the nexus sees there.
  public init(_ plan: FabricPlan, targetPort name: PortName, unitNumbers: Set<Int>) {
    self.plan = plan
    self.unitNumbers = unitNumbers
    targetPort = plan.port(name).flatMap { $0.designation == .target ? $0 : nil }
    do throws(PortRefusal) {
      initiatorPorts = try plan.initiatorPorts(servingTargetPort: name)
      refusal = nil
    } catch {
      initiatorPorts = []
      refusal = error
    }
  }

  /// What `target` may mean.
  public func resolve(_ target: TargetDescriptor) -> Resolution {
    if target.isNull { return .nothing }
    if target.relativeInitiatorPort == 0, let number = ownUnit(target) { return .ownUnit(number) }
    let ports =
      target.relativeInitiatorPort == 0
      ? initiatorPorts
      : initiatorPorts.filter { $0.relativeIdentifier == target.relativeInitiatorPort }
    if ports.isEmpty { return .nothing }
    if case .designator = target.identification {
      let all = ways { _, _ in true }
      return all.isEmpty ? .nothing : .bearer(all, through: ports)
    }
    guard let number = LogicalUnitNumber.decode(target.logicalUnit) else { return .nothing }
    let named = ways { device, port in
      device.logicalUnit == number && names(target.identification, device, port)
    }
    return named.isEmpty ? .nothing : .ways(named, through: ports)
  }

  /// Only through the port that the command used: elsewhere a number may mean another unit.
  private func ownUnit(_ target: TargetDescriptor) -> Int? {
    guard let targetPort, let number = LogicalUnitNumber.decode(target.logicalUnit),
      unitNumbers.contains(number)
    else { return nil }
    switch target.identification {
    case .wwn(let name): return targetPort.worldWideName == name ? number : nil
    case .ipv4, .ipv6:
      guard let own = targetPort.address, let named = Self.address(target.identification) else {
        return nil
      }
      return named.bytes == own.address && named.port == own.port ? number : nil
    default: return nil
    }
  }

  /// Ways on the SANs of permitted ports only: a device that none of them can reach is answered as one
  /// that nobody knows.
  private func ways(where isNamed: (FabricDevice, FabricDevice.Port) -> Bool) -> [DeviceWay] {
    let networks = Set(initiatorPorts.map(\.san))
    return plan.devices.indices.flatMap { device in
      plan.devices[device].ports.indices.compactMap { port in
        networks.contains(plan.devices[device].ports[port].san)
          && isNamed(plan.devices[device], plan.devices[device].ports[port])
          ? DeviceWay(device: device, port: port) : nil
      }
    }
  }

  private func names(
    _ identification: TargetDescriptor.Identification, _ device: FabricDevice,
    _ port: FabricDevice.Port
  ) -> Bool {
    switch identification {
    case .wwn(let name):
      return port.worldWideName == name || plan.aliases[name] == device.targetName
        || "\(device.targetName)" == Self.iSCSIName(of: name)
    case .ipv4, .ipv6:
      guard let named = Self.address(identification),
        let own = Self.numeric(port.address)
      else { return false }
      return named.bytes == own.address && named.port == own.port
    default: return false
    }
  }

  /// An address in digits; nil for the name of a host, which no descriptor says.
  private static func numeric(_ portal: PortalAddress) -> SocketAddress? {
    let parts = portal.host.utf8.split(separator: UInt8(ascii: "."))
    let isNumeric =
      portal.host.utf8.contains(UInt8(ascii: ":"))
      || parts.count == 4 && parts.allSatisfy { $0.allSatisfy { 0x30...0x39 ~= $0 } }
    guard isNumeric else { return nil }
    return try? SocketAddress.resolve(host: portal.host, port: portal.port).first
  }

  /// `naa.` and the sixteen digits. RFC 7143 4.2.7.
  private static func iSCSIName(of worldWideName: UInt64) -> String {
    let digits = String(worldWideName, radix: 16)
    return "naa." + String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Of E5h and EAh; port 0 is the one that IANA assigned.
  private static func address(
    _ identification: TargetDescriptor.Identification
  ) -> (bytes: [UInt8], port: UInt16)? {
    switch identification {
    case .ipv4(let address, let port, _):
      return (
        (0..<4).map { UInt8(truncatingIfNeeded: address >> (24 - 8 * UInt32($0))) },
        port == 0 ? PortalAddress.defaultPort : port
      )
    case .ipv6(let address, let port, _):
      return (address, port == 0 ? PortalAddress.defaultPort : port)
    default: return nil
    }
  }
}
