import Glibc
import Testing
import Uring

@testable import DiskSystem

@Suite("The state directory on a disk that loses power, or fails")
struct StatePowerLossTests {
  /// What was told to be done, in this order.
  private struct Progress {
    var number: UInt64?
    var identifiers: [[UInt16]]?
    var hasFile = false
    var reservations: [UInt8]?
  }

  private static func begin(_ files: SimulatedFileSystem) -> Progress {
    var progress = Progress()
    guard case .success(let state) = StateDirectory.open("/s", files),
      let portal = SocketAddress(portal: "127.0.0.1")
    else { return progress }
    defer { state.close() }
    progress.number = state.number(of: "disk")
    do throws(DiskSystemError) {
      try UnitFile.prepare("a.img", byteCount: 8192, unit: "disk", in: state)
      try UnitFile.remember("a.img", unit: "disk", in: state)
      progress.hasFile = true
      progress.identifiers = try state.portIdentifiers(targets: ["a", "b"], portals: [portal])
      for value in 1...2 as ClosedRange<UInt8> {
        try state.store(reservations: [value], of: "disk")
        progress.reservations = [value]
      }
    } catch {}
    return progress
  }

  @Test("what was told to be done is there, wherever the power fails", arguments: 0..<40)
  func everywhere(seed: Int) throws {
    var operation = 0
    var isWhole = false
    while !isWhole {
      operation += 1
      let files = SimulatedFileSystem()
      _ = SimulatedKernel(
        files: files, plan: .powerLoss(seed: UInt64(seed), atOperation: operation))
      let told = Self.begin(files)
      isWhole = !files.isDown
      files.crash()
      _ = SimulatedKernel(files: files, plan: SimulationPlan())
      let state = try StateDirectory.open("/s", files).get()
      defer { state.close() }
      if let number = told.number { #expect(state.number(of: "disk") == number) }
      if told.hasFile { #expect(files.content(of: "/s/a.img")?.count == 8192) }
      // Half of a start never keeps the next one from starting.
      try UnitFile.prepare("a.img", byteCount: 8192, unit: "disk", in: state)
      let portal = try #require(SocketAddress(portal: "127.0.0.1"))
      let identifiers = try state.portIdentifiers(targets: ["b", "a"], portals: [portal])
      if let known = told.identifiers { #expect(identifiers == known.reversed()) }
      if let stored = told.reservations {
        #expect(try state.reservations(of: "disk")?.first ?? 0 >= stored[0])
      }
    }
    #expect(operation > 30)
  }

  @Test(
    "reservations that could not be made durable are told so, and are not found",
    arguments: [
      SimulatedCallFault.Call.open, .write, .synchronize, .rename,
    ])
  func failedStores(call: SimulatedCallFault.Call) throws {
    let places =
      call == .synchronize
      ? ["/s/reservations/~disk", "/s/reservations"] : ["/s/reservations/~disk"]
    for place in places {
      for isFirst in [true, false] {
        let files = SimulatedFileSystem()
        let state = try StateDirectory.open("/s", files).get()
        if !isFirst { try state.store(reservations: [1], of: "disk") }
        let before: [UInt8]? = isFirst ? nil : [1]
        var plan = SimulationPlan()
        plan.callFaults = [SimulatedCallFault(call, path: place, errno: EIO)]
        _ = SimulatedKernel(files: files, plan: plan)
        #expect(throws: DiskSystemError.self) { try state.store(reservations: [2], of: "disk") }
        #expect(try state.reservations(of: "disk") == before, "\(place)")
        #expect(files.names(in: "/s/reservations") == (isFirst ? [] : ["disk"]), "\(place)")
        files.crash()
        _ = SimulatedKernel(files: files, plan: SimulationPlan())
        #expect(try state.reservations(of: "disk") == before, "\(place) after a power loss")
      }
    }
  }
}
