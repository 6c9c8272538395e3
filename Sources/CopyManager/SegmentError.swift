import Devices
import SCSI
import Transfer

/// Why a segment cannot go on: what becomes COPY ABORTED.
struct SegmentError: Error {
  var additional: AdditionalSense
  var pointer: SenseData.FieldPointer?
  var information: UInt64?
  var source: Condition?
  var destination: Condition?
  /// The copy was ended by its initiator, not by an error.
  var isCancelled = false

  init(_ additional: AdditionalSense, pointer: SenseData.FieldPointer? = nil) {
    self.additional = additional
    self.pointer = pointer
  }

  /// A device failed, or transferred too little and said GOOD.
  init(_ origin: StageFailure.Origin, _ condition: Condition) {
    additional = condition.status == .good ? condition.additional : .thirdPartyDeviceFailure
    switch origin {
    case .source: source = condition
    case .destination: destination = condition
    }
  }

  /// A device has lost what it had accepted before. That outweighs why the command ended.
  mutating func add(lost condition: Condition) {
    guard condition.isDeferred || destination == nil else { return }
    destination = condition
    information = nil
    if isCancelled {
      isCancelled = false
      additional = .thirdPartyDeviceFailure
    }
  }

  /// Points at a field of the segment descriptor.
  static func inSegment(_ additional: AdditionalSense, _ offset: Int) -> SegmentError {
    SegmentError(
      additional,
      pointer: UInt16(exactly: offset).map { SenseData.FieldPointer(offset: $0, inSegment: true) })
  }

  /// Points at a field of the list, such as a target descriptor.
  static func inList(_ additional: AdditionalSense, _ offset: Int) -> SegmentError {
    SegmentError(
      additional, pointer: UInt16(exactly: offset).map { SenseData.FieldPointer(offset: $0) })
  }

  /// The sense data of the command (SPC-4 5.16.7.3).
  func sense(segment: Int) -> SenseData {
    var forwarded: [SenseData.ForwardedSense] = []
    if let source {
      forwarded.append(
        .init(origin: .source, status: source.status, sense: source.senseBytes))
    }
    if let destination {
      forwarded.append(
        .init(origin: .destination, status: destination.status, sense: destination.senseBytes))
    }
    return SenseData(
      key: .copyAborted, additional: additional, information: information, fieldPointer: pointer,
      copySegment: UInt16(clamping: segment), forwarded: forwarded)
  }
}

extension Condition {
  /// What the device's sense data says, in fixed format; empty where its status carries none.
  var senseBytes: [UInt8] {
    guard status == .checkCondition else { return [] }
    return SenseData(
      key: key, additional: additional,
      information: information.map { UInt64(bitPattern: $0) }, filemark: filemark,
      endOfMedium: endOfMedium, incorrectLength: incorrectLength, deferred: isDeferred
    ).fixedBytes()
  }
}
