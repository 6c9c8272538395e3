import ArgumentParser
import ExtendedCopy
import Foundation

/// `ecopy list encode`: makes a parameter list from YAML.
struct ListEncode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode", abstract: "Make a parameter list from YAML.",
    discussion: """
      Fields have the names of the standard, in small letters with hyphens; a field that is not named is 0, \
      lengths are calculated, and a name that is not known is an error. Numbers are decimal or 0x…; names, \
      addresses and data are hexadecimal digits, or text after "text:". A type is named as decode prints it, \
      or by its code. A list that a copy manager would refuse is not written.

        format: lid1            # or vendor, draft, proposal, lid4
        header:
          list-identifier: 1
          list-id-usage: 2
        targets:
          - type: identification descriptor
            peripheral-device-type: 0
            code-set: 1
            designator-type: 3
            designator: 600102030405060708090a0b0c0d0e0f
            disk-block-length: 512
          - type: fibre channel n_port_name
            peripheral-device-type: 1
            logical-unit-identifier: 0000000000000000
            n-port-name: 50060e8012345678
            pad: 1
        segments:
          - type: block to stream
            source-target-descriptor-index: 0
            destination-target-descriptor-index: 1
            stream-device-transfer-length: 65536
            block-device-number-of-blocks: 1024
            block-device-logical-block-address: 0
        inline-data: "text:label"
      """)

  @Argument(help: "The YAML file; - for standard input.", completion: .file(extensions: ["yaml"]))
  var yaml: String

  @Option(
    name: [.short, .long], help: "Where to write the list; - for standard output.",
    completion: .file())
  var output = "-"

  func run() throws {
    let text = String(decoding: try ListFile.read(yaml), as: UTF8.self)
    let bytes: [UInt8]
    do throws(ListDocumentError) {
      bytes = try ListDocument.encode(text)
    } catch {
      throw ListFile.fail(
        "\(yaml):\(error.line):\(error.column): \(error.message)",
        error.isRefusal ? ListExit.illegalRequest : ListExit.syntax)
    }
    try ListFile.write(bytes, to: output)
  }
}
