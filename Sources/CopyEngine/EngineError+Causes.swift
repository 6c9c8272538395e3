import Devices
import SCSI
import Uring

extension EngineError {
  /// What a ring that could not be made means to a caller.
  init(_ error: RingError) {
    self.init(.unavailable, error.description)
  }

  /// What a device that could not be used means to a caller.
  init(_ error: DeviceError) {
    let kind: Kind =
      switch error {
      case .option: .syntax
      case .busy, .cartridgeInUse: .busy
      case .readOnlyFileSystem: .dataProtect
      case .noMedium: .notReady
      case .cartridgeDamaged, .tapeImage: .medium
      case .sizeNotMultiple, .blockLength, .capacity, .position, .noMemory: .illegalRequest
      case .transfer(_, let condition): Kind(condition.status, condition.key)
      case .notFound, .isDirectory, .notADisk, .permissionDenied, .noSpace, .cartridgeExists,
        .notACartridge, .cartridgeVersion, .notATape, .system:
        .file
      }
    self.init(kind, error.description)
  }

  /// The same for a device that was to be a cartridge.
  init(_ error: DeviceError, ofCartridgeAt directory: String) {
    guard case .notFound = error else {
      self.init(error)
      return
    }
    self.init(
      .file,
      "tape:\(directory): there is no such cartridge; make one with: "
        + "ecopy tape create \(directory)")
  }

  /// What a condition of the device `name` means to a caller.
  init(_ condition: Condition, of name: String, while doing: String) {
    var text = "\(name): \(doing): \(condition.description)"
    if let place = condition.information, condition.key == .mediumError {
      text += " (INFORMATION \(place))"
    }
    self.init(Kind(condition.status, condition.key), text)
  }
}
