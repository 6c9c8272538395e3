import ExtendedCopy
import SCSI

/// The YAML form of a parameter list: fields by their names in the standard, lengths left out.
enum ListYAML {
  /// The key of a field: its name in small letters, with hyphens.
  static func key(_ field: String) -> String {
    String(field.lowercased().map { $0 == " " || $0 == "_" ? "-" : $0 })
  }

  /// The YAML that `ecopy list encode` makes `bytes` of; `list` is what they say.
  static func text(of list: ParameterList, _ bytes: [UInt8]) -> String {
    let action: ServiceAction = list.format == .lid4 ? .lid4 : .lid1
    var text = "format: \(list.format.rawValue)\nheader:\n"
    var section = "header"
    for field in ParameterList.fields(of: bytes, serviceAction: action) {
      if field.part == "inline data" { break }
      let kind = field.part.split(separator: " ").first.map(String.init) ?? ""
      if kind != section {
        section = kind
        text += "\(section)s:\n"
      }
      let isBegin = field.name == "DESCRIPTOR TYPE CODE"
      let indentation = section == "header" ? "  " : isBegin ? "  - " : "    "
      if let value = value(field, bytes) { text += "\(indentation)\(value)\n" }
    }
    if !list.inlineData.isEmpty { text += "inline-data: \"\(hexadecimal(list.inlineData))\"\n" }
    return text
  }

  private static func value(_ field: ListField, _ bytes: [UInt8]) -> String? {
    switch field.kind {
    case .derived:
      field.name == "DESCRIPTOR TYPE CODE" ? "type: \(field.note)" : nil
    case .bytes, .counted:
      key(field.name) + ": \""
        + hexadecimal(bytes[field.offset..<(field.offset + field.length)]) + "\""
    case .number, .signed, .bits:
      "\(key(field.name)): \(field.value)"
    }
  }
}
