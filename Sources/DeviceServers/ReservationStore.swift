/// Where the registrations and the reservation of one logical unit survive a power loss (APTPL). SPC-4
/// 5.13.5.
///
/// Used on the ring's thread, one call at a time.
open class ReservationStore {
  /// For subclasses.
  public init() {}

  /// What was stored last; nil where nothing ever was. At most `PersistentReservations.byteCountMaximum`
  /// bytes are of use. Bytes that cannot be read come back as an empty array, which is damaged.
  open func load() async -> [UInt8]? {
    preconditionFailure("a store of reservations loads")
  }

  /// Keeps `bytes` in place of what was stored before; true once they are durable. A store that fails
  /// leaves the old bytes.
  open func store(_ bytes: [UInt8]) async -> Bool {
    preconditionFailure("a store of reservations stores")
  }
}
