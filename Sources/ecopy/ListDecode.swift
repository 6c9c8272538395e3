import ArgumentParser
import ExtendedCopy
import Foundation
import SCSI

/// `ecopy list decode`: names every field of a parameter list.
struct ListDecode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode", abstract: "Name every field of a parameter list.",
    discussion: """
      The form of the list is seen from its bytes: 16-byte header (SPC-2 and later), 12-byte headers of a \
      backup program and of SPC-2 drafts, 8-byte header of T10/99-143r1. A list that a copy manager would \
      refuse is named as far as possible, the fault is pointed at, and the exit code is 5.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json, yaml
  }

  @Argument(help: "The list; - for standard input.", completion: .file())
  var list: String

  @Flag(help: "It belongs to EXTENDED COPY(LID4): a 48-byte header.")
  var lid4 = false

  @Option(help: "How to print it; yaml is what encode reads.")
  var format = Format.text

  func run() throws {
    let bytes = try ListFile.read(list)
    let action: ServiceAction = lid4 ? .lid4 : .lid1
    var decoded: ParameterList?
    var refused: ParameterListError?
    do throws(ParameterListError) {
      decoded = try ParameterList.decode(bytes, serviceAction: action)
    } catch {
      refused = error
    }
    switch format {
    case .text:
      print(Self.text(ParameterList.fields(of: bytes, serviceAction: action)), terminator: "")
    case .json:
      let fields = ParameterList.fields(of: bytes, serviceAction: action)
      print(try ListJSON(format: decoded?.format, length: bytes.count, fields, refused).text())
    case .yaml:
      if let decoded { print(ListYAML.text(of: decoded, bytes), terminator: "") }
    }
    if let refused {
      throw ListFile.fail("\(list): \(refused); \(refused.sense)", ListExit.illegalRequest)
    }
  }

  /// A line for each field under a line for each part; `!` before what is wrong.
  static func text(_ fields: [ListField]) -> String {
    var text = ""
    var part = ""
    for field in fields {
      if field.part != part {
        part = field.part
        text += "\(text.isEmpty ? "" : "\n")\(part)\n"
      }
      let offset = String(field.offset)
      let padding = String(repeating: " ", count: max(0, 8 - offset.count))
      let name = field.name.padding(toLength: 46, withPad: " ", startingAt: 0)
      text += "\(padding)\(offset)  \(field.name.isEmpty ? "" : name + " " + field.value)"
      text += field.note.isEmpty ? "\n" : "  (\(field.note))\n"
      if let error = field.error { text += "       !  \(error)\n" }
    }
    return text
  }
}

/// A decoded list for programs.
private struct ListJSON: Encodable {
  struct Field: Encodable {
    let offset: Int
    let length: Int
    let part: String
    let name: String
    let value: String
    let note: String?
    let error: String?
  }

  struct Refusal: Encodable {
    let offset: Int
    let segment: Int?
    let message: String
    let sense: String
    let senseText: String
  }

  let format: String?
  let length: Int
  let fields: [Field]
  let refused: Refusal?

  init(
    format: ListFormat?, length: Int, _ fields: [ListField], _ error: ParameterListError?
  ) {
    self.format = format?.rawValue
    self.length = length
    self.fields = fields.map {
      Field(
        offset: $0.offset, length: $0.length, part: $0.part, name: $0.name, value: $0.value,
        note: $0.note.isEmpty ? nil : $0.note, error: $0.error)
    }
    refused = error.map {
      Refusal(
        offset: $0.offset, segment: $0.segment, message: $0.description,
        sense: hexadecimal($0.sense.fixedBytes()), senseText: $0.sense.description)
    }
  }

  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
