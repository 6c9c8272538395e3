/// What a port of the disk system is called everywhere: `CH A(CL1)`, channel A of controller 1.
public struct PortName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// One capital letter, or two.
  public let channel: String
  /// 1 or more.
  public let controller: Int

  /// Controllers of one disk system at most.
  public static let controllerMaximum = 8

  /// The port of a channel; nil where that is not one or two capital letters of ASCII, or there is no
  /// such controller.
  public init?(channel: String, controller: Int) {
    guard (1...2).contains(channel.utf8.count),
      channel.utf8.allSatisfy({ UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }),
      1...Self.controllerMaximum ~= controller
    else { return nil }
    self.channel = channel
    self.controller = controller
  }

  /// The channel of a place in the alphabet, from 0: A to Z, then AA to ZZ; nil behind that.
  public static func channel(at index: Int) -> String? {
    let letters = (UInt8(ascii: "A")...UInt8(ascii: "Z")).map { String(UnicodeScalar($0)) }
    switch index {
    case 0..<26: return letters[index]
    case 26..<26 + 26 * 26: return letters[index / 26 - 1] + letters[index % 26]
    default: return nil
    }
  }

  /// Reads `CH A(CL1)`; nil where `text` is anything else.
  public init?(_ text: String) {
    guard text.hasPrefix("CH "), text.hasSuffix(")"),
      let parenthesis = text.firstIndex(of: "(")
    else { return nil }
    let inside = text[text.index(after: parenthesis)...].dropLast()
    guard inside.hasPrefix("CL"), inside.utf8.count == 3, let controller = Int(inside.dropFirst(2))
    else { return nil }
    self.init(channel: String(text[..<parenthesis].dropFirst(3)), controller: controller)
  }

  /// `CH A(CL1)`.
  public var description: String { "CH \(channel)(CL\(controller))" }

  /// By controller, then by channel: A to Z, then AA.
  public static func < (one: PortName, other: PortName) -> Bool {
    (one.controller, one.channel.utf8.count, one.channel)
      < (other.controller, other.channel.utf8.count, other.channel)
  }
}
