import ExtendedCopy
import SCSI
import Testing

@Suite("A list is held to the descriptor types of its limits")
struct AcceptedTypesTests {
  private static let blocksOnly = ListLimits(typeCodes: [0x02, 0x07, 0x0A, 0xE4])

  @Test("a target type that is not offered is refused as one that nobody knows")
  func target() {
    let bytes = list(targets: someTarget)
    let error = refusal(bytes, limits: Self.blocksOnly)
    #expect(error?.reason == .unsupportedTarget(typeCode: 0xE0))
    #expect(error?.offset == 16)
    #expect(error?.sense.additional == .unsupportedTargetDescriptorTypeCode)
    #expect(refusal(bytes) == nil)
  }

  @Test("a segment type that is not offered is refused before its length is looked at")
  func segment() {
    let bytes = list(segments: hex("03 00 0000"))
    let error = refusal(bytes, limits: Self.blocksOnly)
    #expect(error?.reason == .unsupportedSegment(typeCode: 0x03))
    #expect(error?.segment == 0)
    #expect(refusal(bytes)?.reason == .invalidField("DESCRIPTOR LENGTH", value: 0))
  }

  @Test("what is offered is read")
  func offered() {
    let bytes = list(segments: hex("07 00 0008 0000 0000 00 000000"))
    #expect(refusal(bytes, limits: Self.blocksOnly) == nil)
  }
}
