import CopyManager
import Devices
import Glibc
import ISCSI
import ISCSIProtocol
import Uring

extension DeviceOpener {
  /// The logical unit of a URL; asked once, and kept until it is opened.
  func remoteUnit(
    _ specification: DeviceSpecification, _ name: DeviceOptions
  ) async throws(EngineError) -> RemoteUnit {
    if let unit = units[specification] { return unit }
    let url = try ISCSIURL(of: name)
    let options = try initiatorOptions(url)
    do throws(InitiatorError) {
      let unit = try await RemoteUnit.open(url, options, ring: context.ring)
      units[specification] = unit
      return unit
    } catch {
      throw EngineError(error)
    }
  }

  /// Opens the disk or tape behind a URL, whichever it is.
  func openRemote(
    _ specification: DeviceSpecification, _ name: DeviceOptions, readOnly: Bool
  ) async throws(EngineError) -> CopyDevice {
    if let device = remoteDisks.removeValue(forKey: specification) { return .block(device) }
    let unit = try await remoteUnit(specification, name)
    // What is opened from here on closes the session, also where it fails.
    units[specification] = nil
    let readOnly = readOnly || name.readOnly
    do throws(InitiatorError) {
      switch unit.deviceType {
      case RemoteUnit.diskType:
        let disk = try await RemoteDisk.open(unit, readOnly: readOnly)
        return .block(name.decorated(disk, ring: context.ring))
      case RemoteUnit.tapeType:
        let tape = try await RemoteTape.open(unit, readOnly: readOnly)
        try await place(tape, name)
        return .stream(name.decorated(tape, ring: context.ring))
      default:
        await unit.session.close()
        throw .unsupportedDevice(target: unit.name, type: unit.deviceType)
      }
    } catch {
      throw EngineError(error)
    }
  }

  /// Moves a tape, which stands at its beginning, to `position=`.
  private func place(_ tape: RemoteTape, _ name: DeviceOptions) async throws(InitiatorError) {
    let status: DeviceStatus
    switch name.position {
    case .beginning, .object(0): return
    case .endOfData: status = await tape.space(.endOfData, count: 1)
    case .object(let object): status = await tape.locate(object)
    }
    guard let condition = status.condition, !condition.isEarlyWarning else { return }
    _ = await tape.close()
    throw .unusable(
      target: tape.name, reason: "moving to position=: \(condition); say one that is on the tape")
  }

  /// What a URL names: for a disk it has to be opened to tell its size.
  func kindOfRemote(
    _ specification: DeviceSpecification, _ name: DeviceOptions
  ) async throws(EngineError) -> Kind {
    if let disk = remoteDisks[specification] {
      return .disk(ExistingDisk(deviceByteCount: disk.byteCount))
    }
    if try await remoteUnit(specification, name).deviceType == RemoteUnit.tapeType { return .tape }
    guard case .block(let disk) = try await openRemote(specification, name, readOnly: false) else {
      preconditionFailure("what is no tape opens as a disk")
    }
    remoteDisks[specification] = disk
    return .disk(ExistingDisk(deviceByteCount: disk.byteCount))
  }

  /// Ends the sessions of what was asked for and not opened.
  func closeRemotes() async {
    for unit in units.values { await unit.session.close() }
    for disk in remoteDisks.values { await disk.close() }
    units = [:]
    remoteDisks = [:]
  }

  func initiatorOptions(_ url: ISCSIURL) throws(EngineError) -> InitiatorOptions {
    var options = InitiatorOptions(
      initiatorName: context.initiatorName, targetName: url.targetName, portal: url.portal)
    options.authentication = try url.authentication()
    // A digest that is asked for is not given up.
    if let digest = url.headerDigest { options.negotiation.headerDigests = [digest] }
    if let digest = url.dataDigest { options.negotiation.dataDigests = [digest] }
    let warn = context.log
    options.log = { warn(Engine.LogLine(isWarning: true, text: $0)) }
    return options
  }
}

extension BlockDevice {
  fileprivate var byteCount: UInt64 { blockCount * UInt64(blockLength) }
}

extension ISCSIURL {
  /// Of a device string.
  init(of name: DeviceOptions) throws(EngineError) {
    do throws(URLError) {
      try self.init(name.path)
    } catch {
      throw EngineError(.syntax, "\(DeviceOptions.shown(name.path)): \(error)")
    }
  }

  /// Name and password of this side, and of the target where it has to prove who it is.
  fileprivate func authentication() throws(EngineError) -> InitiatorCHAP? {
    guard user != nil || targetUser != nil || targetPassword != nil else { return nil }
    guard let user, let password else {
      throw EngineError(
        .syntax, "\(plain): a user needs a password; write iscsi://USER%PASSWORD@…")
    }
    guard (targetUser == nil) == (targetPassword == nil) else {
      throw EngineError(
        .syntax, "\(plain): target-user and target-password belong together; say both")
    }
    return try InitiatorCHAP(
      user: user, password: password, targetUser: targetUser, targetPassword: targetPassword,
      at: plain)
  }

  /// Without user, passwords and options.
  private var plain: String { "iscsi://\(portal)/\(targetName)/\(logicalUnit)" }

  /// What makes two URLs the same device.
  var deviceIdentity: DeviceIdentity {
    var hasher: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in plain.utf8 {
      hasher = (hasher ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return DeviceIdentity(device: .max, inode: hasher)
  }
}

extension EngineError {
  /// What a remote device that could not be used means to a caller.
  init(_ error: InitiatorError) {
    let kind: Kind =
      switch error {
      case .noMedium: .notReady
      case .noMemory, .unsupportedDevice: .illegalRequest
      case .positionLost: .medium
      default: .file
      }
    self.init(kind, error.description)
  }
}

extension InitiatorCHAP {
  /// Of what a person said of the place `name`.
  init(
    user: String, password: String, targetUser: String? = nil, targetPassword: String? = nil,
    at name: String
  ) throws(EngineError) {
    do throws(CHAPPolicyError) {
      let own = try CHAPCredential(user: user, secret: Self.secret(password))
      var target: CHAPCredential?
      if let targetUser, let targetPassword {
        target = try CHAPCredential(user: targetUser, secret: Self.secret(targetPassword))
      }
      // What the target can is not ours to choose, and some only know MD5.
      try self.init(own: own, target: target, allowsLegacyAlgorithms: true)
    } catch {
      throw EngineError(.syntax, "\(name): \(error)")
    }
  }

  private static func secret(_ text: String) throws(CHAPPolicyError) -> CHAPSecret {
    try CHAPSecret(Array(text.utf8), allowsShort: true)
  }
}

/// The iSCSI name of this machine.
enum InitiatorName {
  static let prefix = "iqn.2026-11.org.ecopy:"

  /// Of what a person said, or else of the host's name.
  static func of(_ text: String?) throws(EngineError) -> ISCSIName {
    do throws(NameError) {
      return try ISCSIName(text ?? prefix + valid(hostName()))
    } catch {
      throw EngineError(.syntax, "--initiator-name: \(error)")
    }
  }

  /// What iSCSI names may hold: letters, digits, `-`, `.` and `:`.
  static func valid(_ host: String) -> String {
    let bytes = host.utf8.prefix(ISCSIName.maximumByteCount - prefix.utf8.count).map {
      byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
        byte
      default: UInt8(ascii: "-")
      }
    }
    return bytes.isEmpty ? "host" : String(decoding: bytes, as: UTF8.self)
  }

  private static func hostName() -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&bytes, 255) == 0 else { return "" }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
