internal import SCSI

extension TargetDescriptor {
  /// EXTENSION DESCRIPTOR TYPE CODE of the second 32 bytes of a descriptor that has 64.
  static let extensionTypeCode: UInt8 = 0xFF
  /// Every type code this module reads and writes, ascending: as OPERATING PARAMETERS reports them.
  public static let typeCodes: ClosedRange<UInt8> = 0xE0...0xEA
  /// The longest designator an identification descriptor has room for.
  static let maximumDesignatorLength = 20

  private enum DeviceKind { case block, stream, processor, other }

  private static func kind(peripheralDeviceType: UInt8) -> DeviceKind {
    switch peripheralDeviceType {
    case 0x00, 0x04, 0x05, 0x07, 0x0E: .block
    case 0x01: .stream
    case 0x03: .processor
    default: .other
    }
  }

  /// Reads the descriptor at `offset` of `targets`, the target descriptor list, which begins at `base`.
  static func decode(
    _ targets: borrowing ByteReader, at offset: Int, base: Int, accepting typeCodes: [UInt8]
  ) throws(ParameterListError) -> TargetDescriptor {
    let place = base + offset
    do {
      let code = try targets.uint8(at: offset)
      guard Self.typeCodes ~= code, typeCodes.contains(code) else {
        throw ParameterListError(.unsupportedTarget(typeCode: code), at: place)
      }
      let reader = try targets.slice(at: offset, count: code == 0xEA ? 64 : 32)
      let flags = try reader.uint8(at: 1)
      let isNull = flags & 0x20 != 0
      if code == 0xEA, try reader.uint8(at: 32) != extensionTypeCode {
        let value = UInt64(try reader.uint8(at: 32))
        throw ParameterListError(
          .invalidField("EXTENSION DESCRIPTOR TYPE CODE", value: value), at: place + 32)
      }
      if code == 0xE4, !isNull, try reader.uint8(at: 7) > maximumDesignatorLength {
        let value = UInt64(try reader.uint8(at: 7))
        throw ParameterListError(.invalidField("DESIGNATOR LENGTH", value: value), at: place + 7)
      }
      let type = flags & 0x1F
      return TargetDescriptor(
        identification: try identification(code, reader),
        logicalUnit: code == 0xE4 ? 0 : try reader.uint64(at: 4),
        luIDType: flags >> 6, isNull: isNull, peripheralDeviceType: type,
        relativeInitiatorPort: try reader.uint16(at: 2),
        device: try device(type, flags: reader.uint8(at: 28), blockLength: reader.uint24(at: 29)),
        offset: place)
    } catch let error as ParameterListError {
      throw error
    } catch {
      throw ParameterListError(
        .truncated(needed: place + 32, count: base + targets.count), at: place)
    }
  }

  private static func identification(
    _ code: UInt8, _ reader: borrowing ByteReader
  ) throws(ByteReaderError) -> Identification {
    switch code {
    case 0xE0: return .wwn(try reader.uint64(at: 12))
    case 0xE1: return .nPortID(try reader.uint24(at: 21))
    case 0xE2:
      return .nPortIDWithName(name: try reader.uint64(at: 12), nPortID: try reader.uint24(at: 21))
    case 0xE3:
      return .parallel(vendorSpecific: try reader.uint8(at: 12), target: try reader.uint8(at: 13))
    case 0xE4:
      let second = try reader.uint8(at: 5)
      let length = min(Int(try reader.uint8(at: 7)), maximumDesignatorLength)
      return .designator(
        Designator(
          codeSet: try reader.uint8(at: 4), association: second >> 4, type: second,
          bytes: try reader.array(at: 8, count: length)))
    case 0xE5:
      return .ipv4(
        address: try reader.uint32(at: 12), port: try reader.uint16(at: 18),
        protocolNumber: try reader.uint16(at: 22))
    case 0xE6: return .alias(try reader.uint64(at: 12))
    case 0xE7: return .rdma(portIdentifier: try reader.array(at: 12, count: 16))
    case 0xE8:
      return .eui64(try reader.uint64(at: 12), directoryID: try reader.uint24(at: 20))
    case 0xE9: return .sas(try reader.uint64(at: 12))
    default:
      return .ipv6(
        address: try reader.array(at: 12, count: 16), port: try reader.uint16(at: 38),
        protocolNumber: try reader.uint16(at: 36))
    }
  }

  private static func device(_ type: UInt8, flags: UInt8, blockLength: UInt32) -> Device {
    let pad = flags & 0x04 != 0
    return switch kind(peripheralDeviceType: type) {
    case .block: .block(pad: pad, blockLength: blockLength)
    case .stream: .stream(pad: pad, fixed: flags & 0x01 != 0, blockLength: blockLength)
    case .processor: .processor(pad: pad)
    case .other: .other
    }
  }

  /// Appends the descriptor, 32 or 64 bytes.
  func encode(into writer: inout ByteWriter) throws(ParameterListError) {
    let start = writer.count
    let place = start
    guard luIDType <= 3, peripheralDeviceType <= 0x1F else {
      throw .notEncodable("LU ID TYPE has two bits, PERIPHERAL DEVICE TYPE five", at: place + 1)
    }
    writer.uint8(identification.typeCode)
    writer.uint8(luIDType << 6 | (isNull ? 0x20 : 0) | peripheralDeviceType)
    writer.uint16(relativeInitiatorPort)
    if case .designator = identification {
      guard logicalUnit == 0 else {
        throw .notEncodable("a designator names a logical unit, there is no LUN", at: place + 4)
      }
    } else {
      writer.uint64(logicalUnit)
    }
    try encodeIdentification(into: &writer, start: start)
    writer.pad(to: start + 28)
    try encodeDevice(into: &writer)
    if case .ipv6(_, let port, let protocolNumber) = identification {
      writer.append([Self.extensionTypeCode, 0, 0, 0])
      writer.uint16(protocolNumber)
      writer.uint16(port)
      writer.pad(to: start + 64)
    }
  }

  private func encodeIdentification(
    into writer: inout ByteWriter, start: Int
  ) throws(ParameterListError) {
    switch identification {
    case .wwn(let name), .alias(let name), .sas(let name):
      writer.uint64(name)
    case .nPortID(let identifier):
      writer.pad(to: start + 21)
      try writer.checked24(identifier, "N_PORT_ID")
    case .nPortIDWithName(let name, let identifier):
      writer.uint64(name)
      writer.pad(to: start + 21)
      try writer.checked24(identifier, "N_PORT_ID")
    case .parallel(let vendorSpecific, let target):
      writer.append([vendorSpecific, target])
    case .designator(let designator):
      guard designator.bytes.count <= Self.maximumDesignatorLength else {
        throw .notEncodable("a designator has at most 20 bytes here", at: start + 7)
      }
      writer.append([
        designator.codeSet, designator.association << 4 | designator.type, 0,
        UInt8(designator.bytes.count),
      ])
      writer.append(designator.bytes)
    case .ipv4(let address, let port, let protocolNumber):
      writer.uint32(address)
      writer.uint16(0)
      writer.uint16(port)
      writer.uint16(0)
      writer.uint16(protocolNumber)
    case .rdma(let bytes), .ipv6(let bytes, _, _):
      guard bytes.count == 16 else {
        throw .notEncodable("the identifier or address has 16 bytes", at: start + 12)
      }
      writer.append(bytes)
    case .eui64(let name, let directory):
      writer.uint64(name)
      try writer.checked24(directory, "DIRECTORY ID")
    }
  }

  private func encodeDevice(into writer: inout ByteWriter) throws(ParameterListError) {
    let kind = Self.kind(peripheralDeviceType: peripheralDeviceType)
    let pad: UInt8 = device.pad ? 0x04 : 0
    switch (device, kind) {
    case (.block(_, let length), .block):
      writer.uint8(pad)
      try writer.checked24(length, "DISK BLOCK LENGTH")
    case (.stream(_, let fixed, let length), .stream):
      writer.uint8(pad | (fixed ? 0x01 : 0))
      try writer.checked24(length, "STREAM BLOCK LENGTH")
    case (.processor, .processor), (.other, .other):
      writer.append([pad, 0, 0, 0])
    default:
      throw .notEncodable(
        "PERIPHERAL DEVICE TYPE does not have these device parameters", at: writer.count)
    }
  }
}
