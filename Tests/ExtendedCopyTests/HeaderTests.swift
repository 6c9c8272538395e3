import ExtendedCopy
import SCSI
import Testing

@Suite("Headers")
struct HeaderTests {
  @Test("STR, usage and priority are read where the form has them")
  func flags() throws {
    var bytes = Golden.bytes(.lid1)
    bytes[1] = 0b0011_1101
    let decoded = try ParameterList.decode(bytes)
    #expect(decoded.sequentialStriped)
    #expect(decoded.listIDUsage == .disabled)
    #expect(decoded.priority == 5)
    var old = Golden.bytes(.vendor)
    old[1] = 0b0011_1101
    #expect(try ParameterList.decode(old).listIDUsage == .discard)
  }

  @Test("IMMED, G_SENSE and a list identifier of four bytes belong to LID4")
  func lid4() throws {
    var bytes = Golden.bytes(.lid4)
    bytes[15] = 0b11
    bytes[20] = 0x80
    let decoded = try ParameterList.decode(bytes, serviceAction: .lid4)
    #expect(decoded.immediate && decoded.generateSense)
    #expect(decoded.listIdentifier == 0x8000_0001)
    #expect(try decoded.encode() == bytes)
  }

  @Test("LID4 headers that are none are refused", arguments: [0, 2, 3, 16])
  func badLID4(offset: Int) {
    var bytes = Golden.bytes(.lid4)
    bytes[offset] ^= 0x41
    let pointer = refusal(bytes, .lid4)?.sense.fieldPointer
    #expect(pointer == .init(offset: offset == 3 ? 2 : UInt16(offset)))
  }

  @Test("byte 12 is 00h or E0h to EFh, anything else is refused there")
  func byte12() {
    for value in UInt8.min...UInt8.max {
      var bytes = Golden.bytes(.lid1)
      bytes[12] = value
      switch value {
      case 0: #expect(refusal(bytes) == nil)
      case 0xE0...0xEF:
        #expect(refusal(bytes)?.sense.additional == .parameterListLengthError)
      default:
        #expect(refusal(bytes)?.reason == .headerNotRecognised(value))
        #expect(refusal(bytes)?.sense.fieldPointer == .init(offset: 12))
      }
    }
  }

  @Test("inline data of 16 MiB is too long, at byte 12")
  func longInlineData() {
    var bytes = list(
      targets: someTarget, segments: [], inline: [UInt8](repeating: 0, count: 0x100_0000))
    #expect(refusal(bytes)?.sense.additional == .inlineDataLengthExceeded)
    #expect(refusal(bytes)?.sense.fieldPointer == .init(offset: 12))
    bytes = list(targets: someTarget, inline: [UInt8](repeating: 7, count: 100))
    #expect(refusal(bytes) == nil)
    #expect(refusal(bytes, limits: ListLimits(inlineBytes: 99))?.sense.fieldPointer?.offset == 12)
  }

  @Test("a list without targets is read as 16-byte, whatever its segment list length begins with")
  func noTargets() throws {
    #expect(try ParameterList.decode(list()) == ParameterList())
    #expect(try ParameterList.decode(list(inline: [1, 2, 3])).inlineData == [1, 2, 3])
  }

  @Test("of the 12-byte forms the one whose lengths close is taken")
  func twelveBytes() throws {
    for format in [ListFormat.vendor, .draft] {
      #expect(try ParameterList.decode(Golden.bytes(format)).format == format)
    }
    var draft = ParameterList(format: .draft, targets: Golden.list(.draft).targets)
    draft.segments = Golden.list(.draft).segments
    draft.inlineData = Array(1...100)
    #expect(try ParameterList.decode(try draft.encode()) == draft)
  }

  @Test("every first target of a 12-byte list is recognised", arguments: TargetVector.all)
  func everyFirstTarget(vector: TargetVector) throws {
    for format in [ListFormat.vendor, .draft, .proposal] {
      let list = ParameterList(
        format: format, targets: [vector.target], segments: [SegmentVector.all[0].segment])
      #expect(try ParameterList.decode(try list.encode()) == list)
    }
  }

  @Test("total length is checked before counts")
  func order() {
    let limits = ListLimits(targets: 2, segments: 3, descriptorListBytes: 200)
    let filemark = hex("10 00 0008 0000 0000 00 000001")
    func many(_ targets: Int, _ segments: Int) -> AdditionalSense? {
      let bytes = list(
        targets: Array(repeatElement(someTarget, count: targets).joined()),
        segments: Array(repeatElement(filemark, count: segments).joined()))
      return refusal(bytes, limits: limits)?.sense.additional
    }
    #expect(many(2, 3) == nil)
    #expect(many(3, 1) == .tooManyTargetDescriptors)
    #expect(many(1, 4) == .tooManySegmentDescriptors)
    #expect(many(3, 9) == .parameterListLengthError)
  }

  @Test("the standard limits let one descriptor too many be told from a list too long")
  func limitsLeaveRoom() {
    let limits = ListLimits.standard
    #expect(limits.descriptorListBytes >= (limits.targets + 1) * 32 + 28)
    #expect(limits.descriptorListBytes >= 32 + (limits.segments + 1) * 28)
    #expect((limits.targets + 1) * 32 <= 0xFFFF)
    #expect(limits.segments >= 10_000)
  }

  @Test("a target list that ends inside a descriptor is refused")
  func halfTarget() {
    let sense = refusal(list(targets: someTarget + [0xE0, 0, 0, 0]))?.sense
    #expect(sense?.additional == .parameterListLengthError)
    #expect(sense?.fieldPointer == .init(offset: 2))
  }

  @Test("what a form cannot say is not written")
  func notEncodable() {
    var old = Golden.list(.vendor)
    old.inlineData = [1]
    #expect(throws: ParameterListError.self) { try old.encode() }
    old = Golden.list(.vendor)
    old.listIDUsage = .disabled
    #expect(throws: ParameterListError.self) { try old.encode() }
    old = Golden.list(.vendor)
    old.targets = []
    #expect(throws: ParameterListError.self) { try old.encode() }
    old = Golden.list(.lid1)
    old.listIdentifier = 256
    #expect(throws: ParameterListError.self) { try old.encode() }
    old = Golden.list(.lid1)
    old.immediate = true
    #expect(throws: ParameterListError.self) { try old.encode() }
    old = Golden.list(.lid4)
    old.inlineData = [UInt8](repeating: 0, count: 65_536)
    #expect(throws: ParameterListError.self) { try old.encode() }
  }
}
