/// What a data segment asks for, read off its descriptor.
struct ModelShape {
  /// One end of a segment.
  enum Side {
    case none
    case block(lbaAt: Int, lba: UInt64, byteOffset: Int, wholeBlocks: Bool)
    case stream(transferLength: Int)
    case data(offset: Int, count: Int, inDescriptor: Bool)
  }

  /// What the count in the descriptor counts.
  enum Amount {
    case sourceBlocks(Int)
    case bytesProcessed(Int)
    case destinationBlocks(Int)
    case bytesWritten(Int)
    case bytesProcessedAndWritten(Int)
  }

  var source: Side
  var destination: Side
  var amount: Amount
  var holds: Bool

  /// The shape of the segments that process data; nil for 07h and 10h to 13h.
  init?(_ segment: ModelSegment) {
    let bytes = segment.bytes
    func count(_ at: Int, _ width: Int) -> Int { field(bytes, at: at, width: width) }
    func blocks(_ at: Int) -> Side {
      .block(
        lbaAt: at, lba: number(bytes, at: at, width: 8), byteOffset: 0, wholeBlocks: true)
    }
    func byteRange(_ at: Int, offsetAt: Int) -> Side {
      .block(
        lbaAt: at, lba: number(bytes, at: at, width: 8), byteOffset: count(offsetAt, 2),
        wholeBlocks: false)
    }
    func stream(_ at: Int) -> Side { .stream(transferLength: count(at, 3)) }

    holds = (0x0B...0x0F).contains(segment.code)
    switch segment.code {
    case 0x00, 0x0B:
      (source, destination) = (blocks(16), stream(9))
      amount = .sourceBlocks(count(14, 2))
    case 0x01, 0x0C:
      (source, destination) = (stream(9), blocks(16))
      amount = .destinationBlocks(count(14, 2))
    case 0x02, 0x0D:
      (source, destination) = (blocks(12), blocks(20))
      amount =
        segment.destinationCount
        ? .destinationBlocks(count(10, 2)) : .sourceBlocks(count(10, 2))
    case 0x03, 0x0E:
      (source, destination) = (stream(9), stream(13))
      amount = .bytesProcessed(count(16, 4))
    case 0x04:
      source = .data(offset: count(12, 4), count: count(16, 4), inDescriptor: false)
      destination = stream(9)
      amount = .bytesProcessed(count(16, 4))
    case 0x05:
      source = .data(offset: 16, count: count(12, 2), inDescriptor: true)
      destination = stream(9)
      amount = .bytesProcessed(count(12, 2))
    case 0x06, 0x0F:
      (source, destination) = (stream(9), .none)
      amount = .bytesProcessed(count(12, 4))
    case 0x08:
      (source, destination) = (byteRange(16, offsetAt: 26), stream(9))
      amount = .bytesProcessed(count(12, 4))
    case 0x09:
      (source, destination) = (stream(9), byteRange(16, offsetAt: 26))
      amount = .bytesWritten(count(12, 4))
    case 0x0A:
      (source, destination) = (
        byteRange(12, offsetAt: 28), byteRange(20, offsetAt: 30)
      )
      amount = .bytesProcessedAndWritten(count(8, 4))
    default:
      return nil
    }
  }
}
