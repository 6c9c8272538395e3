import SCSI
import Uring

/// Equal objects of a tape that follow each other, as they are listed.
public struct TapeRun: Equatable, Sendable {
  /// Number of the first object.
  public var firstObject: UInt64
  /// Number of objects.
  public var count: UInt64
  /// Bytes of a record; nil where the objects are filemarks.
  public var recordLength: Int?
}

/// What reading a whole tape back came to.
public struct TapeVerification: Equatable, Sendable {
  /// Records and their bytes that could be read, and filemarks.
  public var recordCount: UInt64 = 0, byteCount: UInt64 = 0, filemarkCount: UInt64 = 0
  /// The first record that could not be read, and why.
  public var firstFailure: Failure?

  /// A record that could not be read.
  public struct Failure: Equatable, Sendable {
    /// Its object number.
    public var object: UInt64
    /// What reading it ended with.
    public var condition: Condition
  }
}

extension Cartridge {
  /// What is on the tape, in order. Cost: one element for each run, not for each record.
  public var runs: [TapeRun] {
    map.runs.map {
      TapeRun(
        firstObject: $0.firstObject, count: $0.count,
        recordLength: $0.isFilemarks ? nil : $0.recordLength)
    }
  }

  /// Calls `body` for each object in order: its number, and its length where it is a record.
  public func forEachObject(_ body: (_ object: UInt64, _ recordLength: Int?) -> Void) {
    for run in runs {
      for object in run.firstObject..<run.firstObject + run.count {
        body(object, run.recordLength)
      }
    }
  }

  /// Reads everything back, from the beginning; the position is where it was afterwards. Digests of
  /// the records are not kept: structure and readability are what is verified.
  ///
  /// - Throws: `noMemory` where not even the longest record fits the arena.
  public func verify() async throws(DeviceError) -> TapeVerification {
    var result = TapeVerification()
    let start = object
    var longest = 1
    for run in map.runs { longest = max(longest, run.recordLength) }
    let bufferByteCount = max(longest, 1 << 20)
    guard var buffer = ring.arena.allocate(bufferByteCount) else {
      throw .noMemory(path: directory, byteCount: bufferByteCount)
    }
    reading: for run in map.runs {
      if run.isFilemarks {
        result.filemarkCount += run.count
        continue
      }
      object = run.firstObject
      while object < run.endObject {
        let count = Int(
          min(UInt64(bufferByteCount / run.recordLength), run.endObject - object))
        var rest = buffer
        let part = rest.removeFirst(count * run.recordLength)
        let read = await self.read(into: part, recordCount: count, acceptsShorter: false)
        let status = read.status
        buffer = read.takePayload()
        buffer.append(rest)
        let good = status.byteCount / run.recordLength
        result.recordCount += UInt64(good)
        result.byteCount += UInt64(status.byteCount)
        if let condition = status.condition {
          result.firstFailure = TapeVerification.Failure(
            object: object - 1, condition: condition)
          break reading
        }
      }
    }
    object = start
    return result
  }
}
