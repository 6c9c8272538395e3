/// The fields of every header and descriptor, as tables: for showing a list and for writing one by name.
///
/// `ParameterList.decode` does not read through these tables (it is made to be fast); that the two say the
/// same is tested.
extension FieldLayout {
  /// The fields of a header. SPC-4 6.4.3.
  public static func header(_ format: ListFormat) -> [FieldLayout] {
    let layout = format.layout
    func derived(_ field: ListFormat.Field, _ name: String) -> FieldLayout {
      FieldLayout(field.offset, field.width, name, .derived)
    }
    var fields: [FieldLayout] = []
    if format == .lid4 { fields.append(FieldLayout(0, 1, "PARAMETER LIST FORMAT", .derived)) }
    if format != .lid4 { fields.append(FieldLayout(0, 1, "LIST IDENTIFIER")) }
    fields.append(bit(1, 5, "STR"))
    fields.append(layout.hasListIDUsage ? bits(1, 3, 2, "LIST ID USAGE") : bit(1, 4, "NRCR"))
    fields.append(bits(1, 0, 3, "PRIORITY"))
    if format == .lid4 {
      fields += [
        FieldLayout(2, 2, "HEADER CSCD DESCRIPTOR LIST LENGTH", .derived),
        bit(15, 1, "G_SENSE"), bit(15, 0, "IMMED"),
        FieldLayout(16, 1, "HEADER CSCD DESCRIPTOR TYPE CODE", .derived),
        FieldLayout(20, 4, "LIST IDENTIFIER"),
      ]
    }
    fields.append(derived(layout.targetLength, "TARGET DESCRIPTOR LIST LENGTH"))
    fields.append(derived(layout.segmentLength, "SEGMENT DESCRIPTOR LIST LENGTH"))
    if let inline = layout.inlineLength { fields.append(derived(inline, "INLINE DATA LENGTH")) }
    return fields
  }

  /// The fields of a target descriptor, or those all of them have where the type code is not known.
  public static func target(typeCode: UInt8, peripheralDeviceType: UInt8) -> [FieldLayout] {
    var fields: [FieldLayout] = [
      FieldLayout(0, 1, "DESCRIPTOR TYPE CODE", .derived), bits(1, 6, 2, "LU ID TYPE"),
      bit(1, 5, "NUL"), bits(1, 0, 5, "PERIPHERAL DEVICE TYPE"),
      FieldLayout(2, 2, "RELATIVE INITIATOR PORT IDENTIFIER"),
    ]
    guard let own = identification[typeCode] else { return fields }
    if typeCode != 0xE4 { fields.append(FieldLayout(4, 8, "LOGICAL UNIT IDENTIFIER", .bytes)) }
    fields += own.filter { $0.offset < 28 }
    switch peripheralDeviceType {
    case 0x00, 0x04, 0x05, 0x07, 0x0E:
      fields += [bit(28, 2, "PAD"), FieldLayout(29, 3, "DISK BLOCK LENGTH")]
    case 0x01:
      fields += [bit(28, 2, "PAD"), bit(28, 0, "FIXED"), FieldLayout(29, 3, "STREAM BLOCK LENGTH")]
    case 0x03: fields.append(bit(28, 2, "PAD"))
    default: break
    }
    return fields + own.filter { $0.offset >= 28 }
  }

  private static let identification: [UInt8: [FieldLayout]] = [
    0xE0: [FieldLayout(12, 8, "N_PORT_NAME", .bytes)],
    0xE1: [FieldLayout(21, 3, "N_PORT_ID", .bytes)],
    0xE2: [FieldLayout(12, 8, "N_PORT_NAME", .bytes), FieldLayout(21, 3, "N_PORT_ID", .bytes)],
    0xE3: [FieldLayout(12, 1, "VENDOR SPECIFIC"), FieldLayout(13, 1, "TARGET IDENTIFIER")],
    0xE4: [
      bits(4, 0, 4, "CODE SET"), bits(5, 4, 2, "ASSOCIATION"), bits(5, 0, 4, "DESIGNATOR TYPE"),
      FieldLayout(7, 1, "DESIGNATOR LENGTH", .derived),
      FieldLayout(8, 0, "DESIGNATOR", .counted(lengthOffset: 7, width: 1)),
    ],
    0xE5: [
      FieldLayout(12, 4, "IPV4 ADDRESS", .bytes), FieldLayout(18, 2, "PORT NUMBER"),
      FieldLayout(22, 2, "INTERNET PROTOCOL NUMBER"),
    ],
    0xE6: [FieldLayout(12, 8, "ALIAS VALUE", .bytes)],
    0xE7: [FieldLayout(12, 16, "TARGET PORT IDENTIFIER", .bytes)],
    0xE8: [FieldLayout(12, 8, "EUI-64", .bytes), FieldLayout(20, 3, "DIRECTORY ID", .bytes)],
    0xE9: [FieldLayout(12, 8, "SAS ADDRESS", .bytes)],
    0xEA: [
      FieldLayout(12, 16, "IPV6 ADDRESS", .bytes),
      FieldLayout(32, 1, "EXTENSION DESCRIPTOR TYPE CODE", .derived),
      FieldLayout(36, 2, "INTERNET PROTOCOL NUMBER"), FieldLayout(38, 2, "PORT NUMBER"),
    ],
  ]

  /// The fields of a segment descriptor, or those all of them have where the type code is not known.
  public static func segment(typeCode: UInt8, format: ListFormat) -> [FieldLayout] {
    let isProposal = format == .proposal
    var fields: [FieldLayout] = [
      FieldLayout(0, 1, "DESCRIPTOR TYPE CODE", .derived), bit(1, 0, "CAT"),
    ]
    switch typeCode {
    case 0x02, 0x0D: fields += [bit(1, 1, "DC"), bit(1, 2, "FCO")]
    case 0x03 where isProposal, 0x0E where isProposal: fields.append(bit(1, 1, "DC"))
    default: break
    }
    fields.append(FieldLayout(2, 2, "DESCRIPTOR LENGTH", .derived))
    guard SegmentDescriptor.typeCodes.contains(typeCode) else { return fields }
    if SegmentDescriptor.hasSource(typeCode: typeCode) {
      fields.append(FieldLayout(4, 2, "SOURCE TARGET DESCRIPTOR INDEX"))
    }
    if SegmentDescriptor.hasDestination(typeCode: typeCode) {
      fields.append(FieldLayout(6, 2, "DESTINATION TARGET DESCRIPTOR INDEX"))
    }
    return fields + (isProposal ? proposalOperation(typeCode) : operation(typeCode))
  }

  /// Bytes of a segment descriptor without what its counted field holds; 12 where the code is not known.
  public static func segmentLength(typeCode: UInt8, format: ListFormat) -> Int {
    // The last four bytes of 14h are reserved, so no field ends there.
    if typeCode == 0x14 { return 28 }
    let end = segment(typeCode: typeCode, format: format).map { $0.offset + $0.length }.max() ?? 0
    return max(12, (end + 3) & ~3)
  }

  private static let streamTransferLength = FieldLayout(9, 3, "STREAM DEVICE TRANSFER LENGTH")

  private static func proposalOperation(_ typeCode: UInt8) -> [FieldLayout] {
    switch typeCode {
    case 0x03, 0x0E:
      operation(0x03).filter { $0.offset < 16 } + [FieldLayout(16, 4, "TRANSFER COUNT")]
    case 0x04: [streamTransferLength, FieldLayout(12, 4, "INLINE DATA NUMBER OF BYTES")]
    default: operation(typeCode)
    }
  }

  private static func operation(_ typeCode: UInt8) -> [FieldLayout] {
    switch typeCode {
    case 0x00, 0x01, 0x0B, 0x0C:
      [
        streamTransferLength, FieldLayout(14, 2, "BLOCK DEVICE NUMBER OF BLOCKS"),
        FieldLayout(16, 8, "BLOCK DEVICE LOGICAL BLOCK ADDRESS"),
      ]
    case 0x02, 0x0D:
      [
        FieldLayout(10, 2, "BLOCK DEVICE NUMBER OF BLOCKS"),
        FieldLayout(12, 8, "SOURCE BLOCK DEVICE LOGICAL BLOCK ADDRESS"),
        FieldLayout(20, 8, "DESTINATION BLOCK DEVICE LOGICAL BLOCK ADDRESS"),
      ]
    case 0x03, 0x0E:
      [
        FieldLayout(9, 3, "SOURCE STREAM DEVICE TRANSFER LENGTH"),
        FieldLayout(13, 3, "DESTINATION STREAM DEVICE TRANSFER LENGTH"),
        FieldLayout(16, 4, "BYTE COUNT"),
      ]
    case 0x04:
      [
        streamTransferLength, FieldLayout(12, 4, "INLINE DATA OFFSET"),
        FieldLayout(16, 4, "INLINE DATA NUMBER OF BYTES"),
      ]
    case 0x05:
      [
        streamTransferLength, FieldLayout(12, 2, "EMBEDDED DATA NUMBER OF BYTES", .derived),
        FieldLayout(16, 0, "EMBEDDED DATA", .counted(lengthOffset: 12, width: 2)),
      ]
    case 0x06, 0x0F: [streamTransferLength, FieldLayout(12, 4, "NUMBER OF BYTES")]
    case 0x07: [bit(8, 0, "TUR")]
    case 0x08, 0x09:
      [
        streamTransferLength, FieldLayout(12, 4, "NUMBER OF BYTES"),
        FieldLayout(16, 8, "BLOCK DEVICE LOGICAL BLOCK ADDRESS"),
        FieldLayout(26, 2, "BLOCK DEVICE BYTE OFFSET"),
      ]
    case 0x0A:
      [
        FieldLayout(8, 4, "NUMBER OF BYTES"),
        FieldLayout(12, 8, "SOURCE BLOCK DEVICE LOGICAL BLOCK ADDRESS"),
        FieldLayout(20, 8, "DESTINATION BLOCK DEVICE LOGICAL BLOCK ADDRESS"),
        FieldLayout(28, 2, "SOURCE BLOCK DEVICE BYTE OFFSET"),
        FieldLayout(30, 2, "DESTINATION BLOCK DEVICE BYTE OFFSET"),
      ]
    case 0x10: [bit(8, 0, "IMMED"), bit(8, 1, "WSMK"), FieldLayout(9, 3, "FILEMARK COUNT")]
    case 0x11: [bits(8, 0, 3, "CODE"), FieldLayout(9, 3, "COUNT", .signed)]
    case 0x12: [FieldLayout(8, 4, "BLOCK ADDRESS")]
    case 0x13: [FieldLayout(8, 4, "COUNT")]
    case 0x14:
      [
        FieldLayout(8, 8, "RESERVATION KEY", .bytes),
        FieldLayout(16, 8, "SERVICE ACTION RESERVATION KEY", .bytes),
      ]
    case 0x15:
      [
        FieldLayout(8, 8, "RESERVATION KEY", .bytes),
        FieldLayout(16, 8, "SERVICE ACTION RESERVATION KEY", .bytes), bit(25, 1, "UNREG"),
        bit(25, 0, "APTPL"), FieldLayout(26, 2, "RELATIVE TARGET PORT IDENTIFIER"),
        FieldLayout(28, 4, "TRANSPORTID LENGTH", .derived),
        FieldLayout(32, 0, "TRANSPORTID", .counted(lengthOffset: 28, width: 4)),
      ]
    default: []
    }
  }
}
