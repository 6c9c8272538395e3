import Devices
import ExtendedCopy
import SCSI

/// One end of a segment that moves data, with its device found.
enum SegmentEnd {
  /// Nothing: the data is discarded.
  case none
  /// Data in the list.
  case bytes(ArraySlice<UInt8>)
  /// A disk, from byte `start` on. `lbaField` is where the descriptor says the LBA.
  case disk(BlockDevice, start: UInt64?, lbaField: Int, isByteRange: Bool, pad: Bool)
  /// A tape; one READ or WRITE is of `records` records of `recordLength`.
  case tape(StreamDevice, records: Int, recordLength: Int, isFixed: Bool, pad: Bool)

  var pad: Bool {
    switch self {
    case .none, .bytes: false
    case .disk(_, _, _, _, let pad), .tape(_, _, _, _, let pad): pad
    }
  }

  /// Bytes that are read, written and padded together.
  var unit: Int {
    switch self {
    case .none, .bytes: 1
    case .disk(let device, _, _, _, _): device.blockLength
    case .tape(_, let records, let recordLength, _, _): records * recordLength
    }
  }

  var isNone: Bool { if case .none = self { true } else { false } }
}

/// Finds what the indexes of a segment name, and checks that it is of the kind that the segment and
/// the target descriptor say. Errors point at the index or into the target descriptor.
struct EndFinder {
  let list: ParameterList
  let devices: [CopyDevice?]
  private let targetIndices: [Int?]
  /// Most bytes of one READ or WRITE.
  let largestUnit: Int

  init(list: ParameterList, devices: [CopyDevice?], largestUnit: Int) {
    self.list = list
    self.devices = devices
    self.largestUnit = largestUnit
    targetIndices = list.targetIndices
  }

  static let sourceIndexField = 4
  static let destinationIndexField = 6

  func target(_ index: UInt16?, field: Int) throws(SegmentError) -> (TargetDescriptor, CopyDevice) {
    guard let index, Int(index) < targetIndices.count, let number = targetIndices[Int(index)] else {
      throw .inSegment(.unreachableCopyTarget, field)
    }
    let target = list.targets[number]
    guard !target.isNull, number < devices.count, let device = devices[number] else {
      throw .inList(.unreachableCopyTarget, target.offset)
    }
    let type: UInt8
    switch device {
    case .block: type = 0x00
    case .stream: type = 0x01
    }
    guard target.peripheralDeviceType == type else {
      throw .inList(.incorrectCopyTargetDeviceType, target.offset + 1)
    }
    return (target, device)
  }

  func tape(_ index: UInt16?, field: Int) throws(SegmentError) -> (TargetDescriptor, StreamDevice) {
    let (target, device) = try target(index, field: field)
    guard case .stream(let tape) = device else {
      throw .inSegment(.invalidOperationForCopySourceOrDestination, field)
    }
    return (target, tape)
  }

  func tapeEnd(
    _ index: UInt16?, field: Int, transferLength: UInt32, lengthField: Int = 9
  ) throws(SegmentError) -> SegmentEnd {
    let (target, tape) = try tape(index, field: field)
    guard case .stream(let pad, let isFixed, let blockLength) = target.device else {
      throw .inList(.incorrectCopyTargetDeviceType, target.offset + 1)
    }
    let records = isFixed ? Int(transferLength) : 1
    let recordLength = Int(isFixed ? blockLength : transferLength)
    let (unit, overflow) = records.multipliedReportingOverflow(by: recordLength)
    guard !overflow, unit <= largestUnit, recordLength <= tape.recordLengthMaximum else {
      throw .inSegment(.invalidFieldInParameterList, lengthField)
    }
    return .tape(
      tape, records: records, recordLength: recordLength, isFixed: isFixed, pad: pad)
  }

  func diskEnd(
    _ index: UInt16?, field: Int, lba: UInt64, byteOffset: UInt16? = nil, lbaField: Int
  ) throws(SegmentError) -> SegmentEnd {
    let (target, device) = try target(index, field: field)
    guard case .block(let disk) = device else {
      throw .inSegment(.invalidOperationForCopySourceOrDestination, field)
    }
    guard case .block(let pad, let blockLength) = target.device else {
      throw .inList(.incorrectCopyTargetDeviceType, target.offset + 1)
    }
    guard blockLength == 0 || Int(blockLength) == disk.blockLength else {
      throw .inList(.invalidFieldInParameterList, target.offset + 29)
    }
    var start: UInt64?
    if lba <= disk.blockCount { start = lba * UInt64(disk.blockLength) + UInt64(byteOffset ?? 0) }
    return .disk(
      disk, start: start, lbaField: lbaField, isByteRange: byteOffset != nil, pad: pad)
  }

  /// Refuses what lies outside the disk, before any byte of the segment moves.
  func checkRange(_ end: SegmentEnd, byteCount: UInt64) throws(SegmentError) {
    guard byteCount > 0, case .disk(let device, let start, let lbaField, _, _) = end else { return }
    if let start {
      let (last, overflow) = start.addingReportingOverflow(byteCount)
      let capacity = device.blockCount.multipliedReportingOverflow(by: UInt64(device.blockLength))
      if !overflow, capacity.overflow || last <= capacity.partialValue { return }
    }
    throw .inSegment(.copyTargetDeviceNotReachable, lbaField)
  }
}
