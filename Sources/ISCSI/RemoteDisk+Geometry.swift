import Devices
import ISCSIProtocol
import SAM
import SCSI

extension RemoteDisk {
  /// READ CAPACITY, MODE SENSE for the write protection, VPD page B0h for the longest transfer.
  static func geometry(of unit: RemoteUnit) async throws(InitiatorError) -> Geometry {
    if let outcome = await unit.becomeReady() { throw Self.unusable(unit, "it", outcome) }
    var geometry = try await capacity(of: unit)
    guard geometry.blockLength > 0, geometry.blockLength <= FileDisk.blockLengthMaximum else {
      throw .unusable(
        target: unit.name,
        reason: "a block length of \(geometry.blockLength) is not possible; look after the disk")
    }
    let size = geometry.blockCount.multipliedReportingOverflow(by: UInt64(geometry.blockLength))
    guard !size.overflow else {
      throw .unusable(target: unit.name, reason: "it claims more bytes than there are")
    }
    let (mode, header) = await unit.perform(
      .modeSense(page: 0x3F, allocationLength: 252), dataIn: 252)
    if mode.isGood, header.count >= 4 { geometry.isReadOnly = header[2] & 0x80 != 0 }
    geometry.hasWriteCache = await hasWriteCache(unit)
    let (limits, page) = await unit.perform(
      .inquiry(page: 0xB0, allocationLength: 64), dataIn: 64)
    if limits.isGood, page.count >= 16, page[1] == 0xB0 {
      geometry.mostBlocks = (try? ByteReader(page.span).uint32(at: 8)) ?? 0
    }
    return geometry
  }

  /// WCE of the caching mode page. SBC-3 6.5.6.
  private static func hasWriteCache(_ unit: RemoteUnit) async -> Bool {
    let (mode, data) = await unit.perform(
      .modeSense(page: 0x08, allocationLength: 252), dataIn: 252)
    guard mode.isGood, data.count >= 4 else { return true }
    let page = 4 + Int(data[3])
    guard data.count > page + 2, data[page] & 0x3F == 0x08 else { return true }
    return data[page + 2] & 0x04 != 0
  }

  private static func capacity(of unit: RemoteUnit) async throws(InitiatorError) -> Geometry {
    var geometry = Geometry()
    let (outcome, data) = await unit.perform(.readCapacity16, dataIn: 32)
    if outcome.isGood, data.count >= 12 {
      let reader = ByteReader(data.span)
      let last = (try? reader.uint64(at: 0)) ?? 0
      geometry.blockCount = last == .max ? last : last + 1
      geometry.blockLength = Int((try? reader.uint32(at: 8)) ?? 0)
      let provisioning = data.count > 14 ? data[14] : 0
      // LBPME and LBPRZ.
      geometry.tellsHoles = provisioning & 0xC0 == 0xC0
      return geometry
    }
    if let condition = outcome.condition, !condition.isUnsupported {
      throw unusable(unit, "READ CAPACITY(16)", outcome)
    }
    let (short, answer) = await unit.perform(.readCapacity10, dataIn: 8)
    guard short.isGood, answer.count >= 8 else {
      throw unusable(unit, "READ CAPACITY(10)", short)
    }
    let reader = ByteReader(answer.span)
    geometry.blockCount = UInt64((try? reader.uint32(at: 0)) ?? 0) + 1
    geometry.blockLength = Int((try? reader.uint32(at: 4)) ?? 0)
    geometry.isShort = true
    // Its counts have 16 bits.
    geometry.mostBlocks = 0xFFFF
    return geometry
  }

  /// What a command that is needed and failed means.
  static func unusable(
    _ unit: RemoteUnit, _ what: String, _ outcome: InitiatorOutcome
  ) -> InitiatorError {
    if let failure = outcome.failure { return failure }
    let why = outcome.condition.map { "\($0)" } ?? "a short answer"
    return .unusable(target: unit.name, reason: "\(what) is not usable: \(why); look after it")
  }
}

extension RemoteUnit {
  /// Equal for equal target names and logical units, wherever they are reached: a target's name is its
  /// own in the whole world. Other identifiers are not asked, because targets repeat them.
  var identity: DeviceIdentity {
    // FNV-1a, with a device number that no local file system has.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    let target = session.options.targetName.map { "\($0)" } ?? ""
    for byte in target.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return DeviceIdentity(device: .max, inode: hash ^ logicalUnit)
  }
}

extension InitiatorSession {
  /// Whether the connection is gone and another login is on its way.
  var isLost: Bool { if case .lost = state { true } else { false } }
}
