import CopyManager
import Devices
import Glibc
import ISCSI
import ISCSIProtocol
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

  let context: JobContext
  /// Logical units that were asked what they are, and disks that were asked how large; not yet opened.
  var units: [DeviceSpecification: RemoteUnit] = [:]
  var remoteDisks: [DeviceSpecification: BlockDevice] = [:]
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
    let options = try DeviceOptions(specification)
    let device: CopyDevice
    if options.kind == .remote {
      let device = try await openRemote(
        specification, options, readOnly: use == .copySource)
      opened.append((specification, device))
      return device
    }
    do throws(DeviceError) {
      switch options.kind {
      case .disk: device = .block(try await openDisk(options, use))
      case .cartridge, .tape, .remote: device = .stream(try await openTape(options, use))
      }
    } catch {
      if case .copyDestination = use, case .notFound = error, options.kind == .disk {
        throw EngineError(
          .file, "\(options.path): the directory it is to be made in is missing; make that first")
      }
      throw options.kind == .cartridge
        ? EngineError(error, ofCartridgeAt: options.path) : EngineError(error)
    }
    opened.append((specification, device))
    return device
  }

  private func openDisk(_ name: DeviceOptions, _ use: Use) async throws(DeviceError) -> BlockDevice
  {
    var options = FileDisk.Options()
    switch use {
    case .commands:
      options.writes = true
      do throws(DeviceError) {
        return try await name.openDisk(options, ring: ring)
      } catch {
        guard error.meansReadOnly else { throw error }
        options.writes = false
      }
    case .copySource:
      if await status(of: name.path)?.kind == .regular { options.blockLength = 1 }
    case .copyDestination(let size):
      if await status(of: name.path)?.kind == .blockDevice {
        options = .readWrite
      } else {
        options = .destination
        options.blockLength = 1
        options.grows = size == nil
        options.byteCount = size
      }
    }
    return try await name.openDisk(options, ring: ring)
  }

  private func openTape(_ name: DeviceOptions, _ use: Use) async throws(DeviceError) -> StreamDevice
  {
    do throws(DeviceError) {
      return try await name.openTape(readOnly: use == .copySource, ring: ring)
    } catch {
      guard use == .commands, error.meansReadOnly else { throw error }
      return try await name.openTape(readOnly: true, ring: ring)
    }
  }

  // MARK: Questions

  /// What `specification` names, before it is opened.
  func kind(of specification: DeviceSpecification) async throws(EngineError) -> Kind {
    let name = try DeviceOptions(specification)
    if name.kind == .remote { return try await kindOfRemote(specification, name) }
    guard name.kind == .disk else { return .tape }
    guard let status = await status(of: name.path) else { return .disk(nil) }
    return .disk(
      ExistingDisk(deviceByteCount: status.kind == .blockDevice ? status.byteCount : nil))
  }

  /// What makes two specifications the same device; nil where there is nothing yet.
  func identity(of specification: DeviceSpecification) async -> DeviceIdentity? {
    guard let name = try? DeviceOptions(specification) else { return nil }
    if name.kind == .remote { return (try? ISCSIURL(of: name))?.deviceIdentity }
    guard let status = await status(of: name.path) else { return nil }
    let isDevice = status.kind == .blockDevice || status.kind == .characterDevice
    return DeviceIdentity(device: status.device, inode: isDevice ? 0 : status.inode)
  }

  /// Whether the specification says where the tape is to stand.
  func hasPosition(_ specification: DeviceSpecification) -> Bool {
    guard let name = try? DeviceOptions(specification) else { return false }
    return name.position != .beginning
  }

  /// How the tape among `specifications` wants to be fed: a drive is started when much is buffered,
  /// and not fed below the slowest speed at which it streams.
  func streaming(
    _ specifications: [DeviceSpecification], threshold: Int?
  ) -> StreamingPolicy? {
    guard threshold != 0 else { return nil }
    let names = specifications.compactMap { try? DeviceOptions($0) }
    let usual = context.limits.reservoirBytes / 4 * 3
    if let drive = names.lazy.compactMap(\.drive).first {
      return StreamingPolicy(
        startThreshold: threshold ?? usual,
        rates: Double(drive.slowestBytesPerSecond)...Double(drive.nativeBytesPerSecond))
    }
    let hasDrive =
      names.contains { $0.kind == .tape }
      || opened.contains { specification, device in
        guard case .stream = device, specifications.contains(specification) else { return false }
        return (try? DeviceOptions(specification))?.kind == .remote
      }
    return (threshold ?? (hasDrive ? usual : nil)).map { StreamingPolicy(startThreshold: $0) }
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
        case .block(let disk): disk.file?.counters
        case .stream(let tape): tape.cartridge?.counters
        }
      sum.direct += counters?.directTransfers ?? 0
      sum.buffered += counters?.bufferedTransfers ?? 0
    }
    return sum
  }

  /// Payload bytes that drives had to have in one range of memory, and so were copied.
  var copiedByteCount: UInt64 {
    var sum: UInt64 = 0
    for case (_, .stream(let tape)) in opened { sum += UInt64(tape.drive?.copiedByteCount ?? 0) }
    return sum
  }

  /// Times that modelled drives had to stop and go back; nil where there are none.
  var repositionings: Int? {
    var sum: Int?
    for case (_, .stream(let tape)) in opened {
      if let drive = tape as? StreamingDrive { sum = (sum ?? 0) + drive.repositioningCount }
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
    await closeRemotes()
  }
}

extension BlockDevice {
  /// The file behind decorators.
  fileprivate var file: FileDisk? { self as? FileDisk ?? (self as? FaultyDisk)?.disk.file }
}

extension StreamDevice {
  /// The cartridge behind decorators.
  fileprivate var cartridge: Cartridge? {
    self as? Cartridge ?? (self as? StreamDecorator)?.tape.cartridge
  }

  /// The drive behind decorators.
  fileprivate var drive: LocalTape? {
    self as? LocalTape ?? (self as? StreamDecorator)?.tape.drive
  }
}

extension DeviceOptions {
  /// Reads a specification.
  init(_ specification: DeviceSpecification) throws(EngineError) {
    do throws(DeviceError) {
      try self.init(specification.text)
    } catch {
      throw EngineError(error)
    }
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
