import SCSI

@testable import Devices

/// A tape as a list of objects: the rules of SSC-4 written down without any cleverness, to hold the
/// cartridge to.
struct NaiveTape {
  enum Object: Equatable {
    case record([UInt8])
    case filemark
  }

  var objects: [Object] = []
  var position = 0
  var capacity = Int.max
  var earlyWarning = 0

  private var used: Int { Self.bytes(objects[..<position]) }

  static func bytes(_ objects: ArraySlice<Object>) -> Int {
    objects.reduce(0) { sum, object in
      if case .record(let bytes) = object { sum + bytes.count } else { sum }
    }
  }

  mutating func write(_ bytes: [UInt8], recordCount: Int) -> DeviceStatus {
    let length = bytes.count / recordCount
    var written = 0
    while written < recordCount, used + length <= capacity {
      objects.removeSubrange(position...)
      objects.append(.record(Array(bytes[written * length..<(written + 1) * length])))
      position += 1
      written += 1
    }
    if written < recordCount {
      let residual = recordCount == 1 ? length : recordCount - written
      var condition = Condition(
        .volumeOverflow, .endOfPartitionDetected, information: Int64(residual))
      condition.endOfMedium = true
      return .check(condition, byteCount: written * length)
    }
    return warned(.good(bytes.count))
  }

  mutating func writeFilemarks(_ count: Int) -> DeviceStatus {
    if count == 0 { return .good() }
    objects.removeSubrange(position...)
    objects += Array(repeating: .filemark, count: count)
    position += count
    return warned(.good())
  }

  private func warned(_ status: DeviceStatus) -> DeviceStatus {
    guard capacity - used < earlyWarning else { return status }
    var condition = Condition(.noSense, .endOfPartitionDetected)
    condition.endOfMedium = true
    return .check(condition, byteCount: status.byteCount)
  }

  mutating func read(_ byteCount: Int, recordCount: Int, acceptsShorter: Bool)
    -> (DeviceStatus, [UInt8])
  {
    let length = byteCount / recordCount
    var read: [UInt8] = []
    for count in 0..<recordCount {
      let residual = Int64(recordCount == 1 ? length : recordCount - count)
      guard position < objects.count else {
        return (
          .check(
            Condition(.blankCheck, .endOfDataDetected, information: residual),
            byteCount: read.count), read
        )
      }
      position += 1
      switch objects[position - 1] {
      case .filemark:
        var condition = Condition(.noSense, .filemarkDetected, information: residual)
        condition.filemark = true
        return (.check(condition, byteCount: read.count), read)
      case .record(let bytes) where bytes.count == length:
        read += bytes
      case .record(let bytes):
        if recordCount == 1 { read = Array(bytes.prefix(length)) }
        if acceptsShorter, bytes.count < length { return (.good(read.count), read) }
        var condition = Condition(
          .noSense, .noAdditionalSense,
          information: recordCount == 1 ? Int64(length - bytes.count) : residual)
        condition.incorrectLength = true
        return (.check(condition, byteCount: read.count), read)
      }
    }
    return (.good(read.count), read)
  }

  mutating func space(_ kind: SpaceKind, count: Int) -> DeviceStatus {
    if kind == .endOfData {
      position = objects.count
      return .good()
    }
    var left = abs(count)
    while left > 0 {
      if count > 0 ? position == objects.count : position == 0 {
        var condition = Condition(
          count > 0 ? .blankCheck : .noSense,
          count > 0 ? .endOfDataDetected : .beginningOfPartitionDetected,
          information: Int64(left))
        condition.endOfMedium = count < 0
        return .check(condition)
      }
      let object = objects[count > 0 ? position : position - 1]
      position += count.signum()
      switch (kind, object) {
      case (.records, .filemark):
        var condition = Condition(.noSense, .filemarkDetected, information: Int64(left))
        condition.filemark = true
        return .check(condition)
      case (.filemarks, .record): break
      default: left -= 1
      }
    }
    return .good()
  }

  mutating func locate(_ object: Int) -> DeviceStatus {
    position = min(object, objects.count)
    return object <= objects.count
      ? .good() : .check(Condition(.blankCheck, .endOfDataDetected))
  }
}
