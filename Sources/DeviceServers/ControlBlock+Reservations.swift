public import SAM
import SCSI

extension ControlBlock {
  /// What a store had at the start.
  public enum Restored: Equatable, Sendable {
    /// Nothing to restore.
    case nothing
    /// Registrations are back, and the reservation with them.
    case registrations(Int)
    /// The stored bytes are not what was stored. Whoever serves the unit decides whether it may go on
    /// without the reservations that others count on: it stays BUSY until `forgetStored()`.
    case damaged
  }

  /// Puts the stored registrations in effect; called before the first command.
  public func restore() async -> Restored {
    guard let store else { return .nothing }
    guard let bytes = await store.load() else {
      isRestored = true
      return .nothing
    }
    guard let stored = PersistentReservations(stored: bytes) else { return .damaged }
    adopt(stored)
    isRestored = true
    return stored.registrants.isEmpty ? .nothing : .registrations(stored.registrants.count)
  }

  /// Goes on without what a damaged store had.
  public func forgetStored() { isRestored = true }

  // MARK: Conflicts

  /// Whether a reservation of another nexus forbids the command. SPC-4 tables 66 and 67, SBC-3 table 14,
  /// SPC-2 5.5.1.
  public func conflicts(_ command: Command, _ entry: CommandEntry) -> Bool {
    guard reserving != nil || persistent.reservation != nil else { return false }
    if case .writesUnless(let isHarmless) = entry.access, isHarmless(command.cdb) { return false }
    return forbids(entry.access, by: command.nexus)
  }

  /// Whether reservations forbid a nexus this kind of access, also where a copy makes it in its name.
  public func forbids(_ access: ReservationAccess, by nexus: Nexus) -> Bool {
    if let reserving, reserving != ObjectIdentifier(nexus) {
      switch access {
      case .always, .reservationCommand: return false
      case .unlessReserved, .reads, .writes, .writesUnless: return true
      }
    }
    guard let type = persistent.reservation?.type else { return false }
    switch access {
    case .always, .unlessReserved, .reservationCommand: return false
    case .reads where !type.excludesReads: return false
    case .reads, .writes, .writesUnless:
      switch standing(of: nexus) {
      case .holder: return false
      case .registrant: return !type.admitsRegistrants
      case .stranger: return true
      }
    }
  }

  private func standing(of nexus: Nexus) -> PersistentReservations.Standing {
    nexuses[ObjectIdentifier(nexus)]?.standing ?? persistent.standing(of: NexusPorts(nexus))
  }

  // MARK: Changes

  /// PERSISTENT RESERVE OUT: in effect, and durable where it shall be kept, when this returns.
  func change(
    _ request: ReservationRequest, by nexus: Nexus, unless isGivenUp: () -> Bool
  ) async throws(PersistentReservations.Refusal) -> PersistentReservations.Effects {
    await beginChange()
    defer { endChange() }
    // Its initiator hears nothing more of it, so nothing happens either.
    if isGivenUp() { return PersistentReservations.Effects() }
    if reserving != nil { throw .conflict }
    let before = persistent
    var changed = before
    let effects = try changed.apply(request, by: NexusPorts(nexus), in: surroundings(of: nexus))
    if let store, before.isKept || changed.isKept, changed.storedBytes != before.storedBytes {
      guard await store.store(changed.storedBytes) else {
        throw .sense(SenseData(key: .hardwareError, additional: .internalTargetFailure))
      }
    }
    adopt(changed)
    for attention in effects.attentions {
      for state in nexuses.values where NexusPorts(state.nexus) == attention.nexus {
        establish(attention.additional, for: state.nexus)
      }
    }
    return effects
  }

  private func surroundings(of nexus: Nexus) -> PersistentReservations.Surroundings {
    var surroundings = PersistentReservations.Surroundings()
    surroundings.canKeep = store != nil
    let ports = nexuses.values.map(\.nexus.targetPort.relativeIdentifier)
    let registered = persistent.registrants.map(\.nexus.targetPortIdentifier)
    let own = nexus.targetPort.relativeIdentifier
    surroundings.targetPortIdentifiers =
      Set(targetPortIdentifiers + ports + registered + [own]).sorted()
    surroundings.initiatorPorts = nexuses.values.map(\.nexus.initiatorPort)
    return surroundings
  }

  /// RESERVE of SPC-2; false is a conflict. Beside registrations it does nothing, where SPC-4 5.13.3
  /// lets it end well.
  func reserve(by nexus: Nexus) async -> Bool {
    await beginChange()
    defer { endChange() }
    if !persistent.registrants.isEmpty { return passesAsReserved(nexus) }
    if let reserving, reserving != ObjectIdentifier(nexus) { return false }
    // A nexus that went while this waited holds nothing.
    if nexuses[ObjectIdentifier(nexus)] != nil { reserving = ObjectIdentifier(nexus) }
    return true
  }

  /// RELEASE of SPC-2; false is a conflict.
  func release(by nexus: Nexus) async -> Bool {
    await beginChange()
    defer { endChange() }
    if !persistent.registrants.isEmpty { return passesAsReserved(nexus) }
    if reserving == ObjectIdentifier(nexus) { reserving = nil }
    return true
  }

  /// Holders, and registrants where the type is for them. SPC-4 5.13.3.
  private func passesAsReserved(_ nexus: Nexus) -> Bool {
    guard let type = persistent.reservation?.type else { return false }
    switch standing(of: nexus) {
    case .holder: return true
    case .registrant: return type.admitsRegistrants
    case .stranger: return false
    }
  }

  private func beginChange() async {
    while isChangingReservations {
      unsafe await withUnsafeContinuation { unsafe changeWaiters.append($0) }
    }
    isChangingReservations = true
  }

  private func endChange() {
    isChangingReservations = false
    let waiters = unsafe changeWaiters
    unsafe changeWaiters = unsafe []
    unsafe waiters.forEach { unsafe $0.resume() }
  }
}
