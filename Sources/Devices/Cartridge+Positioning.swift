import SCSI

extension Cartridge {
  func go(to object: UInt64) async -> DeviceStatus {
    precondition(queue.isEmpty, "a tape is positioned with nothing in flight")
    if let condition = await synchronize() { return .check(condition) }
    self.object = min(object, map.objectCount)
    if object <= map.objectCount { return .good() }
    return .check(Condition(.blankCheck, .endOfDataDetected))
  }

  func skip(_ kind: SpaceKind, count: Int) async -> DeviceStatus {
    precondition(queue.isEmpty, "a tape is positioned with nothing in flight")
    if let condition = await synchronize() { return .check(condition) }
    let end = map.objectCount
    let distance = UInt64(count.magnitude)
    switch kind {
    case .endOfData:
      object = end
      return .good()
    case .filemarks:
      return count < 0 ? spaceBack(filemarks: distance) : space(filemarks: distance)
    case .records:
      return count < 0 ? spaceBack(records: distance) : space(records: distance)
    }
  }

  private func space(filemarks count: UInt64) -> DeviceStatus {
    guard count > 0 else { return .good() }
    let passed = map.filemarks(before: object)
    let (last, overflow) = passed.addingReportingOverflow(count - 1)
    if !overflow, let mark = map.object(ofFilemark: last) {
      object = mark + 1
      return .good()
    }
    let spaced = map.filemarks(before: map.objectCount) - passed
    object = map.objectCount
    return Self.endOfData(residual: count - spaced)
  }

  private func spaceBack(filemarks count: UInt64) -> DeviceStatus {
    let passed = map.filemarks(before: object)
    guard count <= passed, let mark = map.object(ofFilemark: passed - count) else {
      object = 0
      return Self.beginning(residual: count - passed)
    }
    object = mark
    return .good()
  }

  private func space(records count: UInt64) -> DeviceStatus {
    let start = object
    let mark = map.object(ofFilemark: map.filemarks(before: start))
    let available = (mark ?? map.objectCount) - start
    if count <= available {
      object = start + count
      return .good()
    }
    guard let mark else {
      object = map.objectCount
      return Self.endOfData(residual: count - available)
    }
    object = mark + 1
    return Self.filemark(residual: count - available)
  }

  private func spaceBack(records count: UInt64) -> DeviceStatus {
    let first = map.objectBehindFilemark(before: object)
    let available = object - first
    if count <= available {
      object -= count
      return .good()
    }
    if first == 0 {
      object = 0
      return Self.beginning(residual: count - available)
    }
    object = first - 1
    return Self.filemark(residual: count - available)
  }

  private static func endOfData(residual: UInt64) -> DeviceStatus {
    .check(Condition(.blankCheck, .endOfDataDetected, information: Int64(clamping: residual)))
  }

  private static func beginning(residual: UInt64) -> DeviceStatus {
    var condition = Condition(
      .noSense, .beginningOfPartitionDetected, information: Int64(clamping: residual))
    condition.endOfMedium = true
    return .check(condition)
  }

  private static func filemark(residual: UInt64) -> DeviceStatus {
    var condition = Condition(
      .noSense, .filemarkDetected, information: Int64(clamping: residual))
    condition.filemark = true
    return .check(condition)
  }

  var streamPosition: StreamPosition {
    StreamPosition(
      object: object, filemark: map.filemarks(before: object), isBeginning: object == 0,
      isEndOfData: object == map.objectCount, isPastEarlyWarning: isPastEarlyWarning(at: object))
  }
}
