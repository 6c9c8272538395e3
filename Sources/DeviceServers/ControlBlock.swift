public import SAM
public import SCSI

/// What every path to a logical unit shares: unit attentions, reservations and mode values.
///
/// One object apart from the unit, so that a unit that several processors serve can keep it under a
/// lock.
public final class ControlBlock {
  /// A nexus as the unit knows it.
  struct NexusState {
    let nexus: Nexus
    var attentions: [AdditionalSense] = []
  }

  private(set) var nexuses: [ObjectIdentifier: NexusState] = [:]
  /// What the mode pages hold.
  public var mode = ModeValues()

  /// Most unit attentions that wait for one nexus; the oldest stay.
  static let attentionCapacity = 8

  /// Without any nexus.
  public init() {}

  /// A nexus that begins has POWER ON, RESET, OR BUS DEVICE RESET OCCURRED pending.
  public func attach(_ nexus: Nexus) {
    nexuses[ObjectIdentifier(nexus)] = NexusState(
      nexus: nexus, attentions: [.powerOnResetOccurred])
  }

  /// Forgets a nexus.
  public func detach(_ nexus: Nexus) {
    nexuses[ObjectIdentifier(nexus)] = nil
  }

  /// Makes a unit attention pending for every nexus but `exception`.
  public func establish(_ attention: AdditionalSense, except exception: Nexus? = nil) {
    for key in nexuses.keys where key != exception.map({ ObjectIdentifier($0) }) {
      establish(attention, at: key)
    }
  }

  /// Makes a unit attention pending for one nexus.
  public func establish(_ attention: AdditionalSense, for nexus: Nexus) {
    establish(attention, at: ObjectIdentifier(nexus))
  }

  private func establish(_ attention: AdditionalSense, at key: ObjectIdentifier) {
    guard var state = nexuses[key], !state.attentions.contains(attention),
      state.attentions.count < Self.attentionCapacity
    else { return }
    state.attentions.append(attention)
    nexuses[key] = state
  }

  /// The oldest pending unit attention of a nexus, which is then reported.
  public func takeUnitAttention(for nexus: Nexus) -> AdditionalSense? {
    guard let state = nexuses[ObjectIdentifier(nexus)], !state.attentions.isEmpty else {
      return nil
    }
    return nexuses[ObjectIdentifier(nexus)]?.attentions.removeFirst()
  }

  /// Takes back a pending unit attention of a nexus.
  func withdraw(_ attention: AdditionalSense, for nexus: Nexus) {
    nexuses[ObjectIdentifier(nexus)]?.attentions.removeAll { $0 == attention }
  }

  /// LOGICAL UNIT RESET: what is saved nowhere is as at power on; persistent reservations stay.
  public func reset() {
    mode = ModeValues()
  }

  /// Whether a reservation of another nexus forbids the command.
  public func conflicts(_ command: Command, _ entry: CommandEntry) -> Bool { false }
}
