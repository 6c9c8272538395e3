import CopyManager
import Devices
import SCSI
import Uring

@testable import CopyModel

/// The devices of a scenario as files of a simulated disk: made, opened and read back.
enum SimulatedShelf {
  static let arenaBytes = 4 << 20

  static func path(_ number: Int, _ device: ModelDevice) -> String {
    switch device {
    case .disk: "/disk\(number)"
    case .tape: "/tape\(number)"
    case .missing: "/missing\(number)"
    }
  }

  /// Writes disks as files and cartridges through `Cartridge`, without faults. Everything is durable.
  static func make(_ devices: [ModelDevice], directAlignment: UInt32) async throws
    -> SimulatedFileSystem
  {
    let files = SimulatedFileSystem(directAlignment: directAlignment)
    try await onPlainKernel(files) { ring in
      for (number, device) in devices.enumerated() {
        let path = path(number, device)
        switch device {
        case .disk(let disk): files.setContent(of: path, disk.bytes)
        case .tape(let tape): try await make(tape, at: path, ring)
        case .missing: break
        }
      }
    }
    return files
  }

  private static func make(_ tape: ModelTape, at path: String, _ ring: Ring) async throws {
    let capacity = tape.capacity.map { UInt64($0) } ?? .max
    let format = Cartridge.Format(
      capacity: capacity, earlyWarning: min(capacity, UInt64(tape.earlyWarning)))
    try await Cartridge.create(at: path, format: format, ring: ring)
    let cartridge = try await Cartridge.open(path, ring: ring)
    for object in tape.objects {
      let status: DeviceStatus
      switch object {
      case .filemark: status = await cartridge.writeFilemarks(1, immediate: true)
      case .record(let bytes):
        guard var payload = ring.arena.allocate(bytes.count) else { throw Failed("no memory") }
        payload.overwrite(with: bytes)
        status = await cartridge.write(payload).status
      }
      guard status.isSuccess else { throw Failed("\(path): \(status)") }
    }
    guard await cartridge.close() == .good() else { throw Failed("\(path) does not close") }
  }

  /// Opens what a list is executed on; tapes stand where the model's stand.
  static func open(_ devices: [ModelDevice], _ ring: Ring) async throws(DeviceError)
    -> [CopyDevice?]
  {
    var opened: [CopyDevice?] = []
    do throws(DeviceError) {
      for (number, device) in devices.enumerated() {
        opened.append(try await open(device, at: path(number, device), ring))
      }
      return opened
    } catch {
      // A cartridge is locked as long as it is open.
      for case .stream(let tape)? in opened { _ = await tape.close() }
      for case .block(let disk)? in opened { await disk.close() }
      throw error
    }
  }

  private static func open(_ device: ModelDevice, at path: String, _ ring: Ring)
    async throws(DeviceError) -> CopyDevice?
  {
    switch device {
    case .disk(let disk):
      var options = FileDisk.Options()
      options.writes = !disk.readOnly
      options.blockLength = disk.blockLength
      return .block(try await FileDisk.open(path, options: options, ring: ring))
    case .tape(let tape):
      var options = Cartridge.Options()
      options.readOnly = tape.readOnly
      options.position = .object(UInt64(tape.position))
      return .stream(try await Cartridge.open(path, options: options, ring: ring))
    case .missing: return nil
    }
  }

  /// What stands on the devices, as a fresh kernel without faults shows it. Positions are those
  /// of `devices`.
  static func readBack(_ devices: [ModelDevice], _ files: SimulatedFileSystem) async throws
    -> [ModelDevice]
  {
    try await onPlainKernel(files) { ring in
      var found: [ModelDevice] = []
      for (number, device) in devices.enumerated() {
        let path = path(number, device)
        switch device {
        case .disk(var disk):
          disk.bytes = files.content(of: path) ?? []
          found.append(.disk(disk))
        case .tape(var tape):
          tape.objects = try await objects(of: path, ring)
          found.append(.tape(tape))
        case .missing: found.append(.missing)
        }
      }
      return found
    }
  }

  private static func objects(of path: String, _ ring: Ring) async throws -> [ModelTape.Object] {
    let cartridge = try await Cartridge.open(path, ring: ring)
    var objects: [ModelTape.Object] = []
    while true {
      guard let room = ring.arena.allocate(cartridge.nextRecordLength ?? 1) else {
        throw Failed("no memory")
      }
      let read = await cartridge.read(into: room)
      if let condition = read.status.condition {
        if condition.filemark {
          objects.append(.filemark)
          continue
        }
        guard condition.key == .blankCheck else { throw Failed("\(path): \(condition)") }
        break
      }
      objects.append(.record(read.takePayload().bytes()))
    }
    guard await cartridge.close() == .good() else { throw Failed("\(path) does not close") }
    return objects
  }

  /// Runs `body` on a processor over a kernel that does everything at once and well.
  static func onPlainKernel<Success: Sendable>(
    _ files: SimulatedFileSystem, _ body: @escaping @Sendable (Ring) async throws -> Success
  ) async throws -> Success {
    let kernel = SimulatedKernel(files: files, plan: SimulationPlan())
    var configuration = Processor.Configuration()
    configuration.arenaBytes = arenaBytes
    configuration.kernel = { kernel }
    let processor = try Processor(configuration)
    let result: Result<Success, any Error> = await processor.run { ring in
      do { return .success(try await body(ring)) } catch { return .failure(error) }
    }
    processor.stop()
    return try result.get()
  }
}

/// Why a test could not go on.
struct Failed: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
