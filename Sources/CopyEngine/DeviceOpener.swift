import CopyManager
import Devices
import Glibc
import Transfer
import Uring

/// Opens the devices of one job, and closes them all.
final class DeviceOpener {
  /// What a device is opened for.
  enum Use: Equatable {
    /// To be read by a copy: a file of any length.
    case copySource
    /// To be written by a copy. A file that is to have holes gets its size first.
    case copyDestination(sized: UInt64?)
    /// For a parameter list: blocks as SCSI has them; written if the user may.
    case commands
  }

  /// A disk that exists, as far as can be told without opening it to write.
  struct ExistingDisk {
    /// Size of a block device; nil of a file, whose size does not matter.
    var deviceByteCount: UInt64?
  }

  enum Kind {
    case tape
    /// nil: there is no such file yet.
    case disk(ExistingDisk?)
  }

  private let context: JobContext
  private var opened: [(specification: DeviceSpecification, device: CopyDevice)] = []

  init(_ context: JobContext) { self.context = context }

  private var ring: Ring { context.ring }

  /// Opens a device; one that was opened under the same text is opened once.
  func open(
    _ specification: DeviceSpecification, for use: Use
  ) async throws(EngineError) -> CopyDevice {
    if use == .commands, let same = opened.first(where: { $0.specification == specification }) {
      return same.device
    }
    let name = try DeviceName(specification)
    let device: CopyDevice
    do throws(DeviceError) {
      device = try await open(name, use)
    } catch {
      throw EngineError(error)
    }
    opened.append((specification, device))
    return device
  }

  private func open(_ name: DeviceName, _ use: Use) async throws(DeviceError) -> CopyDevice {
    switch name.kind {
    case .disk: .block(try await openDisk(name, use))
    case .cartridge: .stream(try await openCartridge(name, use))
    case .drive: throw .notATape(path: name.path)
    }
  }

  // MARK: Disks

  private func openDisk(_ name: DeviceName, _ use: Use) async throws(DeviceError) -> FileDisk {
    var options = FileDisk.Options()
    options.blockLength = name.blockLength
    switch use {
    case .commands:
      options.writes = !name.isReadOnly
      do throws(DeviceError) {
        return try await FileDisk.open(name.path, options: options, ring: ring)
      } catch {
        guard options.writes, error.meansReadOnly else { throw error }
        options.writes = false
      }
    case .copySource:
      if await status(of: name.path)?.kind == .regular, options.blockLength == nil {
        options.blockLength = 1
      }
    case .copyDestination(let size):
      if name.isReadOnly { throw .readOnlyFileSystem(path: name.path) }
      options = .destination
      options.blockLength = name.blockLength
      if await status(of: name.path)?.kind != .blockDevice, options.blockLength == nil {
        options.blockLength = 1
      }
      if let size {
        options.grows = false
        options.byteCount = size
      }
    }
    return try await FileDisk.open(name.path, options: options, ring: ring)
  }

  // MARK: Tapes

  private func openCartridge(_ name: DeviceName, _ use: Use) async throws(DeviceError) -> Cartridge {
    var options = Cartridge.Options()
    options.readOnly = name.isReadOnly || use == .copySource
    if let position = name.position { options.position = .object(position) }
    do throws(DeviceError) {
      return try await Cartridge.open(name.path, options: options, ring: ring)
    } catch {
      guard use == .commands, !options.readOnly, error.meansReadOnly else { throw error }
      options.readOnly = true
      return try await Cartridge.open(name.path, options: options, ring: ring)
    }
  }

  // MARK: Questions

  /// What `specification` names, before it is opened.
  func kind(of specification: DeviceSpecification) async throws(EngineError) -> Kind {
    let name = try DeviceName(specification)
    guard name.kind == .disk else { return .tape }
    guard let status = await status(of: name.path) else { return .disk(nil) }
    return .disk(
      ExistingDisk(deviceByteCount: status.kind == .blockDevice ? status.byteCount : nil))
  }

  /// What makes two specifications the same device; nil where there is nothing yet.
  func identity(of specification: DeviceSpecification) async -> DeviceIdentity? {
    guard let name = try? DeviceName(specification), let status = await status(of: name.path) else {
      return nil
    }
    return DeviceIdentity(
      device: status.device,
      inode: status.kind == .blockDevice || status.kind == .characterDevice ? 0 : status.inode)
  }

  /// Whether the specification says where the tape is to stand.
  func hasPosition(_ specification: DeviceSpecification) -> Bool {
    (try? DeviceName(specification))?.position != nil
  }

  /// How the tape drives of this job want to be fed.
  func streaming(_ startThreshold: Int?) -> StreamingPolicy? {
    guard let startThreshold, startThreshold > 0 else { return nil }
    return StreamingPolicy(startThreshold: startThreshold)
  }

  private func status(of path: String) async -> FileStatus? {
    await ring.blocking { files in
      let file = files.open(path, flags: O_RDONLY | O_NONBLOCK, mode: 0)
      guard file >= 0 else { return nil }
      defer { files.close(file) }
      return try? files.status(file)
    }
  }

  /// Transfers past the page cache and through it, of all devices so far.
  var fileCounters: (direct: Int, buffered: Int) {
    var sum = (direct: 0, buffered: 0)
    for (_, device) in opened {
      let counters: FileCounters? =
        switch device {
        case .block(let disk): (disk as? FileDisk)?.counters
        case .stream(let tape): (tape as? Cartridge)?.counters
        }
      sum.direct += counters?.directTransfers ?? 0
      sum.buffered += counters?.bufferedTransfers ?? 0
    }
    return sum
  }

  // MARK: The end

  /// Closes every device; what a tape still had to say is a warning.
  func closeAll() async {
    for (specification, device) in opened {
      switch device {
      case .block(let disk): await disk.close()
      case .stream(let tape):
        if let condition = (await tape.close()).condition, !condition.isEarlyWarning {
          context.warn("\(specification): when it was closed: \(condition.description)")
        }
      }
    }
    opened = []
  }
}

extension DeviceError {
  /// Whether a device that is only read may still be usable.
  fileprivate var meansReadOnly: Bool {
    switch self {
    case .permissionDenied, .readOnlyFileSystem, .busy: true
    default: false
    }
  }
}
