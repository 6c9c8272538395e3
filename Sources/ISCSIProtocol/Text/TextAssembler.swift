/// Puts text together that a peer sends in several PDUs, within `TextLimits.byteCount`.
public struct TextAssembler: Sendable {
  private var bytes: [UInt8] = []

  /// Nothing yet.
  public init() {}

  /// Adds a data segment. Returns the whole text behind the last one, nil while C says that it goes
  /// on.
  public mutating func append(
    _ segment: [UInt8], isContinued: Bool
  ) throws(TextError) -> [UInt8]? {
    guard segment.count <= TextLimits.byteCount - bytes.count else {
      bytes = []
      throw .tooLong
    }
    bytes += segment
    if isContinued { return nil }
    defer { bytes = [] }
    return bytes
  }
}

/// Cuts text into data segments of at most the peer's MaxRecvDataSegmentLength.
public struct TextCutter: Sendable {
  private let bytes: [UInt8]
  private var at = 0
  /// Most bytes of a segment.
  public let segmentByteCount: Int

  /// Cuts `bytes` into segments of at most `segmentByteCount`, at least 1.
  public init(_ bytes: [UInt8], segmentByteCount: Int) {
    precondition(segmentByteCount > 0, "a segment has at least a byte")
    self.bytes = bytes
    self.segmentByteCount = segmentByteCount
  }

  /// Whether everything was handed out.
  public var isAtEnd: Bool { at == bytes.count }

  /// The next segment. C belongs in its PDU unless the cutter is at its end afterwards.
  public mutating func next() -> [UInt8] {
    let end = at + min(segmentByteCount, bytes.count - at)
    defer { at = end }
    return Array(bytes[at..<end])
  }
}
