/// The header of a parameter list, in any of its forms.
struct ModelHeader {
  /// Where the target descriptors begin.
  var length: Int
  var listIdentifier: Int
  var listIdentifierOffset = 0
  var usage: UInt8
  var targetsLength: Int
  var targetsLengthOffset = 2
  var segmentsLength = 0
  var inlineLength = 0

  /// The headers of EXTENDED COPY(LID1), SPC-2 to SPC-4, and the older ones.
  init(_ list: [UInt8]) throws(ModelRefusal) {
    guard list.count >= 16 else { throw .parameterListLength }
    listIdentifier = Int(list[0])
    usage = list[1] >> 3 & 3
    targetsLength = field(list, at: 2, width: 2)
    let at4 = field(list, at: 4, width: 4)
    let at8 = field(list, at: 8, width: 4)
    if targetsLength > 0, list[8] >= 0xE0 {
      length = 8
      segmentsLength = at4
      inlineLength = list.count - 8 - targetsLength - segmentsLength
    } else if targetsLength > 0, (0xE0...0xEF).contains(list[12]) {
      length = 12
      if at4 == 0, at8 != 0 {
        segmentsLength = at8
        inlineLength = list.count - 12 - targetsLength - segmentsLength
      } else {
        segmentsLength = at4
        inlineLength = at8
      }
    } else if targetsLength == 0 || list[12] == 0 {
      length = 16
      segmentsLength = at8
      inlineLength = field(list, at: 12, width: 4)
    } else {
      throw .invalidField(12)
    }
    try close(list.count)
  }

  /// The header of EXTENDED COPY(LID4).
  init(lid4 list: [UInt8]) throws(ModelRefusal) {
    guard list.count >= 48 else { throw .parameterListLength }
    if list[0] != 1 { throw .invalidField(0) }
    if field(list, at: 2, width: 2) != 0x20 { throw .invalidField(2) }
    if list[16] != 0xFF { throw .invalidField(16) }
    length = 48
    listIdentifier = field(list, at: 20, width: 4)
    listIdentifierOffset = 20
    usage = list[1] >> 3 & 3
    targetsLength = field(list, at: 42, width: 2)
    targetsLengthOffset = 42
    segmentsLength = field(list, at: 44, width: 2)
    inlineLength = field(list, at: 46, width: 2)
    try close(list.count)
  }

  private func close(_ count: Int) throws(ModelRefusal) {
    if inlineLength < 0 { throw .parameterListLength }
    if length + targetsLength + segmentsLength + inlineLength != count {
      throw .parameterListLength
    }
  }
}
