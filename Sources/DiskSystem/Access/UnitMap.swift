import DeviceServers
import SAM

/// Which units a nexus sees, as the rule that counts for it says.
final class UnitMap: LogicalUnitMap {
  private let table: AccessTable
  private let units: [String: LogicalUnit]

  /// The units by their names.
  init(_ table: AccessTable, units: [String: LogicalUnit]) {
    self.table = table
    self.units = units
    super.init()
  }

  override func units(for nexus: Nexus) -> [(lun: UInt64, unit: LogicalUnit)] {
    let rule = table.rule(
      initiator: nexus.initiatorPort.name, target: nexus.targetPort.name,
      portalGroupTag: nexus.targetPort.portalGroupTag)
    return (rule?.units ?? [:]).sorted { $0.key < $1.key }.map { number, name in
      guard let unit = units[name] else {
        preconditionFailure("a rule names units of the configuration")
      }
      return (LogicalUnitNumber.encode(Int(number)), unit)
    }
  }
}
