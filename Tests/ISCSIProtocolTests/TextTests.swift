import ISCSIProtocol
import Testing

@Suite("Text") struct TextTests {
  private func parse(_ text: String) throws(TextError) -> TextKeys {
    try TextKeys(parsing: Array(text.utf8))
  }

  @Test("pairs read back as they were written") func roundTrip() throws {
    let keys = TextKeys([.init("HeaderDigest", "CRC32C,None"), .init("X-a", "b=c")])
    #expect(Array(keys.encode()) == Array("HeaderDigest=CRC32C,None\0X-a=b=c\0".utf8))
    #expect(try TextKeys(parsing: keys.encode()) == keys)
  }

  @Test("text over a limit or out of form is refused by its own error") func faults() throws {
    #expect(throws: TextError.notTerminated) { try parse("A=1") }
    #expect(throws: TextError.noEqualsSign) { try parse("A\0") }
    #expect(throws: TextError.badKey) { try parse("=1\0") }
    #expect(throws: TextError.badKey) { try parse("A b=1\0") }
    #expect(throws: TextError.badKey) { try parse(String(repeating: "k", count: 64) + "=1\0") }
    #expect(throws: TextError.duplicateKey("A")) { try parse("A=1\0A=2\0") }
    #expect(throws: TextError.badValue(key: "A")) { try parse("A=\u{1B}[2J\0") }
    #expect(throws: TextError.badValue(key: "A")) {
      try TextKeys(parsing: [0x41, 0x3D, 0xC3, 0x28, 0])
    }
    let long = String(repeating: "v", count: 256)
    #expect(throws: TextError.valueTooLong(key: "A")) { try parse("A=\(long)\0") }
    #expect(try parse("CHAP_C=\(long)\0")["CHAP_C"] == long)
    #expect(throws: TextError.tooManyPairs) {
      try parse((0..<65).map { "X-\($0)=1\0" }.joined())
    }
    #expect(throws: TextError.tooLong) {
      try TextKeys(parsing: [UInt8](repeating: 0, count: 65537))
    }
  }

  @Test("text in pieces is put together, and bounded") func pieces() throws {
    var cutter = TextCutter(Array("TargetName=iqn\0".utf8), segmentByteCount: 4)
    var assembler = TextAssembler()
    var whole: [UInt8]?
    while !cutter.isAtEnd {
      let piece = cutter.next()
      #expect(piece.count <= 4)
      whole = try assembler.append(piece, isContinued: !cutter.isAtEnd)
    }
    #expect(whole == Array("TargetName=iqn\0".utf8))
    let block = [UInt8](repeating: 65, count: 32768)
    _ = try assembler.append(block, isContinued: true)
    _ = try assembler.append(block, isContinued: true)
    #expect(throws: TextError.tooLong) { try assembler.append([65], isContinued: true) }
  }

  @Test("numbers, ranges and booleans") func values() {
    #expect(TextValue.number("262144") == 262144 && TextValue.number("0x1F") == 31)
    for text in ["", "-1", "+1", "0x", "0x+1", "1 ", "99999999999999999999"] {
      #expect(TextValue.number(text) == nil, "\(text)")
    }
    #expect(TextValue.range("1~0x10") == 1...16 && TextValue.range("2~1") == nil)
    #expect(TextValue.boolean("Yes") == true && TextValue.boolean("yes") == nil)
  }

  @Test("binary values read back in both forms", arguments: [1, 2, 3, 16, 31, 1024])
  func binary(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 5) }
    for text in [TextValue.hexadecimal(bytes), TextValue.base64(bytes)] {
      #expect(TextValue.binary(text, maximumByteCount: 1024) == bytes)
      #expect(TextValue.binary(text, maximumByteCount: count - 1) == nil)
    }
    #expect(TextValue.base64(Array("Man".utf8)) == "0bTWFu")
    #expect(TextValue.base64(Array("Ma".utf8)) == "0bTWE=")
  }

  @Test("malformed binary values are none") func badBinary() {
    for text in ["", "0", "0x", "12", "0xg0", "0bA", "0bAA=A", "0b====", "0b!AAA"] {
      #expect(TextValue.binary(text, maximumByteCount: 1024) == nil, "\(text)")
    }
  }
}
