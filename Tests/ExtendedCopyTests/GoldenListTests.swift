import ExtendedCopy
import SCSI
import Testing

/// One backup in every form: a disk named by NAA 6, a tape by NAA 5, 1024 blocks and a filemark.
enum Golden {
  static let naa6: [UInt8] = [
    0x60, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
  ]
  static let naa5: [UInt8] = [0x50, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77]

  static let targets: [UInt8] =
    [0xE4, 0x00, 0x00, 0x00, 0x01, 0x03, 0x00, 0x10] + naa6 + [0, 0, 0, 0]
    + [0x00, 0x00, 0x02, 0x00]
    + [0xE4, 0x01, 0x00, 0x00, 0x01, 0x03, 0x00, 0x08] + naa5
    + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    + [0x04, 0x00, 0x00, 0x00]

  static let segments: [UInt8] = [
    0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00,
    0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xE2, 0x40,
    0x10, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
  ]

  static let headers: [ListFormat: [UInt8]] = [
    .lid1: [0x01, 0x10, 0x00, 0x40, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x24, 0, 0, 0, 0],
    .vendor: [0x01, 0x10, 0x00, 0x40, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x24],
    .draft: [0x01, 0x10, 0x00, 0x40, 0x00, 0x00, 0x00, 0x24, 0, 0, 0, 0],
    .proposal: [0x01, 0x10, 0x00, 0x40, 0x00, 0x00, 0x00, 0x24],
    .lid4: [
      0x01, 0x10, 0x00, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00,
      0xFF, 0, 0, 0, 0x00, 0x00, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x40, 0x00, 0x24, 0x00, 0x00,
    ],
  ]

  static func bytes(_ format: ListFormat) -> [UInt8] {
    (headers[format] ?? []) + targets + segments
  }

  static func list(_ format: ListFormat) -> ParameterList {
    ParameterList(
      format: format, listIdentifier: 1, listIDUsage: .discard,
      targets: [
        TargetDescriptor(
          identification: .designator(.naa(naa6)), peripheralDeviceType: 0x00,
          device: .block(pad: false, blockLength: 512)),
        TargetDescriptor(
          identification: .designator(.naa(naa5)), peripheralDeviceType: 0x01,
          device: .stream(pad: true, fixed: false, blockLength: 0)),
      ],
      segments: [
        SegmentDescriptor(
          source: 0, destination: 1,
          operation: .blockToStream(streamTransferLength: 65_536, blocks: 1024, lba: 123_456)),
        SegmentDescriptor(
          destination: 1, operation: .writeFilemarks(immediate: false, setmarks: false, count: 1)),
      ])
  }

  static func action(_ format: ListFormat) -> ServiceAction {
    format == .lid4 ? .lid4 : .lid1
  }
}

@Suite("The backup list, byte for byte")
struct GoldenListTests {
  @Test("is recognised and decoded in every form", arguments: ListFormat.allCases)
  func decode(format: ListFormat) throws {
    let bytes = Golden.bytes(format)
    #expect(
      try ParameterList.decode(bytes, serviceAction: Golden.action(format)) == Golden.list(format))
  }

  @Test("is written in every form", arguments: ListFormat.allCases)
  func encode(format: ListFormat) throws {
    #expect(try Golden.list(format).encode() == Golden.bytes(format))
  }
}
