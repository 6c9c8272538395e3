import SCSI
import Testing

@Suite("Bytes")
struct ByteReaderTests {
  @Test("are read big-endian")
  func read() throws {
    let bytes: [UInt8] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09]
    let reader = ByteReader(bytes.span)
    let values: [UInt64] = [
      UInt64(try reader.uint8(at: 8)), UInt64(try reader.uint16(at: 1)),
      UInt64(try reader.uint24(at: 1)), UInt64(try reader.uint32(at: 1)), try reader.uint64(at: 1),
    ]
    #expect(values == [0x09, 0x0203, 0x020304, 0x0203_0405, 0x0203_0405_0607_0809])
    let part = try reader.slice(at: 2, count: 3)
    let whole = try part.array(at: 0, count: 3)
    #expect(whole == [3, 4, 5])
  }

  @Test("outside the bounds are refused, whatever the offset")
  func bounds() {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    for offset in [-1, .min, 8, 9, .max, .max - 1] {
      #expect(throws: ByteReaderError.self) { try ByteReader(bytes.span).uint8(at: offset) }
      #expect(throws: ByteReaderError.self) { try ByteReader(bytes.span).uint64(at: offset) }
      #expect(throws: ByteReaderError.self) {
        try ByteReader(bytes.span).array(at: offset, count: 1)
      }
    }
    for count in [-1, .min, .max, 9] {
      #expect(throws: ByteReaderError.self) {
        try ByteReader(bytes.span).array(at: 0, count: count)
      }
    }
    #expect(throws: ByteReaderError.self) { try ByteReader(bytes.span).uint16(at: 7) }
    #expect(throws: ByteReaderError.self) { try ByteReader(bytes.span).uint24(at: 6) }
    #expect(throws: ByteReaderError.self) { try ByteReader(bytes.span).uint32(at: 5) }
    #expect(throws: ByteReaderError.self) { try ByteReader([UInt8]().span).uint8(at: 0) }
  }

  @Test("that are written are read back")
  func write() throws {
    var writer = ByteWriter(capacity: 4)
    writer.uint8(1)
    writer.uint16(0x0203)
    writer.uint24(0x040506)
    writer.uint32(0x0708_090A)
    writer.uint64(0x0B0C_0D0E_0F10_1112)
    #expect(writer.bytes == Array(1...18))
    writer.pad(to: 20)
    writer.set(uint16: 0xAABB, at: 18)
    #expect(Array(writer.bytes.suffix(2)) == [0xAA, 0xBB])
  }
}
