import SAM
import SCSI

extension PersistentReservations {
  /// Does what PERSISTENT RESERVE OUT asks for; a refused request leaves a value that is to be thrown
  /// away. SPC-4 6.16.
  public mutating func apply(
    _ request: ReservationRequest, by nexus: NexusPorts, in surroundings: Surroundings
  ) throws(Refusal) -> Effects {
    var effects = Effects()
    switch request.action {
    case .register, .registerAndIgnoreExistingKey:
      try register(request, nexus, surroundings, &effects)
      return effects
    default: break
    }
    // Everything else is for registered nexuses that know their key.
    guard let registrant = registrant(nexus), registrant.key == request.key else {
      throw .conflict
    }
    switch request.action {
    case .reserve: try reserve(request, nexus)
    case .release: try release(request, nexus, &effects)
    case .clear:
      tell(.reservationsPreempted, except: nexus, &effects)
      registrants = []
      reservation = nil
      generation &+= 1
    case .preempt, .preemptAndAbort: try preempt(request, nexus, &effects)
    case .registerAndMove: try move(request, nexus, surroundings, &effects)
    case .register, .registerAndIgnoreExistingKey: break
    }
    return effects
  }

  // MARK: REGISTER (SPC-4 5.13.7)

  private mutating func register(
    _ request: ReservationRequest, _ nexus: NexusPorts, _ surroundings: Surroundings,
    _ effects: inout Effects
  ) throws(Refusal) {
    let ignores = request.action == .registerAndIgnoreExistingKey
    let known = registrant(nexus)
    if !ignores, request.key != known?.key ?? 0 { throw .conflict }
    if request.specifiesInitiatorPorts, known != nil || ignores {
      throw Self.invalidParameter(20, bit: 3)
    }
    generation &+= 1
    if known == nil, request.serviceActionKey == 0 { return }
    try keep(request.isKept, surroundings, field: 20)
    let ports =
      request.isForAllTargetPorts
      ? surroundings.targetPortIdentifiers.filter { $0 != nexus.targetPortIdentifier } : []
    // The same request comes through the other ports, where it may fail by itself.
    let others = ports.map {
      NexusPorts(initiatorPort: nexus.initiatorPort, targetPortIdentifier: $0)
    }.filter { ignores || request.key == registrant($0)?.key ?? 0 }
    if request.serviceActionKey == 0 {
      for path in [nexus] + others { unregister(path, askedBy: nexus, &effects) }
      return
    }
    for path in [nexus] + others { try set(request.serviceActionKey, for: path) }
    for transportID in request.transportIDs {
      for initiator in try initiatorPorts(transportID, surroundings) {
        for port in [nexus.targetPortIdentifier] + ports {
          let path = NexusPorts(initiatorPort: initiator, targetPortIdentifier: port)
          if path == nexus || others.contains(path) { continue }
          // As REGISTER with a key of zero from a registered nexus.
          if registrant(path) != nil { throw .conflict }
          try set(request.serviceActionKey, for: path)
        }
      }
    }
  }

  private mutating func keep(
    _ wanted: Bool, _ surroundings: Surroundings, field: UInt16
  ) throws(Refusal) {
    if wanted, !surroundings.canKeep { throw Self.invalidParameter(field, bit: 0) }
    isKept = wanted
  }

  /// The ports a TransportID names: one, or those of an initiator that are logged in.
  private func initiatorPorts(
    _ transportID: TransportID, _ surroundings: Surroundings
  ) throws(Refusal) -> [InitiatorPort] {
    if let isid = transportID.isid {
      return [InitiatorPort(name: transportID.name, isid: isid)]
    }
    var ports: [InitiatorPort] = []
    for port in surroundings.initiatorPorts
    where port.name == transportID.name && !ports.contains(port) {
      ports.append(port)
    }
    if ports.isEmpty { throw Self.invalidParameter(28) }
    return ports
  }

  // MARK: RESERVE and RELEASE (SPC-4 5.13.9, 5.13.11.2.2)

  private mutating func reserve(_ request: ReservationRequest, _ nexus: NexusPorts) throws(Refusal)
  {
    let type = try request.validType()
    guard let held = reservation else {
      reservation = Reservation(type: type, holder: type.isHeldByAllRegistrants ? nil : nexus)
      return
    }
    guard standing(of: nexus) == .holder, held.type == type else { throw .conflict }
  }

  private mutating func release(
    _ request: ReservationRequest, _ nexus: NexusPorts, _ effects: inout Effects
  ) throws(Refusal) {
    guard let held = reservation, standing(of: nexus) == .holder else { return }
    guard request.scope == 0, request.type == held.type.rawValue else {
      throw .sense(
        SenseData(key: .illegalRequest, additional: .invalidReleaseOfPersistentReservation))
    }
    reservation = nil
    if held.type.admitsRegistrants { tell(.reservationsReleased, except: nexus, &effects) }
  }

  // MARK: PREEMPT (SPC-4 5.13.11.2.4 to 5.13.11.2.6)

  private mutating func preempt(
    _ request: ReservationRequest, _ nexus: NexusPorts, _ effects: inout Effects
  ) throws(Refusal) {
    let key = request.serviceActionKey
    var victims: [NexusPorts]
    if let held = reservation, holds(held, key) {
      let type = try request.validType()
      victims = registrants.filter { (key == 0 || $0.key == key) && $0.nexus != nexus }.map(\.nexus)
      registrants.removeAll { victims.contains($0.nexus) }
      reservation = Reservation(type: type, holder: type.isHeldByAllRegistrants ? nil : nexus)
      tell(.registrationsPreempted, victims, &effects)
      if held.type != type { tell(.reservationsReleased, except: nexus, &effects) }
    } else {
      if key == 0 { throw Self.invalidParameter(8) }
      victims = registrants.filter { $0.key == key }.map(\.nexus)
      if victims.isEmpty { throw .conflict }
      registrants.removeAll { $0.key == key }
      if registrants.isEmpty { reservation = nil }
      victims.removeAll { $0 == nexus }
      tell(.registrationsPreempted, victims, &effects)
    }
    effects.preempted = victims
    generation &+= 1
  }

  /// Whether a service action key means the holder: zero where that is all registrants.
  private func holds(_ held: Reservation, _ key: UInt64) -> Bool {
    guard let holder = held.holder else { return key == 0 }
    return registrant(holder)?.key == key
  }

  private func tell(
    _ additional: AdditionalSense, _ nexuses: [NexusPorts], _ effects: inout Effects
  ) {
    for nexus in nexuses {
      effects.attentions.append(.init(nexus: nexus, additional: additional))
    }
  }

  // MARK: REGISTER AND MOVE (SPC-4 5.13.8)

  private mutating func move(
    _ request: ReservationRequest, _ nexus: NexusPorts, _ surroundings: Surroundings,
    _ effects: inout Effects
  ) throws(Refusal) {
    guard let held = reservation else {
      throw .sense(.illegalRequest(.invalidFieldInCDB, field: 1))
    }
    guard held.holder == nexus else { throw .conflict }
    if request.serviceActionKey == 0 { throw Self.invalidParameter(8) }
    guard let transportID = request.transportIDs.first, let isid = transportID.isid else {
      throw Self.invalidParameter(24)
    }
    guard surroundings.targetPortIdentifiers.contains(request.targetPortIdentifier) else {
      throw Self.invalidParameter(18)
    }
    let successor = NexusPorts(
      initiatorPort: InitiatorPort(name: transportID.name, isid: isid),
      targetPortIdentifier: request.targetPortIdentifier)
    if successor == nexus { throw Self.invalidParameter(24) }
    try keep(request.isKept, surroundings, field: 17)
    if request.unregisters { registrants.removeAll { $0.nexus == nexus } }
    try set(request.serviceActionKey, for: successor)
    reservation = Reservation(type: held.type, holder: successor)
    generation &+= 1
  }

  private static func invalidParameter(_ field: UInt16, bit: UInt8? = nil) -> Refusal {
    .sense(.illegalParameter(.invalidFieldInParameterList, field: field, bit: bit))
  }
}
