import DeviceServers
import Devices
import Uring

/// A unit of the configuration with what stands behind it, open.
struct OpenUnit {
  let configuration: UnitConfiguration
  let disk: FileDisk
  let logicalUnit: LogicalUnit
  let failures: FailureLog

  /// Bytes that a file system writes at once.
  private static let pageByteCount = 4096

  /// Makes the file where there is none, and opens it.
  ///
  /// - Parameter warn: told what goes wrong with it from then on.
  static func open(
    _ unit: UnitConfiguration, in state: StateDirectory, share: BufferShare,
    copies: CopyCommands, ring: Ring, warn: @escaping @Sendable (String) -> Void
  ) async throws(DiskSystemError) -> OpenUnit {
    var options = FileDisk.Options()
    options.blockLength = unit.blockLength
    options.writes = !unit.isReadOnly
    let path: String
    switch unit.place {
    case .device(let device): path = device
    case .file(let file):
      path = state.place(of: file)
      options.byteCount = unit.byteCount
      let (byteCount, name) = (unit.byteCount, unit.name)
      try await StateDirectory.blocking(on: ring) { _ throws(DiskSystemError) in
        try UnitFile.prepare(file, byteCount: byteCount, unit: name, in: state)
      }
    }
    let disk: FileDisk
    do throws(DeviceError) {
      disk = try await FileDisk.open(path, options: options, ring: ring)
    } catch {
      throw .unit(name: unit.name, reason: reason(error, unit))
    }
    if let reason = mismatch(disk, unit, path) {
      await disk.close()
      throw .unit(name: unit.name, reason: reason)
    }
    if case .file(let file) = unit.place {
      let name = unit.name
      do throws(DiskSystemError) {
        try await StateDirectory.blocking(on: ring) { _ throws(DiskSystemError) in
          try UnitFile.remember(file, unit: name, in: state)
        }
      } catch {
        await disk.close()
        throw error
      }
    }
    let failures = FailureLog(unit: unit.name, tell: warn)
    disk.failed = { failures.report($0, now: ring.now) }
    let control = ControlBlock(
      store: ReservationFile(of: unit.name, in: state, ring: ring, warn: warn))
    if await control.restore() == .damaged {
      await disk.close()
      throw .unit(
        name: unit.name,
        reason: "\(state.path)/reservations/\(unit.name) is damaged; restore it from a backup, or "
          + "remove it where no initiator counts on its reservations")
    }
    var logical = BlockLogicalUnitOptions()
    logical.isThin = unit.isThin
    logical.isReadOnly = unit.isReadOnly
    logical.isRemovable = unit.isRemovable
    // Files are kept in pages; a device's own physical blocks are not known here.
    if case .file = unit.place {
      logical.physicalBlockExponent = (Self.pageByteCount / unit.blockLength).trailingZeroBitCount
    }
    let logicalUnit = BlockLogicalUnit(
      disk: disk, identity: identity(of: unit, in: state), options: logical,
      control: control, share: share, ring: ring, copies: copies)
    return OpenUnit(
      configuration: unit, disk: disk, logicalUnit: logicalUnit, failures: failures)
  }

  /// Names that stay the same over restarts, and differ from those of other state directories.
  private static func identity(
    of unit: UnitConfiguration, in state: StateDirectory
  ) -> UnitIdentity {
    let number = state.number(of: unit.name)
    // NAA 3h: locally assigned, 60 bits. SPC-4 7.8.6.6.4.
    let assigned = 0x3 << 60 | number & 0x0FFF_FFFF_FFFF_FFFF
    let digits = String(number, radix: 16)
    return UnitIdentity(
      product: "DISK",
      serialNumber: String(repeating: "0", count: 16 - digits.count) + digits,
      naa: (0..<8).map { UInt8(truncatingIfNeeded: assigned >> (56 - 8 * UInt64($0))) })
  }

  /// The words of a configuration where those of a command line would be wrong.
  private static func reason(_ error: DeviceError, _ unit: UnitConfiguration) -> String {
    switch error {
    case .readOnlyFileSystem(let path):
      "\(path): its file system is mounted read-only; remount it, or write read-only: true"
    case .sizeNotMultiple(let path, let byteCount, let blockLength):
      "\(path): its size of \(byteCount) bytes is not a multiple of the block length "
        + "\(blockLength); write another block-length, or a size that is"
    default: error.description
    }
  }

  private static func mismatch(
    _ disk: FileDisk, _ unit: UnitConfiguration, _ path: String
  ) -> String? {
    let isDevice = disk.identity.inode == 0
    switch unit.place {
    case .file where isDevice: return "\(path) is a block device; write device: \(path)"
    case .device where !isDevice: return "\(path) is a file; write file: \(path)"
    default: break
    }
    if disk.blockCount == 0 {
      return "\(path) has no blocks; write size: 512 MiB to lengthen it"
    }
    return nil
  }
}
