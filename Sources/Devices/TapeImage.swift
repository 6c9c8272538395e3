import Glibc
import SCSI
public import Uring

/// Tapes as files of other programs: SIMH images, and raw data.
///
/// In a SIMH image a record stands between two copies of its length (4 bytes, little-endian), padded
/// to an even length; a filemark is the length 0; FFFFFFFFh ends the medium, and so does the end of
/// the file. The top four bits of a length are a class: 0 is a good record, 8 a record with an
/// error, which is refused; others are other kinds of tape.
public enum TapeImage {
  /// What an import or export moved.
  public struct Report: Equatable, Sendable {
    /// Records and their bytes, and filemarks.
    public var recordCount: UInt64 = 0, byteCount: UInt64 = 0, filemarkCount: UInt64 = 0
  }

  static let endOfMedium: UInt32 = 0xFFFF_FFFF

  /// Writes the records and filemarks of a SIMH image behind the position of `tape`, and makes them
  /// durable.
  ///
  /// - Throws: `tapeImage` where the file contradicts itself, `transfer` where the tape is full; what
  ///   was written before stays.
  public static func importImage(_ path: String, to tape: StreamDevice, ring: Ring)
    async throws(DeviceError) -> Report
  {
    let file = try await ImageFile.open(path, creates: false, ring: ring)
    var report = Report()
    var offset: UInt64 = 0
    while let marker = try await file.length(at: offset), marker != endOfMedium {
      if marker == 0 {
        try accept(await tape.writeFilemarks(1, immediate: true), path)
        report.filemarkCount += 1
        offset += 4
        continue
      }
      let length = Int(marker & 0x00FF_FFFF)
      guard marker >> 24 == 0, length <= tape.recordLengthMaximum else {
        throw .tapeImage(
          path: path, offset: offset, reason: "a record of length \(hexadecimal(marker))")
      }
      let bytes = try await file.read(length, at: offset + 4)
      let end = offset + 4 + UInt64(length + length % 2)
      guard bytes.count == length else {
        throw .tapeImage(path: path, offset: offset, reason: "the record is cut short")
      }
      guard try await file.length(at: end) == marker else {
        throw .tapeImage(path: path, offset: end, reason: "the second length is not the first")
      }
      try await write(bytes, recordCount: 1, to: tape, ring, path)
      report.recordCount += 1
      report.byteCount += UInt64(length)
      offset = end + 4
    }
    try accept(await tape.writeFilemarks(0, immediate: false), path)
    return report
  }

  /// Writes a file as records of `recordLength` bytes, the last one as short as it is, and makes
  /// them durable.
  public static func importRaw(
    _ path: String, recordLength: Int, to tape: StreamDevice, ring: Ring
  ) async throws(DeviceError) -> Report {
    guard recordLength > 0, recordLength <= tape.recordLengthMaximum else {
      throw .blockLength(path: path, blockLength: recordLength, smallest: 1)
    }
    let file = try await ImageFile.open(path, creates: false, ring: ring)
    var report = Report()
    while true {
      let bytes = try await file.read(recordLength, at: report.byteCount)
      if bytes.isEmpty { break }
      try await write(bytes, recordCount: 1, to: tape, ring, path)
      report.recordCount += 1
      report.byteCount += UInt64(bytes.count)
    }
    try accept(await tape.writeFilemarks(0, immediate: false), path)
    return report
  }

  /// Writes what stands behind the position of `tape`, to end of data, as a SIMH image.
  public static func exportImage(_ path: String, from tape: StreamDevice, ring: Ring)
    async throws(DeviceError) -> Report
  {
    let file = try await ImageFile.open(path, creates: true, ring: ring)
    var report = Report()
    while let object = try await next(of: tape, ring, path) {
      var bytes = [UInt8]()
      let length = UInt32(object.count)
      bytes.reserveCapacity(object.count + 9)
      bytes += littleEndian(length)
      if object.isEmpty {
        report.filemarkCount += 1
      } else {
        bytes += object
        if object.count % 2 != 0 { bytes.append(0) }
        bytes += littleEndian(length)
        report.recordCount += 1
        report.byteCount += UInt64(length)
      }
      try await file.append(bytes)
    }
    try await file.append(littleEndian(endOfMedium))
    try await file.synchronize()
    return report
  }

  /// Writes the bytes of the records behind the position of `tape`, up to a filemark or, with
  /// `pastFilemarks`, to end of data.
  public static func exportRaw(
    _ path: String, from tape: StreamDevice, pastFilemarks: Bool = false, ring: Ring
  ) async throws(DeviceError) -> Report {
    let file = try await ImageFile.open(path, creates: true, ring: ring)
    var report = Report()
    while let bytes = try await next(of: tape, ring, path) {
      if bytes.isEmpty {
        report.filemarkCount += 1
        if pastFilemarks { continue } else { break }
      }
      try await file.append(bytes)
      report.recordCount += 1
      report.byteCount += UInt64(bytes.count)
    }
    try await file.synchronize()
    return report
  }

  // MARK: One object

  /// The next record; no bytes where it is a filemark; nil at end of data.
  private static func next(of tape: StreamDevice, _ ring: Ring, _ path: String)
    async throws(DeviceError) -> [UInt8]?
  {
    let byteCount = tape.nextRecordLength ?? min(tape.recordLengthMaximum, 1 << 20)
    guard let room = ring.arena.allocate(byteCount) else {
      throw .noMemory(path: tape.name, byteCount: byteCount)
    }
    let read = await tape.read(into: room)
    guard let condition = read.status.condition else {
      return read.takeFilled().bytes()
    }
    if condition.filemark { return [] }
    if condition.key == .blankCheck { return nil }
    throw .transfer(path: tape.name, condition: condition)
  }

  private static func write(
    _ bytes: [UInt8], recordCount: Int, to tape: StreamDevice, _ ring: Ring, _ path: String
  ) async throws(DeviceError) {
    guard var payload = ring.arena.allocate(bytes.count) else {
      throw .noMemory(path: tape.name, byteCount: bytes.count)
    }
    payload.overwrite(with: bytes)
    try accept(await tape.write(payload, recordCount: recordCount).status, tape.name)
  }

  private static func accept(_ status: DeviceStatus, _ path: String) throws(DeviceError) {
    if let condition = status.condition, !status.isSuccess {
      throw .transfer(path: path, condition: condition)
    }
  }

  private static func littleEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }
}

extension DeviceCompletion {
  /// The bytes that a read filled.
  consuming func takeFilled() -> Payload {
    let byteCount = status.byteCount
    var payload = takePayload()
    payload.truncate(to: byteCount)
    return payload
  }
}
