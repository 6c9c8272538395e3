import ISCSIProtocol
import Testing

@testable import Fabric

private typealias Name = Fabric.PortName

/// Who has a drive, and which numbers sessions have.
@Suite struct DeviceClaimsTests {
  private static func device(_ name: String, unit: UInt16 = 1) throws -> FabricDevice {
    FabricDevice(
      name: name, targetName: try ISCSIName("iqn.2026-11.test:library"), logicalUnit: unit,
      ports: [])
  }

  @Test("M95 A drive belongs to one copy at a time, whatever it is called")
  func drive() throws {
    let claims = DeviceClaims()
    let drive = DeviceClaims.Key(try Self.device("one"))
    #expect(claims.claim(drive))
    #expect(!claims.claim(DeviceClaims.Key(try Self.device("another-name"))))
    #expect(claims.claim(DeviceClaims.Key(try Self.device("one", unit: 2))))
    claims.release(drive)
    #expect(claims.claim(drive))
  }

  @Test("M96 Sessions of one port have numbers of their own, so that none ends another")
  func sessions() throws {
    let claims = DeviceClaims()
    let port = try #require(Name(channel: "E", controller: 1))
    let other = try #require(Name(channel: "F", controller: 1))
    #expect(claims.takeSession(of: port) == 0)
    #expect(claims.takeSession(of: port) == 1)
    #expect(claims.takeSession(of: other) == 0)
    claims.giveBack(session: 0, of: port)
    #expect(claims.takeSession(of: port) == 0)
  }
}
