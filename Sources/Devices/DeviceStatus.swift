public import SCSI
public import Uring

/// How an operation of a device ended.
///
/// Plain data, so that the data path can carry it; `SenseData` is made from it where a person or a
/// server is told.
public struct DeviceStatus: Equatable, Sendable {
  /// Bytes transferred; whole records or blocks unless the condition says otherwise.
  public var byteCount: Int
  /// What the device had to say; nil where the operation simply succeeded.
  public var condition: Condition?

  /// Success.
  public static func good(_ byteCount: Int = 0) -> DeviceStatus {
    DeviceStatus(byteCount: byteCount, condition: nil)
  }

  /// With a condition.
  public static func check(_ condition: Condition, byteCount: Int = 0) -> DeviceStatus {
    DeviceStatus(byteCount: byteCount, condition: condition)
  }

  /// Whether what was asked for was done: early warning of a tape is no failure.
  public var isSuccess: Bool { condition?.isEarlyWarning ?? true }
}

/// A CHECK CONDITION of a device, or what stands for one where the device is a file.
public struct Condition: Equatable, Sendable {
  /// SAM status; CHECK CONDITION unless the device was busy or reserved.
  public var status: Status = .checkCondition
  /// Sense key.
  public var key: SenseKey
  /// Additional sense code and qualifier.
  public var additional: AdditionalSense
  /// The INFORMATION field; of a tape the residual (asked minus done), of a disk the LBA.
  public var information: Int64?
  /// A filemark was met (SSC-4 5.1).
  public var filemark = false
  /// At or past early warning, or at the beginning of the tape.
  public var endOfMedium = false
  /// The record was not as long as asked.
  public var incorrectLength = false
  /// Belongs to data accepted earlier, not to this operation.
  public var isDeferred = false
  /// The operation was not executed, because one before it ended with a condition.
  public var isAborted = false
  /// What the operating system said; 0 where it was not the cause.
  public var errno: Int32 = 0

  /// With the three that always matter.
  public init(_ key: SenseKey, _ additional: AdditionalSense, information: Int64? = nil) {
    self.key = key
    self.additional = additional
    self.information = information
  }

  /// GOOD status, but fewer bytes than were asked for: what a client makes of it (SPC-2 7.2.3).
  public static var dataUnderrun: Condition {
    var condition = Condition(.hardwareError, .copyTargetDeviceDataUnderrun)
    condition.status = .good
    return condition
  }

  /// A write that succeeded within the early-warning room (SSC-4 4.2.4). At the beginning of the
  /// tape EOM is set too, but nothing succeeded.
  public var isEarlyWarning: Bool {
    key == .noSense && endOfMedium && !filemark && additional != .beginningOfPartitionDetected
  }
}

/// How an operation ended, with the payload it was given.
public struct DeviceCompletion: ~Copyable {
  /// What the client said, to know the operation by.
  public let tag: UInt64
  /// How it ended.
  public let status: DeviceStatus
  /// The payload the operation consumed; after a read still of the length that was asked for, of
  /// which `status.byteCount` bytes are filled.
  public var payload: Payload

  /// As a device makes it.
  public init(tag: UInt64, status: DeviceStatus, payload: consuming Payload) {
    self.tag = tag
    self.status = status
    self.payload = payload
  }

  /// Only the payload.
  public consuming func takePayload() -> Payload { payload }
}

/// Receives the completions of the operations it submitted to a device, on the device's thread.
///
/// A device does not keep its client alive: it lives until its last operation has completed. A
/// device never completes an operation inside the call that submits it.
open class DeviceClient {
  /// For subclasses.
  public init() {}

  /// Called once for each operation; may submit further ones.
  open func complete(_ completion: consuming DeviceCompletion) {
    preconditionFailure("a client handles its completions")
  }
}
