import CopyManager
import ExtendedCopy
import SAM

extension CopyCommands {
  /// What a nexus may write into a parameter list.
  func offer(to nexus: Nexus) -> ListLimits {
    offer(reaching: reach?.isOpen(to: nexus) ?? false)
  }

  /// With or without an initiator port in reach.
  func offer(reaching: Bool) -> ListLimits {
    guard reaching else { return CopyLimits.list }
    var offer = CopyLimits.reachingList
    offer.inlineBytes = min(
      offer.inlineBytes, max(0, listBytesMaximum - 48 - offer.descriptorListBytes))
    return offer
  }

  /// Lines of one nexus that are kept; the oldest goes first.
  static let reportsPerNexus = 32

  /// What the last copies of a nexus met, oldest first.
  func reports(for nexus: Nexus) -> [String] {
    searchReports.filter { $0.nexus === nexus }.map(\.line)
  }

  private func keep(report: String, of operation: CopyOperation) {
    let nexus = operation.key.nexus
    if operation.isForgotten { return }
    if searchReports.count(where: { $0.nexus === nexus }) >= Self.reportsPerNexus,
      let oldest = searchReports.firstIndex(where: { $0.nexus === nexus })
    {
      searchReports.remove(at: oldest)
    }
    searchReports.append((nexus, "list \(operation.key.listIdentifier): \(report)"))
  }

  /// Opens what the descriptors of a copy name beyond the logical units that were found already; nil
  /// where nothing was looked for.
  func reach(_ operation: CopyOperation) async -> ReachedDevices? {
    let nexus = operation.key.nexus
    guard let reach, reach.isOpen(to: nexus) else { return nil }
    let missing = operation.list.targets.indices.filter {
      operation.devices[$0] == nil && !operation.list.targets[$0].isNull
    }
    if missing.isEmpty { return nil }
    let units = router?.numberedUnits(of: nexus).compactMap { number, unit in
      (unit as? any CopyUnit).map { (number: number, unit: $0) }
    }
    let reached = await reach.find(
      CopySearch(
        nexus: nexus, list: operation.list, missing: missing, units: units ?? [],
        isCancelled: { operation.isCancelled },
        report: { [unowned self] in keep(report: $0, of: operation) }))
    var bound: [ObjectIdentifier: BoundDisk] = [:]
    for case .block(let disk as BoundDisk)? in operation.devices {
      bound[disk.unitIdentity] = disk
    }
    for (place, end) in reached.ends {
      switch end {
      case .device(let device): operation.devices[place] = device
      case .unit(let unit):
        let disk = bound[ObjectIdentifier(unit)] ?? BoundDisk(unit, for: nexus, ring: ring)
        bound[ObjectIdentifier(unit)] = disk
        operation.devices[place] = .block(disk)
      }
    }
    return reached
  }
}
