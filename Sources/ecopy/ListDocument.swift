import ExtendedCopy
import SCSI
import Yams

/// What is wrong with the YAML of a list, and where.
struct ListDocumentError: Error, Equatable {
  let line: Int
  let column: Int
  let message: String
  /// The YAML is understood, but a copy manager would refuse the list.
  var isRefusal = false

  init(_ message: String, at node: Node? = nil, isRefusal: Bool = false) {
    line = node?.mark?.line ?? 1
    column = node?.mark?.column ?? 1
    self.message = message
    self.isRefusal = isRefusal
  }

  init(_ error: YamlError) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      (line, column, message) = (mark.line, mark.column, problem)
    case .duplicatedKeysInMapping(let keys, let context):
      (line, column) = (context.mark.line, context.mark.column)
      message = "\(keys.joined(separator: ", ")) twice"
    default: (line, column, message) = (1, 1, "\(error)")
    }
  }
}

/// A parameter list in YAML. Each mapping is laid out by the table of fields of its kind.
enum ListDocument {
  /// The bytes that `text` describes.
  static func encode(_ text: String) throws(ListDocumentError) -> [UInt8] {
    try parse(text).bytes
  }

  /// The same with the form of the list.
  static func parse(
    _ text: String
  ) throws(ListDocumentError) -> (bytes: [UInt8], format: ListFormat) {
    let root: Node
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw ListDocumentError("nothing there")
      }
      root = node
    } catch let error as ListDocumentError {
      throw error
    } catch let error as YamlError {
      throw ListDocumentError(error)
    } catch {
      throw ListDocumentError("\(error)")
    }
    var document = try ListMapping(root)
    let format = try format(&document)
    let layout = FieldLayout.header(format)
    var header = [UInt8](repeating: 0, count: format.headerLength)
    if let node = document.take("header") {
      var mapping = try ListMapping(node)
      _ = try mapping.fill(&header, layout)
      try mapping.finish()
    }
    let targetNodes = try sequence(document.take("targets"))
    let segmentNodes = try sequence(document.take("segments"))
    var targets: [UInt8] = []
    for node in targetNodes { targets += try target(node) }
    var segments: [UInt8] = []
    for node in segmentNodes { segments += try segment(node, format) }
    var inline: [UInt8] = []
    if let node = document.take("inline-data") { inline = try ListMapping.bytes(node) }
    try document.finish()

    let lengths = [
      "TARGET DESCRIPTOR LIST LENGTH": targets.count,
      "SEGMENT DESCRIPTOR LIST LENGTH": segments.count, "INLINE DATA LENGTH": inline.count,
      "PARAMETER LIST FORMAT": 1, "HEADER CSCD DESCRIPTOR LIST LENGTH": 32,
      "HEADER CSCD DESCRIPTOR TYPE CODE": 0xFF,
    ]
    for field in layout {
      guard field.kind == .derived, let value = lengths[field.name] else { continue }
      try ListMapping.put(UInt64(value), in: &header, field, root)
    }
    let bytes = header + targets + segments + inline
    try check(bytes, format, root, segmentNodes)
    return (bytes, format)
  }

  private static func format(_ document: inout ListMapping) throws(ListDocumentError) -> ListFormat
  {
    guard let node = document.take("format") else { return .lid1 }
    guard let format = node.scalar.flatMap({ ListFormat(rawValue: $0.string) }) else {
      let names = ListFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw ListDocumentError("format is one of \(names)", at: node)
    }
    return format
  }

  private static func sequence(_ node: Node?) throws(ListDocumentError) -> [Node] {
    guard let node else { return [] }
    guard let sequence = node.sequence else {
      throw ListDocumentError("a sequence of descriptors belongs here", at: node)
    }
    return Array(sequence)
  }

  private static func typeCode(
    _ mapping: inout ListMapping, _ names: [UInt8: String]
  ) throws(ListDocumentError) -> UInt8 {
    guard let node = mapping.take("type"), let text = node.scalar?.string else {
      throw ListDocumentError("type is missing", at: mapping.node)
    }
    if let code = names.first(where: { $0.value == text.lowercased() })?.key { return code }
    guard let number = ListMapping.number(text), let code = UInt8(exactly: number) else {
      throw ListDocumentError("type \(text) is not known", at: node)
    }
    return code
  }

  private static func target(_ node: Node) throws(ListDocumentError) -> [UInt8] {
    var mapping = try ListMapping(node)
    let code = try typeCode(&mapping, DescriptorNames.targets)
    var bytes = [UInt8](repeating: 0, count: code == 0xEA ? 64 : 32)
    bytes[0] = code
    if code == 0xEA { bytes[32] = 0xFF }
    var deviceType: UInt8 = 0
    if let text = mapping.peek("peripheral-device-type")?.scalar?.string,
      let number = ListMapping.number(text), number <= 0x1F
    {
      deviceType = UInt8(number)
    }
    let counted = try mapping.fill(
      &bytes, FieldLayout.target(typeCode: code, peripheralDeviceType: deviceType))
    try mapping.finish()
    guard counted.count <= 20 else {
      throw ListDocumentError("a designator has at most 20 bytes", at: node)
    }
    for (index, byte) in counted.enumerated() { bytes[8 + index] = byte }
    return bytes
  }

  private static func segment(
    _ node: Node, _ format: ListFormat
  ) throws(ListDocumentError) -> [UInt8] {
    var mapping = try ListMapping(node)
    let code = try typeCode(&mapping, DescriptorNames.segments)
    var bytes = [UInt8](
      repeating: 0, count: FieldLayout.segmentLength(typeCode: code, format: format))
    bytes[0] = code
    let counted = try mapping.fill(&bytes, FieldLayout.segment(typeCode: code, format: format))
    try mapping.finish()
    let fixed = bytes.count
    bytes += counted
    if code == 0x05 { bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }
    let length = (format == .proposal && code == 0x05 ? fixed : bytes.count) - 4
    let field = FieldLayout.segment(typeCode: code, format: format).first {
      $0.name == "DESCRIPTOR LENGTH"
    }
    if let field { try ListMapping.put(UInt64(length), in: &bytes, field, node) }
    return bytes
  }

  /// A list is only written if a copy manager would accept it, in the form that was asked for.
  private static func check(
    _ bytes: [UInt8], _ format: ListFormat, _ root: Node, _ segments: [Node]
  ) throws(ListDocumentError) {
    let action: ServiceAction = format == .lid4 ? .lid4 : .lid1
    let found: ListFormat
    do throws(ParameterListError) {
      found = try ParameterList.decode(bytes, serviceAction: action).format
    } catch {
      let node = error.segment.flatMap { $0 < segments.count ? segments[$0] : nil }
      throw ListDocumentError("\(error); \(error.sense)", at: node ?? root, isRefusal: true)
    }
    guard found == format else {
      throw ListDocumentError("such a list is read as \(found.rawValue)", at: root)
    }
  }
}
