import Digests
import SCSI

/// The index of a cartridge: a log of entries of 64 bytes, only ever appended to.
///
/// ```
/// byte  0      1       4..7           8..15         16..23         24..31
/// H     flags  version        capacity      early warning  "ECOPYTAP"
/// R     0      record length  first object  record count   data offset
/// F     0      0              first object  filemarks      0
/// T     0      0              object        0              0
/// C     0      0              0             0              0
///
/// byte  32..39         56..59            60..63
/// all   durable bytes  CRC32C before it  CRC32C
/// ```
/// Numbers are big-endian, other bytes zero. The CRC32C is of the first 60 bytes, continued from the
/// entry before, so that an entry counts only behind exactly the entries it was written behind. The
/// log ends before the first entry that does not fit: an append that was interrupted, which was
/// never reported durable. It was damage where an entry behind it says otherwise: each says how
/// many bytes of the log were durable before it was written, and has what its CRC32C continues, so
/// that it can be believed without those before it. C is written when a cartridge is closed, and
/// says so of all others.
///
/// A log that was cut off between entries looks like one whose last appends never happened.
struct TapeIndex: Equatable {
  static let version: UInt32 = 2
  static let entryByteCount = 64

  /// One entry.
  enum Entry: Equatable {
    case header(Cartridge.Format)
    case records(firstObject: UInt64, count: UInt64, length: Int, dataOffset: UInt64)
    case filemarks(firstObject: UInt64, count: UInt64)
    /// Everything from this object on is gone.
    case truncate(object: UInt64)
    /// Everything before was durable, and the cartridge was closed.
    case closed
  }

  /// Why the log cannot be used.
  enum Failure: Error, Equatable {
    case notACartridge
    case version(UInt32)
    case damaged(String)
  }

  /// Capacity and protection.
  var format: Cartridge.Format
  /// What the log says is on the tape.
  var map = TapeMap()
  /// Bytes of the log.
  var byteCount: UInt64
  /// Bytes of it that are durable.
  var durableByteCount: UInt64 = 0
  /// The checksum the next entry continues.
  var checksum: UInt32
  /// Whether the last entry says that the cartridge was closed.
  private(set) var isClosed = false

  /// Starts a log: its header, and the bytes of it.
  init(starting format: Cartridge.Format) {
    self.format = format
    byteCount = 0
    checksum = 0
  }

  // MARK: Writing

  /// What was encoded so far is durable.
  mutating func becameDurable() { durableByteCount = byteCount }

  /// The bytes of an entry, to be appended.
  mutating func encode(_ entry: Entry) -> [UInt8] {
    var writer = ByteWriter(capacity: Self.entryByteCount)
    func fields(_ kind: UInt8, _ flags: UInt8, _ small: UInt32, _ large: [UInt64]) {
      writer.uint8(kind)
      writer.uint8(flags)
      writer.uint16(0)
      writer.uint32(small)
      for value in large { writer.uint64(value) }
    }
    switch entry {
    case .header(let format):
      fields(
        Self.header, format.isWriteProtected ? 1 : 0, Self.version,
        [format.capacity, format.earlyWarning, Self.magic])
    case .records(let object, let count, let length, let offset):
      fields(Self.records, 0, UInt32(length), [object, count, offset])
    case .filemarks(let object, let count):
      fields(Self.filemarks, 0, 0, [object, count])
    case .truncate(let object):
      fields(Self.truncate, 0, 0, [object])
    case .closed:
      fields(Self.closed, 0, 0, [])
    }
    isClosed = entry == .closed
    writer.pad(to: Self.durableOffset)
    writer.uint64(durableByteCount)
    writer.pad(to: Self.checksumBeforeOffset)
    writer.uint32(checksum)
    var crc = CRC32C(continuing: checksum)
    crc.update(writer.bytes)
    checksum = crc.value
    byteCount += UInt64(Self.entryByteCount)
    writer.uint32(checksum)
    return writer.bytes
  }

  /// The entries that tell what `map` has from object number `first` on.
  static func entries(of map: TapeMap, from first: UInt64) -> [Entry] {
    var entries: [Entry] = []
    for run in map.runs.reversed() {
      guard run.endObject > first else { break }
      let start = max(first, run.firstObject)
      entries.append(
        run.isFilemarks
          ? .filemarks(firstObject: start, count: run.endObject - start)
          : .records(
            firstObject: start, count: run.endObject - start, length: run.recordLength,
            dataOffset: run.offset(of: start)))
    }
    return entries.reversed()
  }

  // MARK: Reading

  /// Reads a log up to its last valid entry.
  init(reading next: (_ count: Int, _ offset: UInt64) throws(DeviceError) -> [UInt8])
    throws(DeviceReadFailure)
  {
    let first = try Self.fetch(next, 0)
    do throws(Failure) {
      guard first.count >= Self.entryByteCount else { throw .notACartridge }
      let bytes = Array(first.prefix(Self.entryByteCount))
      self.init(starting: try Self.decodeHeader(bytes))
      guard continues(bytes) else { throw .damaged("the checksum of the header is wrong") }
    } catch {
      throw .index(error)
    }
    var chunk = Array(first.dropFirst(Self.entryByteCount))
    while true {
      var position = 0
      while position + Self.entryByteCount <= chunk.count {
        let bytes = Array(chunk[position..<position + Self.entryByteCount])
        guard continues(bytes) else {
          try seeWhetherDurable(next)
          return
        }
        do throws(Failure) { try apply(bytes) } catch { throw .index(error) }
        position += Self.entryByteCount
      }
      if chunk.count % Self.entryByteCount != 0 { return }
      chunk = try Self.fetch(next, byteCount)
      if chunk.count < Self.entryByteCount { return }
    }
  }

  /// The entry at the end of what is valid is not: damage, where one behind it says that it was
  /// durable once.
  private func seeWhetherDurable(
    _ next: (_ count: Int, _ offset: UInt64) throws(DeviceError) -> [UInt8]
  ) throws(DeviceReadFailure) {
    let entryByteCount = UInt64(Self.entryByteCount)
    var offset = byteCount + entryByteCount
    while true {
      let chunk = try Self.fetch(next, offset)
      var rest = chunk[...]
      while rest.count >= Self.entryByteCount {
        let entry = Array(rest.prefix(Self.entryByteCount))
        rest = rest.dropFirst(Self.entryByteCount)
        let durable = Self.number(entry, Self.durableOffset, 8)
        if durable > byteCount, durable <= offset, Self.isConsistent(entry) {
          let number = byteCount / entryByteCount
          throw .index(.damaged("its index at entry \(number), which was durable"))
        }
        offset += entryByteCount
      }
      if chunk.isEmpty || !rest.isEmpty { return }
    }
  }

  /// Whether an entry is what was written once, wherever it stands.
  private static func isConsistent(_ entry: [UInt8]) -> Bool {
    let before = UInt32(truncatingIfNeeded: number(entry, checksumBeforeOffset, 4))
    var crc = CRC32C(continuing: before)
    crc.update(Array(entry.prefix(entryByteCount - 4)))
    return number(entry, entryByteCount - 4, 4) == UInt64(crc.value)
  }

  /// Why an index could not be read: the file, or what is in it.
  enum DeviceReadFailure: Error {
    case file(DeviceError)
    case index(Failure)
  }

  private static func fetch(
    _ next: (Int, UInt64) throws(DeviceError) -> [UInt8], _ offset: UInt64
  ) throws(DeviceReadFailure) -> [UInt8] {
    do throws(DeviceError) { return try next(1 << 20, offset) } catch { throw .file(error) }
  }

  /// Takes the checksum of an entry, where it is the right one.
  private mutating func continues(_ bytes: [UInt8]) -> Bool {
    var crc = CRC32C(continuing: checksum)
    crc.update(Array(bytes.prefix(Self.entryByteCount - 4)))
    guard Self.number(bytes, 60, 4) == UInt64(crc.value) else { return false }
    checksum = crc.value
    byteCount += UInt64(Self.entryByteCount)
    return true
  }

  private static func decodeHeader(_ bytes: [UInt8]) throws(Failure) -> Cartridge.Format {
    guard bytes[0] == header, number(bytes, 24, 8) == magic else { throw .notACartridge }
    let version = UInt32(number(bytes, 4, 4))
    guard version == Self.version else { throw .version(version) }
    return Cartridge.Format(
      capacity: number(bytes, 8, 8), earlyWarning: number(bytes, 16, 8),
      isWriteProtected: bytes[1] & 1 != 0)
  }

  /// Does what an entry says, where it makes sense behind those before it.
  private mutating func apply(_ bytes: [UInt8]) throws(Failure) {
    isClosed = bytes[0] == Self.closed
    let object = Self.number(bytes, 8, 8)
    let count = Self.number(bytes, 16, 8)
    switch bytes[0] {
    case Self.truncate:
      guard object <= map.objectCount else { throw .damaged("it truncates behind its end") }
      map.truncate(to: object)
    case Self.records:
      let length = Int(Self.number(bytes, 4, 4))
      let (data, overflow) = count.multipliedReportingOverflow(by: UInt64(length))
      guard object == map.objectCount, count > 0, length > 0,
        length <= TapeMap.recordLengthMaximum, !overflow, count < Self.mostObjects - object,
        data < Self.mostBytes, map.dataEnd < Self.mostBytes - data,
        map.byteCount < Self.mostBytes - data,
        Self.number(bytes, 24, 8) == map.dataOffset(ofNext: length)
      else { throw .damaged("the run at object \(object) is not possible") }
      map.append(records: count, length: length)
    case Self.filemarks:
      guard object == map.objectCount, count > 0, count < Self.mostObjects - object else {
        throw .damaged("the filemarks at object \(object) are not possible")
      }
      map.append(filemarks: count)
    case Self.closed: break
    default:
      throw .damaged("an entry of kind \(bytes[0]) is not known")
    }
  }

  private static func number(_ bytes: [UInt8], _ offset: Int, _ length: Int) -> UInt64 {
    bytes[offset..<offset + length].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Files do not reach further, and sums of two such numbers fit.
  private static let mostBytes: UInt64 = 1 << 62
  private static let mostObjects: UInt64 = 1 << 62
  private static let magic: UInt64 = 0x4543_4F50_5954_4150
  private static let header = UInt8(ascii: "H")
  private static let records = UInt8(ascii: "R")
  private static let filemarks = UInt8(ascii: "F")
  private static let truncate = UInt8(ascii: "T")
  private static let closed = UInt8(ascii: "C")
  /// Where an entry says how much was durable before it, and what its checksum continues.
  private static let durableOffset = 32
  private static let checksumBeforeOffset = 56
}
