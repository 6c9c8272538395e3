/// What mode pages hold that MODE SELECT may change. SPC-4 7.5, SBC-3 6.4.
public struct ModeValues: Equatable, Sendable {
  /// D_SENSE: sense data goes out in descriptor format.
  public var usesDescriptorSense = false
  /// TAS: whoever's task another nexus ends is told TASK ABORTED.
  public var answersAbortedTasks = false
  /// SWP: writes are refused until it is cleared.
  public var isWriteProtected = false
  /// WCE: a write may end before it is durable.
  public var hasWriteCache = true

  /// As at power on.
  public init() {}
}

/// Mode pages as bytes. SPC-4 7.5.
enum ModePage {
  static let readWriteErrorRecovery: UInt8 = 0x01
  static let caching: UInt8 = 0x08
  static let control: UInt8 = 0x0A
  static let informationalExceptions: UInt8 = 0x1C
  static let all: UInt8 = 0x3F
  static let codes = [readWriteErrorRecovery, caching, control, informationalExceptions]

  /// PC: which values of a page are asked for.
  enum Values: UInt8 {
    case current, changeable, `default`, saved
  }

  static func bytes(_ code: UInt8, _ which: Values, _ current: ModeValues) -> [UInt8]? {
    let isMask = which == .changeable
    let values = which == .current ? current : ModeValues()
    func bit(_ value: Bool, _ position: UInt8) -> UInt8 { isMask || value ? 1 << position : 0 }
    switch code {
    case readWriteErrorRecovery:
      return [code, 0x0A] + [UInt8](repeating: 0, count: 10)
    case caching:
      var page: [UInt8] = [code, 0x12] + [UInt8](repeating: 0, count: 18)
      page[2] = bit(values.hasWriteCache, 2)
      return page
    case control:
      var page: [UInt8] = [code, 0x0A] + [UInt8](repeating: 0, count: 10)
      page[2] = bit(values.usesDescriptorSense, 2)
      // QUEUE ALGORITHM MODIFIER 1: simple tasks in any order.
      page[3] = isMask ? 0 : 0x10
      page[4] = bit(values.isWriteProtected, 3)
      page[5] = bit(values.answersAbortedTasks, 6)
      if !isMask {
        // BUSY TIMEOUT PERIOD: without limit.
        page[8] = 0xFF
        page[9] = 0xFF
      }
      return page
    case informationalExceptions:
      var page: [UInt8] = [code, 0x0A] + [UInt8](repeating: 0, count: 10)
      // DEXCPT: nothing is reported that was not asked for.
      page[2] = isMask ? 0 : 0x08
      return page
    default: return nil
    }
  }

  /// Takes over the changeable bits of a page that may change nothing else; false where it does.
  static func apply(_ page: [UInt8], to values: inout ModeValues) -> Bool {
    guard let code = page.first, let now = bytes(code, .current, values),
      let mask = bytes(code, .changeable, values), page.count == now.count
    else { return false }
    // PS is reserved in MODE SELECT and is left as MODE SENSE gave it.
    for index in 2..<page.count where (page[index] ^ now[index]) & ~mask[index] != 0 {
      return false
    }
    switch code {
    case caching: values.hasWriteCache = page[2] & 0x04 != 0
    case control:
      values.usesDescriptorSense = page[2] & 0x04 != 0
      values.isWriteProtected = page[4] & 0x08 != 0
      values.answersAbortedTasks = page[5] & 0x40 != 0
    default: break
    }
    return true
  }
}
