/// What kind of thing happened. SPC-4 4.5.6.
public enum SenseKey: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case noSense = 0x0
  case recoveredError = 0x1
  case notReady = 0x2
  case mediumError = 0x3
  case hardwareError = 0x4
  case illegalRequest = 0x5
  case unitAttention = 0x6
  case dataProtect = 0x7
  case blankCheck = 0x8
  case vendorSpecific = 0x9
  case copyAborted = 0xA
  case abortedCommand = 0xB
  case reservedC = 0xC
  case volumeOverflow = 0xD
  case miscompare = 0xE
  case completed = 0xF

  /// The key in the low four bits of `byte`.
  public init(lowBitsOf byte: UInt8) {
    guard let key = SenseKey(rawValue: byte & 0x0F) else {
      preconditionFailure("every four-bit value is a sense key")
    }
    self = key
  }

  /// The standard's name of the key.
  public var description: String {
    switch self {
    case .noSense: "NO SENSE"
    case .recoveredError: "RECOVERED ERROR"
    case .notReady: "NOT READY"
    case .mediumError: "MEDIUM ERROR"
    case .hardwareError: "HARDWARE ERROR"
    case .illegalRequest: "ILLEGAL REQUEST"
    case .unitAttention: "UNIT ATTENTION"
    case .dataProtect: "DATA PROTECT"
    case .blankCheck: "BLANK CHECK"
    case .vendorSpecific: "VENDOR SPECIFIC"
    case .copyAborted: "COPY ABORTED"
    case .abortedCommand: "ABORTED COMMAND"
    case .reservedC: "RESERVED (Ch)"
    case .volumeOverflow: "VOLUME OVERFLOW"
    case .miscompare: "MISCOMPARE"
    case .completed: "COMPLETED"
    }
  }
}
