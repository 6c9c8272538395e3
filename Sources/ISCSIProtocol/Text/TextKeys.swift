/// `key=value` pairs in their order. RFC 7143 6.1.
public struct TextKeys: Equatable, Sendable {
  /// One pair.
  public struct Pair: Equatable, Sendable {
    /// The key's name.
    public let key: String
    /// The value, as it is on the wire.
    public let value: String

    /// `key=value`.
    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// The pairs.
  public private(set) var pairs: [Pair]

  /// No pairs.
  public init() { pairs = [] }

  /// These pairs.
  public init(_ pairs: [Pair]) { self.pairs = pairs }

  /// Text of a peer. Throws where it goes over a limit of `TextLimits` or a key comes twice;
  /// `allowsRepeats` is for the records of SendTargets, which `pairCount` does not bound either.
  public init(parsing bytes: [UInt8], allowsRepeats: Bool = false) throws(TextError) {
    pairs = []
    guard bytes.count <= TextLimits.byteCount else { throw .tooLong }
    guard bytes.isEmpty || bytes.last == 0 else { throw .notTerminated }
    var seen: Set<String> = []
    // Peers pad with further zero bytes, so an empty pair is none.
    for part in bytes.split(separator: 0) {
      guard allowsRepeats || pairs.count < TextLimits.pairCount else { throw .tooManyPairs }
      let pair = try Self.pair(part)
      guard allowsRepeats || seen.insert(pair.key).inserted else {
        throw .duplicateKey(pair.key)
      }
      pairs.append(pair)
    }
  }

  private static func pair(_ bytes: ArraySlice<UInt8>) throws(TextError) -> Pair {
    guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { throw .noEqualsSign }
    let name = bytes[..<equals]
    guard (1...TextLimits.keyByteCount).contains(name.count), name.allSatisfy(isOfKey),
      let key = String(validating: name, as: UTF8.self)
    else { throw .badKey }
    let rest = bytes[(equals + 1)...]
    let limit =
      TextLimits.longKeys.contains(key)
      ? TextLimits.longValueByteCount : TextLimits.valueByteCount
    guard rest.count <= limit else { throw .valueTooLong(key: key) }
    guard rest.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
      let value = String(validating: rest, as: UTF8.self)
    else { throw .badValue(key: key) }
    return Pair(key, value)
  }

  /// A letter, a digit or one of `. - + @ _ / #`, which X- keys have. RFC 7143 6.1.
  private static func isOfKey(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
      UInt8(ascii: "+"), UInt8(ascii: "@"), UInt8(ascii: "_"), UInt8(ascii: "/"),
      UInt8(ascii: "#"):
      true
    default: false
    }
  }

  /// The value of `key`, or nil.
  public subscript(key: String) -> String? { pairs.first { $0.key == key }?.value }

  /// Whether there are no pairs.
  public var isEmpty: Bool { pairs.isEmpty }

  /// Adds a pair at the end.
  public mutating func append(_ key: String, _ value: String) { pairs.append(Pair(key, value)) }

  /// The bytes for the wire.
  public func encode() -> [UInt8] {
    var bytes: [UInt8] = []
    for pair in pairs {
      bytes += pair.key.utf8
      bytes.append(UInt8(ascii: "="))
      bytes += pair.value.utf8
      bytes.append(0)
    }
    return bytes
  }
}
