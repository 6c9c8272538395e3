public import SCSI

/// One field of a parameter list as it stands in the bytes, for people to read.
public struct ListField: Hashable, Sendable {
  /// First byte, from the start of the list.
  public var offset: Int
  /// How many bytes; more than one field can lie in the same byte.
  public var length: Int
  /// What it belongs to: `header`, `target 0`, `segment 3`, `inline data`.
  public var part: String
  /// Name in the standard.
  public var name: String
  /// What the bytes are.
  public var kind: FieldLayout.Kind
  /// What the bytes say.
  public var value: String
  /// What that means, where it is not plain.
  public var note: String
  /// What is wrong here, if this is what the list is refused for.
  public var error: String?
}

extension ParameterList {
  /// Names every field of `bytes`, from the first to the last that can be found.
  ///
  /// A list that `decode` refuses is named as far as its lengths lead, and the field it is refused for has
  /// `error`; what nothing can be said about comes as one last field. Answers at most a few fields for each
  /// 12 bytes of the list.
  public static func fields(
    of bytes: [UInt8], serviceAction: ServiceAction = .lid1, limits: ListLimits = .standard
  ) -> [ListField] {
    var walk = FieldWalk(bytes: bytes)
    walk.list(serviceAction)
    do throws(ParameterListError) {
      _ = try decode(bytes, serviceAction: serviceAction, limits: limits)
    } catch {
      walk.point(at: error)
    }
    return walk.fields
  }
}

private struct FieldWalk {
  let bytes: [UInt8]
  var fields: [ListField] = []
  var part = "header"

  mutating func list(_ serviceAction: ServiceAction) {
    let found = try? ListFormat.recognise(ByteReader(bytes.span), serviceAction: serviceAction)
    let format = found ?? .lid1
    let layout = format.layout
    add(FieldLayout.header(format), at: 0, end: min(bytes.count, layout.headerLength))
    if !fields.isEmpty {
      fields[0].note = found == nil ? "header not recognised" : "\(layout.headerLength)-byte header"
    }
    guard found != nil, bytes.count >= layout.headerLength,
      let targetLength = try? layout.targetLength.read(ByteReader(bytes.span)),
      let segmentLength = try? layout.segmentLength.read(ByteReader(bytes.span))
    else {
      rest(from: fields.map { $0.offset + $0.length }.max() ?? 0)
      return
    }
    let segmentStart = layout.headerLength + targetLength
    guard targets(from: layout.headerLength, to: segmentStart),
      segments(from: segmentStart, to: segmentStart + segmentLength, format)
    else { return }
    let inline = segmentStart + segmentLength
    if inline < bytes.count {
      part = "inline data"
      append(FieldLayout(0, bytes.count - inline, "INLINE DATA", .bytes), at: inline)
    }
  }

  /// Answers whether the whole list of descriptors could be walked.
  private mutating func targets(from start: Int, to end: Int) -> Bool {
    var offset = start
    var number = 0
    while offset < end {
      part = "target \(number)"
      guard end - offset >= 32, bytes.count - offset >= 32 else {
        rest(from: offset)
        return false
      }
      let code = bytes[offset]
      let length = code == 0xEA && min(end, bytes.count) - offset >= 64 ? 64 : 32
      let layouts = FieldLayout.target(
        typeCode: code, peripheralDeviceType: bytes[offset + 1] & 0x1F)
      let first = fields.count
      add(layouts, at: offset, end: offset + length)
      fields[first].note = DescriptorNames.targets[code] ?? "not known"
      offset += length
      number += length / 32
    }
    return true
  }

  private mutating func segments(from start: Int, to end: Int, _ format: ListFormat) -> Bool {
    var offset = start
    var number = 0
    while offset < end {
      part = "segment \(number)"
      guard min(end, bytes.count) - offset >= 8 else {
        rest(from: offset)
        return false
      }
      let code = bytes[offset]
      let limit = min(end, bytes.count)
      var next = offset + 4 + number16(at: offset + 2)
      if format == .proposal, code == 0x05, limit - offset >= 14 {
        next += (number16(at: offset + 12) + 3) & ~3
      }
      let first = fields.count
      add(FieldLayout.segment(typeCode: code, format: format), at: offset, end: min(next, limit))
      if first < fields.count {
        fields[first].note = DescriptorNames.segments[code] ?? "not known"
      }
      guard next <= limit, isWhole(code, next - offset, format) else {
        rest(from: min(next, limit))
        return false
      }
      offset = next
      number += 1
    }
    return true
  }

  /// Whether a segment of this kind may have this length; what follows one that may not is anything.
  private func isWhole(_ code: UInt8, _ length: Int, _ format: ListFormat) -> Bool {
    guard SegmentDescriptor.typeCodes.contains(code) else { return length >= 8 }
    let least = FieldLayout.segmentLength(typeCode: code, format: format)
    return code == 0x05 || code == 0x15 ? length >= least : length == least
  }

  private func number16(at offset: Int) -> Int {
    Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
  }

  private mutating func add(_ layouts: [FieldLayout], at start: Int, end: Int) {
    for layout in layouts where start + layout.offset + max(layout.length, 0) <= end {
      append(layout, at: start, end: end)
    }
  }

  private mutating func append(_ layout: FieldLayout, at start: Int, end: Int = .max) {
    let offset = start + layout.offset
    let value: FieldValue
    switch layout.kind {
    case .counted(let lengthOffset, let width):
      let count = FieldValue.number(bytes[(start + lengthOffset)...].prefix(width))
      // A designator has its room, whatever its length says.
      let room = part.hasPrefix("target") ? start + 28 : min(end, bytes.count)
      let length = Int(min(count, UInt64(max(0, room - offset))))
      value = FieldValue(bytes[offset..<(offset + length)], layout)
    default:
      value = FieldValue(bytes[offset...].prefix(layout.length), layout)
    }
    fields.append(
      ListField(
        offset: offset, length: value.length, part: part, name: layout.name, kind: layout.kind,
        value: value.text,
        note: value.note))
  }

  private mutating func rest(from offset: Int) {
    guard offset < bytes.count else { return }
    append(FieldLayout(0, bytes.count - offset, "NOT DECODED", .bytes), at: offset)
  }

  /// Marks the field that `error` speaks of, or adds one where there is none.
  mutating func point(at error: ParameterListError) {
    let text = error.description
    let candidates = fields.indices.filter {
      fields[$0].offset <= error.offset && error.offset < fields[$0].offset + fields[$0].length
    }
    if let index = candidates.min(by: { fields[$0].length < fields[$1].length }) {
      fields[index].error = text
    } else {
      fields.append(
        ListField(
          offset: error.offset, length: 0, part: part, name: "", kind: .bytes, value: "", note: "",
          error: text))
    }
  }
}

/// What the bytes of a field say.
private struct FieldValue {
  /// More bytes than this are shown by their beginning.
  private static let shownBytes = 32

  var length: Int
  var text: String
  var note = ""

  init(_ bytes: ArraySlice<UInt8>, _ layout: FieldLayout) {
    length = bytes.count
    switch layout.kind {
    case .bits(let low, let width):
      let value = (bytes.first ?? 0) >> UInt8(low) & UInt8((1 << width) - 1)
      text = String(value)
    case .signed:
      let shift = 64 - 8 * bytes.count
      text = String(Int64(bitPattern: Self.number(bytes) << UInt64(shift)) >> Int64(shift))
    case .number:
      text = String(Self.number(bytes))
    case .derived:
      text = String(Self.number(bytes))
      if length == 1, layout.name.hasSuffix("CODE") { text = hexadecimal(bytes.first ?? 0) }
    case .bytes, .counted:
      text = hexadecimal(bytes.prefix(Self.shownBytes))
      if length > Self.shownBytes { text += "…" }
      if length != 0, bytes.allSatisfy({ 0x20...0x7E ~= $0 }) {
        note = String(decoding: bytes.prefix(Self.shownBytes), as: UTF8.self)
      }
    }
  }

  static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 &<< 8 | UInt64($1) }
  }
}
