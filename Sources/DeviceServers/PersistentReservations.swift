public import SAM
public import SCSI

/// Registrations and the persistent reservation of a logical unit. SPC-4 5.13.
///
/// A value without input or output: a request makes another value of it, or is refused. What a change
/// means to others comes back as `Effects`.
public struct PersistentReservations: Equatable, Sendable {
  /// A registered I_T nexus.
  public struct Registrant: Equatable, Sendable {
    /// Its ports.
    public let nexus: NexusPorts
    /// Its reservation key, never zero.
    public var key: UInt64
  }

  /// The reservation; its scope is the logical unit.
  public struct Reservation: Equatable, Sendable {
    /// TYPE.
    public var type: ReservationType
    /// Who holds it; nil where all registrants do.
    public var holder: NexusPorts?
  }

  /// How an I_T nexus stands to the reservation.
  public enum Standing: Sendable {
    /// Not registered.
    case stranger
    /// Registered.
    case registrant
    /// Registered, and a holder of the reservation.
    case holder
  }

  /// What a change means to other nexuses.
  public struct Effects: Equatable, Sendable {
    /// Unit attentions that become pending.
    public struct Attention: Equatable, Sendable {
      /// For whom.
      public let nexus: NexusPorts
      /// What it says.
      public let additional: AdditionalSense
    }

    /// In the order in which the standard names them.
    public var attentions: [Attention] = []
    /// Whose registrations were preempted; their commands are aborted by PREEMPT AND ABORT.
    public var preempted: [NexusPorts] = []

    /// None.
    public init() {}
  }

  /// Why a request changes nothing.
  public enum Refusal: Error, Equatable, Sendable {
    /// RESERVATION CONFLICT.
    case conflict
    /// CHECK CONDITION.
    case sense(SenseData)
  }

  /// What a request may refer to beyond the nexus that asks.
  public struct Surroundings: Sendable {
    /// Relative identifiers of all target ports, for ALL_TG_PT and REGISTER AND MOVE.
    public var targetPortIdentifiers: [UInt16] = []
    /// Initiator ports that are logged in, for TransportIDs that name an initiator only.
    public var initiatorPorts: [InitiatorPort] = []
    /// Whether there is a place to keep registrations through a power loss.
    public var canKeep = false

    /// Nothing is known.
    public init() {}
  }

  /// Most registrations: a cluster of 32 hosts with four paths each. READ FULL STATUS of all takes
  /// less than the 64 KiB that its allocation length can say.
  public static let registrantCapacity = 128

  /// In the order of registration.
  public internal(set) var registrants: [Registrant] = []
  /// What is held, if anything.
  public internal(set) var reservation: Reservation?
  /// PRGENERATION.
  public internal(set) var generation: UInt32 = 0
  /// PTPL_A: what is here survives a power loss.
  public internal(set) var isKept = false

  /// Nothing registered.
  public init() {}

  /// The registration of a nexus.
  public func registrant(_ nexus: NexusPorts) -> Registrant? {
    registrants.first { $0.nexus == nexus }
  }

  /// How a nexus stands to the reservation.
  public func standing(of nexus: NexusPorts) -> Standing {
    guard registrants.contains(where: { $0.nexus == nexus }) else { return .stranger }
    guard let reservation else { return .registrant }
    return reservation.holder == nil || reservation.holder == nexus ? .holder : .registrant
  }

  // MARK: Internals of the changes

  /// Gives a nexus a key.
  mutating func set(_ key: UInt64, for nexus: NexusPorts) throws(Refusal) {
    precondition(key != 0, "a registration has a key")
    if let index = registrants.firstIndex(where: { $0.nexus == nexus }) {
      registrants[index].key = key
      return
    }
    guard registrants.count < Self.registrantCapacity else {
      throw .sense(
        SenseData(key: .illegalRequest, additional: .insufficientRegistrationResources))
    }
    registrants.append(Registrant(nexus: nexus, key: key))
  }

  /// Takes a registration away, and the reservation where it was its last holder. SPC-4 5.13.11.2.3.
  mutating func unregister(
    _ nexus: NexusPorts, askedBy asker: NexusPorts, _ effects: inout Effects
  ) {
    let isHolder = standing(of: nexus) == .holder
    registrants.removeAll { $0.nexus == nexus }
    guard let held = reservation, isHolder else { return }
    if held.type.isHeldByAllRegistrants, !registrants.isEmpty { return }
    reservation = nil
    if held.type.admitsRegistrants {
      tell(.reservationsReleased, except: asker, &effects)
    }
  }

  /// A unit attention for every registered nexus but one.
  func tell(_ additional: AdditionalSense, except asker: NexusPorts, _ effects: inout Effects) {
    for other in registrants where other.nexus != asker {
      effects.attentions.append(.init(nexus: other.nexus, additional: additional))
    }
  }
}
