/// What is on a tape, in order: runs of equal records, and filemarks.
///
/// Pure arithmetic. Where a run's data lies follows from the runs before it: a run starts on the
/// first page border behind the data of the one before, and records of equal length that follow
/// each other are one run. Looking anything up is a binary search.
struct TapeMap: Equatable {
  /// Equal objects that follow each other.
  struct Run: Equatable {
    /// Number of the first object.
    var firstObject: UInt64
    /// Number of objects, at least 1.
    var count: UInt64
    /// Bytes of a record; 0 where the objects are filemarks.
    var recordLength: Int
    /// Where the first record lies.
    var dataOffset: UInt64
    /// Filemarks, and bytes of records, before the run.
    var filemarksBefore, bytesBefore: UInt64

    var isFilemarks: Bool { recordLength == 0 }
    var endObject: UInt64 { firstObject + count }
    var byteCount: UInt64 { count * UInt64(recordLength) }
    var dataEnd: UInt64 { dataOffset + byteCount }

    func offset(of object: UInt64) -> UInt64 {
      dataOffset + (object - firstObject) * UInt64(recordLength)
    }
  }

  /// Runs start on multiples of this, so that direct I/O and page-sized records meet.
  static let border: UInt64 = 4096
  /// Longest record: what the 24-bit length of SSC can say.
  static let recordLengthMaximum = (1 << 24) - 1

  /// In order; neighbours are of different kind or length.
  private(set) var runs: [Run] = []

  /// Objects on the tape.
  var objectCount: UInt64 { runs.last?.endObject ?? 0 }

  /// Bytes of all records.
  var byteCount: UInt64 { bytes(before: objectCount) }

  /// Where the data of the last record ends.
  var dataEnd: UInt64 { lastRecords?.dataEnd ?? 0 }

  private var lastRecords: Run? {
    guard let last = runs.last else { return nil }
    if !last.isFilemarks { return last }
    return runs.count > 1 ? runs[runs.count - 2] : nil
  }

  /// Where the next record of this length will lie.
  func dataOffset(ofNext recordLength: Int) -> UInt64 {
    if let last = runs.last, last.recordLength == recordLength { return last.dataEnd }
    return (dataEnd + Self.border - 1) / Self.border * Self.border
  }

  // MARK: Changes

  /// Adds records and returns where their data lies.
  @discardableResult
  mutating func append(records count: UInt64, length: Int) -> UInt64 {
    precondition(count > 0 && length > 0, "a run has records, and records have bytes")
    let offset = dataOffset(ofNext: length)
    add(count, length, offset)
    return offset
  }

  /// Adds filemarks.
  mutating func append(filemarks count: UInt64) {
    if count > 0 { add(count, 0, dataEnd) }
  }

  private mutating func add(_ count: UInt64, _ length: Int, _ offset: UInt64) {
    if let last = runs.last, last.recordLength == length {
      runs[runs.count - 1].count += count
      return
    }
    let end = objectCount
    runs.append(
      Run(
        firstObject: end, count: count, recordLength: length, dataOffset: offset,
        filemarksBefore: filemarks(before: end), bytesBefore: bytes(before: end)))
  }

  /// Drops every object from number `object` on.
  mutating func truncate(to object: UInt64) {
    while let last = runs.last, last.endObject > object {
      if last.firstObject >= object {
        runs.removeLast()
      } else {
        runs[runs.count - 1].count = object - last.firstObject
      }
    }
  }

  // MARK: Questions

  /// The run that object number `object` is in; nil behind the end of data.
  func run(of object: UInt64) -> Run? {
    index(of: object).map { runs[$0] }
  }

  private func index(of object: UInt64) -> Int? {
    guard object < objectCount else { return nil }
    var low = 0
    var high = runs.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if runs[middle].firstObject <= object { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// The run that ends where object number `object` begins or that it lies in, and how many of its
  /// objects come before.
  private func before(_ object: UInt64) -> (run: Run, count: UInt64)? {
    guard object > 0, let index = index(of: min(object, objectCount) - 1) else { return nil }
    return (runs[index], min(object, objectCount) - runs[index].firstObject)
  }

  /// Filemarks before object number `object`.
  func filemarks(before object: UInt64) -> UInt64 {
    guard let (run, count) = before(object) else { return 0 }
    return run.filemarksBefore + (run.isFilemarks ? count : 0)
  }

  /// Bytes of the records before object number `object`.
  func bytes(before object: UInt64) -> UInt64 {
    guard let (run, count) = before(object) else { return 0 }
    return run.bytesBefore + count * UInt64(run.recordLength)
  }

  /// The object number of filemark number `filemark`, counting from 0.
  func object(ofFilemark filemark: UInt64) -> UInt64? {
    guard filemark < filemarks(before: objectCount) else { return nil }
    var low = 0
    var high = runs.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if runs[middle].filemarksBefore <= filemark { low = middle } else { high = middle - 1 }
    }
    // The last run with no more filemarks before it is the one that holds this one, or records
    // behind nothing: filemarks follow.
    guard runs[low].isFilemarks else { return nil }
    return runs[low].firstObject + (filemark - runs[low].filemarksBefore)
  }

  /// Where the run of records that surrounds `position` begins: behind the filemark before it, or
  /// at the beginning.
  func objectBehindFilemark(before position: UInt64) -> UInt64 {
    let count = filemarks(before: position)
    guard count > 0, let mark = object(ofFilemark: count - 1) else { return 0 }
    return mark + 1
  }
}
