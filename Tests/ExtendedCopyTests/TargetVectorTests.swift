import ExtendedCopy
import SCSI
import Testing

/// A descriptor written by hand, and what it says.
struct TargetVector: CustomTestStringConvertible, Sendable {
  let name: String
  let bytes: [UInt8]
  let target: TargetDescriptor

  var testDescription: String { name }

  init(_ name: String, _ text: String, _ target: TargetDescriptor) {
    self.name = name
    bytes = hex(text)
    self.target = target
  }

  static let lun: UInt64 = 0x0003_0000_0000_0000
  static let disk = TargetDescriptor.Device.block(pad: false, blockLength: 512)
  static let tape = TargetDescriptor.Device.stream(pad: true, fixed: true, blockLength: 65_536)

  /// Made anew each time: the leak sanitizer does not see the pointers inside enums of a global.
  static var all: [TargetVector] {
    [
      TargetVector(
        "E0h N_Port_Name",
        "E0 00 0002 0003000000000000 50060E8012345678 0000000000000000 00 000200",
        TargetDescriptor(
          identification: .wwn(0x5006_0E80_1234_5678), logicalUnit: lun, peripheralDeviceType: 0x00,
          relativeInitiatorPort: 2, device: disk)),
      // E1h: bytes 21 to 23 agree with SPC-3.
      TargetVector(
        "E1h N_Port_ID",
        "E1 01 0000 0003000000000000 000000000000000000 0A0B0C 00000000 05 010000",
        TargetDescriptor(
          identification: .nPortID(0x0A0B0C), logicalUnit: lun, peripheralDeviceType: 0x01,
          device: tape)),
      // E2h: bytes 12 to 19 and 21 to 23 agree with SPC-3.
      TargetVector(
        "E2h N_Port_ID with name",
        "E2 01 0000 0003000000000000 50060E8012345678 00 0A0B0C 00000000 05 010000",
        TargetDescriptor(
          identification: .nPortIDWithName(name: 0x5006_0E80_1234_5678, nPortID: 0x0A0B0C),
          logicalUnit: lun, peripheralDeviceType: 0x01, device: tape)),
      // E3h: bytes 12 and 13 from memory of SPC-3, unsure.
      TargetVector(
        "E3h parallel",
        "E3 05 0000 0003000000000000 7F 06 0000 0000 0000 0000 0000 0000 0000 04 000800",
        TargetDescriptor(
          identification: .parallel(vendorSpecific: 0x7F, target: 6), logicalUnit: lun,
          peripheralDeviceType: 0x05, device: .block(pad: true, blockLength: 2048))),
      TargetVector(
        "E4h designator, LU ID TYPE 10b",
        "E4 80 0000 02 01 00 08 4543 4F50 5920 2031 000000000000000000000000 00 001000",
        TargetDescriptor(
          identification: .designator(
            Designator(codeSet: 2, association: 0, type: 1, bytes: Array("ECOPY  1".utf8))),
          luIDType: 2, peripheralDeviceType: 0x00, device: .block(pad: false, blockLength: 4096))),
      TargetVector(
        "E4h designator of 20 bytes, of a port",
        "E4 01 0000 01 13 00 14 0102030405060708090A0B0C0D0E0F1011121314 01 000200",
        TargetDescriptor(
          identification: .designator(
            Designator(codeSet: 1, association: 1, type: 3, bytes: Array(1...20))),
          peripheralDeviceType: 0x01, device: .stream(pad: false, fixed: true, blockLength: 512))),
      // E5h: address, port at 18 and protocol at 22 agree with SPC-3.
      TargetVector(
        "E5h IPv4",
        "E5 03 0000 0003000000000000 C0A80001 0000 0CBC 0000 0006 00000000 04 000000",
        TargetDescriptor(
          identification: .ipv4(address: 0xC0A8_0001, port: 3260, protocolNumber: 6),
          logicalUnit: lun, peripheralDeviceType: 0x03, device: .processor(pad: true))),
      // E6h to E9h: bytes from 12 on from memory of SPC-3, unsure.
      TargetVector(
        "E6h alias",
        "E6 08 0000 0003000000000000 0011223344556677 0000000000000000 00000000",
        TargetDescriptor(
          identification: .alias(0x0011_2233_4455_6677), logicalUnit: lun,
          peripheralDeviceType: 0x08, device: .other)),
      TargetVector(
        "E7h RDMA",
        "E7 0E 0000 0003000000000000 000102030405060708090A0B0C0D0E0F 00 000200",
        TargetDescriptor(
          identification: .rdma(portIdentifier: Array(0...15)), logicalUnit: lun,
          peripheralDeviceType: 0x0E, device: disk)),
      TargetVector(
        "E8h EUI-64",
        "E8 07 0000 0003000000000000 0011223344556677 0A0B0C 0000000000 00 000200",
        TargetDescriptor(
          identification: .eui64(0x0011_2233_4455_6677, directoryID: 0x0A0B0C), logicalUnit: lun,
          peripheralDeviceType: 0x07, device: disk)),
      TargetVector(
        "E9h SAS",
        "E9 00 0000 0003000000000000 5000C50012345678 0000000000000000 00 000000",
        TargetDescriptor(
          identification: .sas(0x5000_C500_1234_5678), logicalUnit: lun,
          peripheralDeviceType: 0x00, device: .block(pad: false, blockLength: 0))),
      // EAh: size from sources that implement it; protocol at 36 and port at 38 of the second half unsure.
      TargetVector(
        "EAh IPv6",
        "EA 01 0000 0003000000000000 FE800000000000000000000000000001 00 000000"
          + "FF 000000 0006 0CBC 000000000000000000000000000000000000000000000000",
        TargetDescriptor(
          identification: .ipv6(
            address: [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1], port: 3260,
            protocolNumber: 6),
          logicalUnit: lun, peripheralDeviceType: 0x01,
          device: .stream(pad: false, fixed: false, blockLength: 0))),
      TargetVector(
        "NUL",
        "E0 20 0000 0000000000000000 0000000000000000 0000000000000000 00 000000",
        TargetDescriptor(
          identification: .wwn(0), isNull: true, peripheralDeviceType: 0x00,
          device: .block(pad: false, blockLength: 0))),
    ]
  }
}

@Suite("Target descriptors")
struct TargetVectorTests {
  @Test("are read as written by hand", arguments: TargetVector.all)
  func decode(vector: TargetVector) throws {
    let decoded = try ParameterList.decode(list(targets: someTarget + vector.bytes))
    #expect(decoded.targets.count == 2)
    #expect(decoded.targets.last == vector.target)
    #expect(decoded.targets.last?.offset == 48)
  }

  @Test("are written as by hand", arguments: TargetVector.all)
  func encode(vector: TargetVector) throws {
    let bytes = try ParameterList(targets: [vector.target]).encode()
    #expect(Array(bytes.dropFirst(16)) == vector.bytes)
  }

  @Test("of 64 bytes take two descriptor numbers")
  func slots() throws {
    let wide = try #require(TargetVector.all.first { $0.bytes.count == 64 })
    let decoded = try ParameterList.decode(list(targets: wide.bytes + someTarget))
    #expect(decoded.targetIndices == [0, nil, 1])
  }

  @Test("that are no targets are refused", arguments: [0x00, 0xBF, 0xDF, 0xEB, 0xEC, 0xFE, 0xFF])
  func unsupported(code: Int) {
    var bytes = list(targets: someTarget + someTarget)
    bytes[48] = UInt8(code)
    let error = refusal(bytes)
    #expect(error?.reason == .unsupportedTarget(typeCode: UInt8(code)))
    #expect(error?.sense.additional == .unsupportedTargetDescriptorTypeCode)
    #expect(error?.sense.fieldPointer == .init(offset: 48))
  }

  @Test("with a designator longer than its room are refused, unless there is no device")
  func longDesignator() {
    var bytes = list(targets: TargetVector.all[4].bytes)
    bytes[23] = 21
    #expect(refusal(bytes)?.sense.fieldPointer == .init(offset: 23))
    #expect(refusal(bytes)?.sense.additional == .invalidFieldInParameterList)
    bytes[17] |= 0x20
    #expect(refusal(bytes) == nil)
  }

  @Test("of 64 bytes must have their second half")
  func secondHalf() {
    let wide = TargetVector.all.first { $0.bytes.count == 64 }?.bytes ?? []
    var bytes = list(targets: wide)
    bytes[48] = 0xE0
    #expect(refusal(bytes)?.sense.fieldPointer == .init(offset: 48))
    #expect(
      refusal(list(targets: Array(wide.prefix(32))))?.sense.additional == .parameterListLengthError)
  }

  @Test("that cannot be written are refused")
  func notEncodable() {
    func encode(_ target: TargetDescriptor) throws {
      _ = try ParameterList(targets: [target]).encode()
    }
    var target = TargetVector.all[0].target
    target.device = .stream(pad: false, fixed: false, blockLength: 0)
    #expect(throws: ParameterListError.self) { try encode(target) }
    target.device = .block(pad: false, blockLength: 0x100_0000)
    #expect(throws: ParameterListError.self) { try encode(target) }
    target = TargetVector.all[0].target
    target.identification = .rdma(portIdentifier: [1])
    #expect(throws: ParameterListError.self) { try encode(target) }
    target.identification = .designator(.naa(Array(0...20)))
    #expect(throws: ParameterListError.self) { try encode(target) }
    target = TargetVector.all[0].target
    target.luIDType = 4
    #expect(throws: ParameterListError.self) { try encode(target) }
  }
}
