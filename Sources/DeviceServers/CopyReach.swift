public import CopyManager
public import ExtendedCopy
public import SAM

/// What copies reach beyond the logical units that their nexus sees: nothing, unless a subclass says
/// otherwise.
///
/// A copy asks when it has its turn, so that one which waits holds no drive, and gives everything back
/// after its last completion.
open class CopyReach {
  /// For subclasses.
  public init() {}

  /// Whether an initiator port may serve the copies of `nexus`: it is then offered the descriptor
  /// types of all devices, else those of disks alone.
  open func isOpen(to nexus: Nexus) -> Bool { false }

  /// Finds and opens what the descriptors `search.missing` name, as far as it is there and allowed.
  open func find(_ search: CopySearch) async -> ReachedDevices { ReachedDevices([:]) }
}

/// What a copy looks for.
public struct CopySearch {
  /// Who ordered the copy.
  public let nexus: Nexus
  /// The whole list.
  public let list: ParameterList
  /// Places in `list.targets` of the descriptors that name no logical unit by its designator.
  public let missing: [Int]
  /// The block logical units that the nexus sees, with their numbers.
  public let units: [(number: Int, unit: any CopyUnit)]
  /// Whether the copy was ended meanwhile: then nothing more is searched.
  public let isCancelled: () -> Bool

  /// Keeps a line for the initiator: why a target was not reached.
  public let report: (String) -> Void

  /// A search with everything said.
  public init(
    nexus: Nexus, list: ParameterList, missing: [Int],
    units: [(number: Int, unit: any CopyUnit)], isCancelled: @escaping () -> Bool = { false },
    report: @escaping (String) -> Void = { _ in }
  ) {
    self.report = report
    self.nexus = nexus
    self.list = list
    self.missing = missing
    self.units = units
    self.isCancelled = isCancelled
  }
}

/// What was found of a list, to be closed when the copy has ended.
open class ReachedDevices {
  /// One of them.
  public enum End {
    /// A logical unit of the disk system that the nexus sees.
    case unit(any CopyUnit)
    /// A device of another system, which is open.
    case device(CopyDevice)
  }

  /// By place in the list's targets.
  public let ends: [Int: End]

  /// What was found.
  public init(_ ends: [Int: End]) { self.ends = ends }

  /// Closes the devices. Nothing is in flight.
  open func close() async {}
}
