public import SAM
public import SCSI

/// What every path to a logical unit shares: unit attentions, reservations and mode values.
///
/// One object apart from the unit, so that a unit that several processors serve can keep it under a
/// lock.
@safe
public final class ControlBlock {
  /// A nexus as the unit knows it.
  struct NexusState {
    let nexus: Nexus
    var attentions: [AdditionalSense] = []
    /// How it stands to the persistent reservation, kept so that a command is not looked up by name.
    var standing = PersistentReservations.Standing.stranger
  }

  private(set) var nexuses: [ObjectIdentifier: NexusState] = [:]
  /// Registrations and the persistent reservation.
  public private(set) var persistent = PersistentReservations()
  /// Which nexus holds the unit by RESERVE of SPC-2.
  var reserving: ObjectIdentifier?
  /// Where what shall survive a power loss is kept.
  let store: ReservationStore?
  /// Whether what the store has is in effect; commands are BUSY before.
  public internal(set) var isRestored: Bool
  /// RELATIVE TARGET PORT IDENTIFIERs of all ports that show the unit, as far as they are known to
  /// whoever made it; those of the nexuses count too.
  public var targetPortIdentifiers: [UInt16] = []
  /// One change of the reservations at a time: a change waits for its store.
  var isChangingReservations = false
  var changeWaiters: [UnsafeContinuation<Void, Never>] = unsafe []
  /// What the mode pages hold.
  public var mode = ModeValues()

  /// Most unit attentions that wait for one nexus; the oldest stay.
  static let attentionCapacity = 8

  /// Without any nexus. With a store, `restore()` is called before the first command.
  public init(store: ReservationStore? = nil) {
    self.store = store
    isRestored = store == nil
  }

  /// A nexus that begins has POWER ON, RESET, OR BUS DEVICE RESET OCCURRED pending.
  public func attach(_ nexus: Nexus) {
    nexuses[ObjectIdentifier(nexus)] = NexusState(
      nexus: nexus, attentions: [.powerOnResetOccurred],
      standing: persistent.standing(of: NexusPorts(nexus)))
  }

  /// Forgets a nexus; what it holds by RESERVE is free again.
  public func detach(_ nexus: Nexus) {
    if reserving == ObjectIdentifier(nexus) { reserving = nil }
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

  /// LOGICAL UNIT RESET: persistent reservations stay, and so do SWP and WCE, on which hosts rely that
  /// were not told.
  public func reset() {
    var values = ModeValues()
    values.isWriteProtected = mode.isWriteProtected
    values.hasWriteCache = mode.hasWriteCache
    mode = values
    reserving = nil
  }

  /// Puts changed registrations and reservations in effect.
  func adopt(_ changed: PersistentReservations) {
    persistent = changed
    for (key, state) in nexuses {
      nexuses[key]?.standing = changed.standing(of: NexusPorts(state.nexus))
    }
  }
}
