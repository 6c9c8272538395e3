import DeviceServers
import Uring

/// Keeps the registrations and the reservation of a unit in its file of the state directory.
final class ReservationFile: ReservationStore {
  private let unit: String
  private let state: StateDirectory
  private let ring: Ring
  private let warn: @Sendable (String) -> Void

  /// Of the unit `unit`; what cannot be stored is told to `warn` too.
  init(
    of unit: String, in state: StateDirectory, ring: Ring,
    warn: @escaping @Sendable (String) -> Void
  ) {
    self.unit = unit
    self.state = state
    self.ring = ring
    self.warn = warn
    super.init()
  }

  override func load() async -> [UInt8]? {
    let (unit, state) = (unit, state)
    return await ring.blocking { _ in
      do throws(DiskSystemError) {
        return try state.reservations(of: unit)
      } catch {
        // No stored bytes are empty: that is what damaged ones look like.
        return []
      }
    }
  }

  override func store(_ bytes: [UInt8]) async -> Bool {
    let (unit, state) = (unit, state)
    do throws(DiskSystemError) {
      try await StateDirectory.blocking(on: ring) { _ throws(DiskSystemError) in
        try state.store(reservations: bytes, of: unit)
      }
      return true
    } catch {
      warn("unit \(unit): its reservations were not stored: \(error.description)")
      return false
    }
  }
}
