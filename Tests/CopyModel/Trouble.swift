/// What a scenario that is to fail shall fail with.
enum Trouble: CaseIterable {
  case badIndex, missing, null, wrongType, blockLength, readOnlyDisk, readOnlyTape
  case invalidOperation, lbaOutOfRange, inlineOutOfRange, inexact, tapeRead, positioning
  case overflow, format

  /// Whether a result is the one wanted.
  func describes(_ result: ModelResult) -> Bool {
    let code = (result.senseKey, result.asc, result.ascq)
    switch self {
    case .badIndex, .missing, .null: return code == (0xA, 0x08, 0x04)
    case .wrongType: return code == (0xA, 0x0D, 0x03)
    case .blockLength: return code == (0xA, 0x26, 0x00)
    case .readOnlyDisk, .readOnlyTape: return result.destinationSense?.senseKey == 0x7
    case .invalidOperation: return code == (0xA, 0x26, 0x0C)
    case .lbaOutOfRange: return code == (0xA, 0x0D, 0x02)
    case .inlineOutOfRange: return code == (0xA, 0x26, 0x0B)
    case .inexact: return code == (0xA, 0x26, 0x0A)
    case .tapeRead: return result.sourceSense != nil
    case .positioning: return result.destinationSense != nil
    case .overflow: return result.destinationSense?.senseKey == 0xD
    case .format: return result.senseKey == 0x5
    }
  }

  /// The segment kinds that can make it; nil: any.
  var kinds: [UInt8]? {
    switch self {
    case .inlineOutOfRange: [0x04]
    case .tapeRead: [0x01, 0x03, 0x06, 0x09, 0x0C, 0x0E, 0x0F]
    case .positioning: [0x11, 0x12]
    case .overflow: [0x00, 0x03, 0x04, 0x05, 0x08, 0x0B, 0x0E, 0x13]
    case .readOnlyDisk: [0x01, 0x02, 0x09, 0x0A, 0x0C, 0x0D]
    case .readOnlyTape: [0x00, 0x03, 0x04, 0x05, 0x08, 0x0B, 0x10, 0x13]
    case .lbaOutOfRange: [0x00, 0x01, 0x02, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D]
    case .blockLength: [0x00, 0x02, 0x08, 0x0A, 0x0B, 0x0D]
    default: nil
    }
  }
}
