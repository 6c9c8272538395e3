import SCSI
import Testing

@testable import DeviceServers

@Suite("iSCSI TransportIDs")
struct TransportIDTests {
  private static let port: [UInt8] =
    [0x45, 0x00, 0x00, 0x20] + Array("iqn.2026-11.a,i,0x00023d000001".utf8) + [0, 0]
  private static let name: [UInt8] =
    [0x05, 0x00, 0x00, 0x14] + Array("iqn.2026-11.a".utf8) + [0, 0, 0, 0, 0, 0, 0]

  @Test("golden bytes of a port and of a name")
  func golden() {
    let port = TransportID(name: "iqn.2026-11.a", isid: 0x0002_3D00_0001)
    #expect(port.bytes == Self.port)
    #expect(TransportID.decode(Self.port, at: 0)?.0 == port)
    #expect(TransportID.decode(Self.port, at: 0)?.length == 36)
    let name = TransportID(name: "iqn.2026-11.a", isid: nil)
    #expect(name.bytes == Self.name)
    #expect(TransportID.decode(Self.name, at: 0)?.0 == name)
  }

  @Test("every length of a name comes back")
  func lengths() {
    for count in 1...TransportID.nameLengthMaximum {
      for isid in [nil, 0xFFFF_FFFF_FFFF, 1] as [UInt64?] {
        let one = TransportID(name: String(repeating: "n", count: count), isid: isid)
        #expect(one.bytes.count % 4 == 0)
        #expect(one.bytes.count <= TransportID.lengthMaximum)
        #expect(TransportID.decode([9] + one.bytes, at: 1)?.0 == one)
      }
    }
  }

  @Test("upper case and short ISIDs are read")
  func spelling() {
    let text = Array("IQN.2026-11.A,i,0x2ABC".utf8) + [0, 0]
    let bytes: [UInt8] = [0x45, 0, 0, UInt8(text.count)] + text
    #expect(
      TransportID.decode(bytes, at: 0)?.0 == TransportID(name: "iqn.2026-11.a", isid: 0x2ABC))
  }

  @Test("malformed ones are refused")
  func malformed() {
    func changed(_ index: Int, _ value: UInt8) -> [UInt8] {
      var bytes = Self.port
      bytes[index] = value
      return bytes
    }
    // Protocol, format, length not of four, too short, too long, no end, no separator, no digit.
    for (index, value) in [
      (0, 0x46), (0, 0x85), (3, 0x1F), (3, 0x10), (3, 0x24), (35, 0x31), (17, 0x2E), (33, 0x67),
      (4, 0x20), (4, 0xFF),
    ] as [(Int, UInt8)] {
      #expect(TransportID.decode(changed(index, value), at: 0) == nil, "byte \(index)")
    }
    for count in 0..<Self.port.count {
      #expect(TransportID.decode(Array(Self.port.prefix(count)), at: 0) == nil)
    }
    #expect(TransportID.decode(Self.port, at: 36) == nil)
    #expect(TransportID.decode(Self.port, at: Int.max) == nil)
  }
}
