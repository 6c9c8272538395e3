import DeviceServers
import Uring

/// The reservations of a unit in a file of the state directory.
final class StoredReservations: ReservationStore {
  private let directory: StateDirectory
  private let unit: String
  private let ring: Ring

  init(of unit: String, in directory: StateDirectory, ring: Ring) {
    self.directory = directory
    self.unit = unit
    self.ring = ring
  }

  /// A file that cannot be read counts as damaged, for reservations may be in it.
  override func load() async -> [UInt8]? {
    let (directory, unit) = (directory, unit)
    return await ring.blocking { _ in
      do throws(DiskSystemError) {
        return try directory.reservations(of: unit)
      } catch {
        return []
      }
    }
  }

  override func store(_ bytes: [UInt8]) async -> Bool {
    let (directory, unit) = (directory, unit)
    return await ring.blocking { _ in directory.store(reservations: bytes, of: unit) }
  }
}
