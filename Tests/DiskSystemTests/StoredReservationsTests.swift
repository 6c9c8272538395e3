import DeviceServers
import Glibc
import Testing
import Uring

@testable import DiskSystem

@Suite("Reservations in the state directory")
struct StoredReservationsTests {
  @Test("they come back, and a file that was cut keeps the unit from being served")
  func comeBack() async throws {
    let scratch = try Scratch()
    let path = scratch.path("a")
    let processor = try Processor(Processor.Configuration())
    let outcomes = await processor.run { ring -> [ControlBlock.Restored] in
      guard case .success(let state) = StateDirectory.open(path, LinuxFileSystem()) else {
        return []
      }
      defer { state.close() }
      func restored() async -> ControlBlock.Restored {
        await ControlBlock(store: StoredReservations(of: "disk", in: state, ring: ring)).restore()
      }
      let store = StoredReservations(of: "disk", in: state, ring: ring)
      var outcomes = [await restored()]
      let empty = PersistentReservations().storedBytes
      guard await store.store(empty) else { return [] }
      outcomes.append(await restored())
      guard await store.store(Array(empty.dropLast())) else { return [] }
      outcomes.append(await restored())
      let tooLong = [UInt8](
        repeating: 0, count: StateDirectory.reservationsByteCountMaximum + 1)
      guard await store.store(tooLong) else { return [] }
      outcomes.append(await restored())
      return outcomes
    }
    processor.stop()
    #expect(outcomes == [.nothing, .nothing, .damaged, .damaged])
  }
}
