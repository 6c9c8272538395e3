import SCSI
import Testing

/// Sense data of a device: MEDIUM ERROR, unrecovered read error.
private let deviceSense: [UInt8] = [
  0xF0, 0, 0x03, 0, 0, 0x12, 0x34, 0x0A, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0,
]

private let copyAborted = SenseData(
  key: .copyAborted, additional: .thirdPartyDeviceFailure, information: 7,
  fieldPointer: .init(offset: 16), copySegment: 0x0203,
  forwarded: [
    .init(origin: .source, status: .checkCondition, sense: deviceSense),
    .init(origin: .destination, status: .busy, sense: []),
  ])

/// Sense data of every shape; keys and flags vary with the number.
private func variety() -> [SenseData] {
  var all: [SenseData] = []
  for key in SenseKey.allCases {
    for number in 0..<32 {
      let hasPointer = number & 1 != 0 && (key == .illegalRequest || key == .copyAborted)
      var sense = SenseData(
        key: key, additional: .writeError, information: number & 2 != 0 ? UInt64(number) : nil,
        filemark: number & 4 != 0, endOfMedium: number & 8 != 0, incorrectLength: number & 16 != 0,
        deferred: number % 3 == 0)
      if hasPointer {
        sense.fieldPointer = .init(
          offset: 0x1234, inSegment: number & 2 != 0, inCommand: number & 6 == 0,
          bitPointer: number & 4 != 0 ? 5 : nil)
      }
      if key == .copyAborted || sense.fieldPointer?.inSegment == true {
        sense.copySegment = UInt16(number)
      }
      if key == .copyAborted, number & 8 != 0 {
        sense.forwarded.append(
          .init(origin: .source, status: .checkCondition, sense: deviceSense))
      }
      if key == .copyAborted, number & 16 != 0 {
        sense.forwarded.append(
          .init(origin: .destination, status: .reservationConflict, sense: deviceSense))
      }
      all.append(sense)
    }
  }
  return all
}

@Suite("Sense data")
struct SenseDataTests {
  @Test("of a failed copy in the fixed format, byte for byte")
  func fixedCopyAborted() {
    let bytes: [UInt8] =
      [
        0xF0, 0, 0x0A, 0, 0, 0, 7, 30, 18, 37, 0x02, 0x03, 0x0D, 0x01, 0, 0x80, 0x00, 0x10,
        0x02,
      ] + deviceSense + [0x08]
    #expect(copyAborted.fixedBytes() == bytes)
  }

  @Test("of a failed copy in the descriptor format, byte for byte")
  func descriptorCopyAborted() {
    let bytes: [UInt8] =
      [0x72, 0x0A, 0x0D, 0x01, 0, 0, 0, 58]
      + [0x00, 0x0A, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 7]
      + [0x01, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x03]
      + [0x02, 0x06, 0, 0, 0x80, 0x00, 0x10, 0]
      + [0x0C, 20, 0x01, 0x02] + deviceSense
      + [0x0C, 2, 0x02, 0x08]
    #expect(copyAborted.descriptorBytes() == bytes)
  }

  @Test("a field pointer in a segment, with a bit, byte for byte")
  func fieldPointer() {
    let sense = SenseData(
      key: .illegalRequest, additional: .invalidFieldInParameterList,
      fieldPointer: .init(offset: 2, inSegment: true, bitPointer: 3), copySegment: 5)
    let bytes: [UInt8] = [0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 5, 0x26, 0, 0, 0xAB, 0, 2]
    #expect(sense.fixedBytes() == bytes)
    let inCommand = SenseData(
      key: .illegalRequest, additional: .invalidFieldInCDB,
      fieldPointer: .init(offset: 10, inCommand: true))
    #expect(Array(inCommand.fixedBytes()[15...]) == [0xC0, 0, 10])
  }

  @Test("a tape's filemark, byte for byte")
  func filemark() {
    let sense = SenseData(
      key: .noSense, additional: .filemarkDetected, information: 65_536, filemark: true,
      endOfMedium: true, incorrectLength: true)
    #expect(
      sense.fixedBytes() == [0xF0, 0, 0xE0, 0, 1, 0, 0, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    #expect(Array(sense.descriptorBytes().suffix(4)) == [0x04, 0x02, 0, 0xE0])
  }

  @Test("comes back from both formats")
  func roundTrip() throws {
    for sense in variety() {
      #expect(try SenseData.decode(sense.fixedBytes()) == sense)
      #expect(try SenseData.decode(sense.descriptorBytes()) == sense)
    }
  }

  @Test("ADDITIONAL SENSE LENGTH is the length less eight, and 252 bytes are enough")
  func length() {
    for size in [0, 18, 100, 115, 116, 117, 200, 233, 234, 252, 1000] {
      let long = [UInt8](repeating: 0xAA, count: size)
      for other in [0, 18, 116, 117, 252] {
        var sense = copyAborted
        sense.forwarded[0].sense = long
        sense.forwarded[1].sense = [UInt8](repeating: 0xBB, count: other)
        for bytes in [sense.fixedBytes(), sense.descriptorBytes()] {
          #expect(bytes.count == 8 + Int(bytes[7]))
          #expect(bytes.count <= SenseData.maximumLength)
          let back = try? SenseData.decode(bytes)
          #expect(back?.forwarded.count == 2)
          #expect(back?.forwarded.first.map { long.starts(with: $0.sense) } == true)
          #expect(back?.forwarded.last?.sense.allSatisfy { $0 == 0xBB } == true)
        }
      }
    }
    for sense in variety() {
      #expect(sense.fixedBytes().count == 8 + Int(sense.fixedBytes()[7]))
      #expect(sense.descriptorBytes().count == 8 + Int(sense.descriptorBytes()[7]))
    }
  }

  @Test("forwarded sense that is cut short says so in the descriptor format")
  func truncatedForward() throws {
    var sense = copyAborted
    sense.forwarded = [
      .init(origin: .source, status: .checkCondition, sense: [UInt8](repeating: 1, count: 252))
    ]
    #expect(try SenseData.decode(sense.descriptorBytes()).forwarded.first?.truncated == true)
  }

  @Test("a residual below zero is two's complement in both formats")
  func negative() {
    let sense = SenseData(
      key: .noSense, additional: .noAdditionalSense, information: UInt64(bitPattern: -2),
      incorrectLength: true)
    #expect(Array(sense.fixedBytes()[..<7]) == [0xF0, 0, 0x20, 0xFF, 0xFF, 0xFF, 0xFE])
    var great = sense
    great.information = 0x1_0000_0000
    #expect(great.fixedBytes()[0] == 0x70)
  }

  @Test("short fixed sense of an old device is read, with zeros for what is missing")
  func short() throws {
    let sense = try SenseData.decode([0x70, 0, 0x06, 0, 0, 0, 0, 0])
    #expect(sense == SenseData(key: .unitAttention, additional: .noAdditionalSense))
  }

  @Test("of another kind, or cut short, is refused")
  func refused() {
    #expect(throws: SenseError.truncated(offset: 0, needed: 1, count: 0)) {
      try SenseData.decode([])
    }
    #expect(throws: SenseError.responseCode(0x7E)) {
      try SenseData.decode([UInt8](repeating: 0x7E, count: 18))
    }
    #expect(throws: SenseError.self) { try SenseData.decode([0x70, 0, 5]) }
    #expect(throws: SenseError.self) {
      try SenseData.decode([0x72, 5, 0x24, 0, 0, 0, 0, 4, 0, 10])
    }
  }

  @Test("any corruption of one byte, and any end, is refused or read")
  func corruption() {
    for bytes in [copyAborted.fixedBytes(), copyAborted.descriptorBytes()] {
      for offset in bytes.indices {
        _ = try? SenseData.decode(Array(bytes.prefix(offset)))
        var broken = bytes
        for value in UInt8.min...UInt8.max {
          broken[offset] = value
          guard let sense = try? SenseData.decode(broken) else { continue }
          #expect(sense.descriptorBytes().count <= SenseData.maximumLength)
        }
      }
    }
  }

  @Test("is told in words")
  func description() {
    #expect(
      copyAborted.description
        == "COPY ABORTED: THIRD PARTY DEVICE FAILURE (0Ah 0Dh/01h), segment 515, information 7, "
        + "field at byte 16 of the parameter list; source: CHECK CONDITION, MEDIUM ERROR: "
        + "UNRECOVERED READ ERROR (03h 11h/00h), information 4660; destination: BUSY")
  }
}
