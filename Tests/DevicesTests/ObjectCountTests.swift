import Glibc
import Testing

@testable import Devices

@Suite("The position of a drive that cannot tell")
struct ObjectCountTests {
  typealias Driver = LocalTape.DriverStatus

  @Test("counts records and filemarks that were written or read")
  func transfers() {
    var objects = ObjectCount(0)
    objects.pass(3)
    objects.read(1_000, Driver())
    objects.read(0, Driver(filemark: true))
    #expect(objects.value == 5)
    objects.read(0, Driver(endOfData: true))
    objects.read(-EIO, Driver(endOfData: true))
    #expect(objects.value == 5)
    objects.read(-ENOMEM, Driver())
    #expect(objects.value == 6)
    objects.read(-EIO, Driver())
    #expect(objects.value == nil)
  }

  @Test("follows SPACE forwards and backwards, to filemarks and to the ends")
  func spacing() {
    var objects = ObjectCount(10)
    objects.move(.records, 5, 0, Driver())
    #expect(objects.value == 15)
    objects.move(.records, -4, 0, Driver())
    #expect(objects.value == 11)
    objects.move(.records, 1, -EIO, Driver(filemark: true))
    #expect(objects.value == 12)
    objects.move(.records, 1, -EIO, Driver(endOfData: true))
    #expect(objects.value == 12)
    objects.move(.records, -1, -EIO, Driver(filemark: true))
    #expect(objects.value == 11)
    objects.move(.records, -100, -EIO, Driver(beginning: true))
    #expect(objects.value == 0)
  }

  @Test("is lost where a command does not say how far it went")
  func loss() {
    var one = ObjectCount(10)
    one.move(.filemarks, 1, 0, Driver())
    #expect(one.value == nil)
    var other = ObjectCount(10)
    other.move(.records, 5, -EIO, Driver(filemark: true))
    #expect(other.value == nil)
    other.pass(1)
    #expect(other.value == nil)
  }
}
