import SAM
public import SCSI

extension LogicalUnit {
  static var inquiryCommands: [CommandEntry] {
    [
      CommandEntry(
        "INQUIRY", 0x12, usage: [0x12, 0x01, 0xFF, 0xFF, 0xFF, 0x04], access: .always,
        meetsUnitAttention: false,
        execution: .direct { $0.finish($1, $0.inquiry($1)) })
    ]
  }

  private static let supportedPages: UInt8 = 0x00
  private static let unitSerialNumber: UInt8 = 0x80
  private static let deviceIdentification: UInt8 = 0x83
  private static let extendedInquiryData: UInt8 = 0x86

  /// SPC-4 6.6.
  private func inquiry(_ task: UnitTask) -> CommandResult {
    let cdb = task.cdb
    let length = Int(cdb.uint16(at: 3))
    if cdb[1] & 0x01 == 0 {
      if cdb[2] != 0 { return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 2)) }
      return answer(standardInquiryData, allocationLength: length)
    }
    guard let body = vitalProductPageBody(cdb[2], for: task.nexus) else {
      return checkCondition(.illegalRequest(.invalidFieldInCDB, field: 2))
    }
    var writer = ByteWriter(capacity: 4 + body.count)
    writer.append([peripheralDeviceType, cdb[2]])
    writer.uint16(UInt16(body.count))
    writer.append(body)
    return answer(writer.bytes, allocationLength: length)
  }

  private var standardInquiryData: [UInt8] {
    var writer = ByteWriter(capacity: 96)
    // Byte 3: HISUP and the response format; 5: TPGS implicit and 3PC; 6: MULTIP; 7: CMDQUE.
    writer.append([peripheralDeviceType, isRemovable ? 0x80 : 0, InquiryData.version, 0x12])
    writer.append([91, 0x18, 0x10, 0x02])
    writer.append(InquiryData.ascii(identity.vendor, count: 8))
    writer.append(InquiryData.ascii(identity.product, count: 16))
    writer.append(InquiryData.ascii(identity.revision, count: 4))
    writer.pad(to: 58)
    // Version descriptors: SAM-5, SPC-4, SBC-3, iSCSI.
    for version in [0x00A0, 0x0460, 0x04C0, 0x0960] as [UInt16] { writer.uint16(version) }
    writer.pad(to: 96)
    return writer.bytes
  }

  private func vitalProductPageBody(_ code: UInt8, for nexus: Nexus) -> [UInt8]? {
    switch code {
    case Self.supportedPages:
      let pages = [
        Self.supportedPages, Self.unitSerialNumber, Self.deviceIdentification,
        Self.extendedInquiryData,
      ]
      return (pages + furtherVitalProductPages).sorted()
    case Self.unitSerialNumber: return Array(identity.serialNumber.utf8.prefix(64))
    case Self.deviceIdentification: return designators(for: nexus)
    case Self.extendedInquiryData:
      var page = [UInt8](repeating: 0, count: 60)
      // HEADSUP, ORDSUP and SIMPSUP; MAXIMUM SUPPORTED SENSE DATA LENGTH.
      page[1] = 0x07
      page[9] = UInt8(SenseData.maximumLength)
      return page
    default:
      return furtherVitalProductPages.contains(code) ? vitalProductPage(code) : nil
    }
  }

  /// Names of the unit: what others may name it by in their commands. SPC-4 7.8.6.
  public var designators: [Designator] {
    let text =
      InquiryData.ascii(identity.vendor, count: 8) + Array(identity.serialNumber.utf8.prefix(64))
    return [
      .naa(identity.naa),
      Designator(
        codeSet: Designator.CodeSet.ascii.rawValue, association: 0,
        type: Designator.typeT10VendorIdentification, bytes: text),
    ]
  }

  /// Names of the unit, then of the port that was asked.
  private func designators(for nexus: Nexus) -> [UInt8] {
    var writer = ByteWriter()
    func add(codeSet: UInt8, association: UInt8, type: UInt8, _ bytes: [UInt8]) {
      let protocolAndCodeSet = association == 0 ? codeSet : 0x50 | codeSet
      let valid: UInt8 = association == 0 ? 0 : 0x80
      writer.append([protocolAndCodeSet, valid | association << 4 | type, 0, UInt8(bytes.count)])
      writer.append(bytes)
    }
    func text(_ string: String) -> [UInt8] {
      let bytes = Array(string.utf8.prefix(247)) + [0]
      return bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }
    for name in designators {
      add(codeSet: name.codeSet, association: name.association, type: name.type, name.bytes)
    }
    let port = nexus.targetPort
    add(
      codeSet: 1, association: 1, type: 4,
      [0, 0, UInt8(port.relativeIdentifier >> 8), UInt8(port.relativeIdentifier & 0xFF)])
    add(
      codeSet: 1, association: 1, type: 5,
      [0, 0, UInt8(port.portalGroupTag >> 8), UInt8(port.portalGroupTag & 0xFF)])
    add(codeSet: 3, association: 1, type: 8, text(port.portName))
    add(codeSet: 3, association: 2, type: 8, text(port.name))
    return writer.bytes
  }
}
