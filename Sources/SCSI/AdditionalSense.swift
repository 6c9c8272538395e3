/// What exactly happened: ADDITIONAL SENSE CODE and its QUALIFIER. SPC-4 annex E.
public struct AdditionalSense: Hashable, Sendable, CustomStringConvertible {
  /// ADDITIONAL SENSE CODE.
  public let code: UInt8
  /// ADDITIONAL SENSE CODE QUALIFIER.
  public let qualifier: UInt8

  /// The pair as sense data carries it; every pair is valid, known or not.
  public init(code: UInt8, qualifier: UInt8) {
    self.code = code
    self.qualifier = qualifier
  }

  /// The standard's text, or the numbers where this table has none.
  public var description: String {
    Self.texts[self] ?? "additional sense \(hexadecimal(code))/\(hexadecimal(qualifier))"
  }

  /// 00h/00h NO ADDITIONAL SENSE INFORMATION
  public static let noAdditionalSense = AdditionalSense(code: 0x00, qualifier: 0x00)
  /// 00h/01h FILEMARK DETECTED
  public static let filemarkDetected = AdditionalSense(code: 0x00, qualifier: 0x01)
  /// 00h/02h END-OF-PARTITION/MEDIUM DETECTED
  public static let endOfPartitionDetected = AdditionalSense(code: 0x00, qualifier: 0x02)
  /// 00h/03h SETMARK DETECTED
  public static let setmarkDetected = AdditionalSense(code: 0x00, qualifier: 0x03)
  /// 00h/04h BEGINNING-OF-PARTITION/MEDIUM DETECTED
  public static let beginningOfPartitionDetected = AdditionalSense(code: 0x00, qualifier: 0x04)
  /// 00h/05h END-OF-DATA DETECTED
  public static let endOfDataDetected = AdditionalSense(code: 0x00, qualifier: 0x05)
  /// 00h/06h I/O PROCESS TERMINATED
  public static let ioProcessTerminated = AdditionalSense(code: 0x00, qualifier: 0x06)
  /// 00h/07h PROGRAMMABLE EARLY WARNING DETECTED
  public static let programmableEarlyWarningDetected = AdditionalSense(code: 0x00, qualifier: 0x07)
  /// 00h/16h OPERATION IN PROGRESS
  public static let operationInProgress = AdditionalSense(code: 0x00, qualifier: 0x16)
  /// 03h/00h PERIPHERAL DEVICE WRITE FAULT
  public static let peripheralDeviceWriteFault = AdditionalSense(code: 0x03, qualifier: 0x00)
  /// 03h/02h EXCESSIVE WRITE ERRORS
  public static let excessiveWriteErrors = AdditionalSense(code: 0x03, qualifier: 0x02)
  /// 04h/00h LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE
  public static let logicalUnitNotReady = AdditionalSense(code: 0x04, qualifier: 0x00)
  /// 04h/01h LOGICAL UNIT IS IN PROCESS OF BECOMING READY
  public static let logicalUnitBecomingReady = AdditionalSense(code: 0x04, qualifier: 0x01)
  /// 04h/02h LOGICAL UNIT NOT READY, INITIALIZING COMMAND REQUIRED
  public static let logicalUnitNotReadyInitializingCommandRequired = AdditionalSense(
    code: 0x04, qualifier: 0x02)
  /// 04h/03h LOGICAL UNIT NOT READY, MANUAL INTERVENTION REQUIRED
  public static let logicalUnitNotReadyManualInterventionRequired = AdditionalSense(
    code: 0x04, qualifier: 0x03)
  /// 04h/1Bh LOGICAL UNIT NOT READY, SANITIZE IN PROGRESS
  public static let sanitizeInProgress = AdditionalSense(code: 0x04, qualifier: 0x1B)
  /// 08h/00h LOGICAL UNIT COMMUNICATION FAILURE
  public static let logicalUnitCommunicationFailure = AdditionalSense(code: 0x08, qualifier: 0x00)
  /// 08h/01h LOGICAL UNIT COMMUNICATION TIME-OUT
  public static let logicalUnitCommunicationTimeOut = AdditionalSense(code: 0x08, qualifier: 0x01)
  /// 08h/04h UNREACHABLE COPY TARGET
  public static let unreachableCopyTarget = AdditionalSense(code: 0x08, qualifier: 0x04)
  /// 0Ch/00h WRITE ERROR
  public static let writeError = AdditionalSense(code: 0x0C, qualifier: 0x00)
  /// 0Dh/00h ERROR DETECTED BY THIRD PARTY TEMPORARY INITIATOR
  public static let errorDetectedByThirdPartyTemporaryInitiator = AdditionalSense(
    code: 0x0D, qualifier: 0x00)
  /// 0Dh/01h THIRD PARTY DEVICE FAILURE
  public static let thirdPartyDeviceFailure = AdditionalSense(code: 0x0D, qualifier: 0x01)
  /// 0Dh/02h COPY TARGET DEVICE NOT REACHABLE
  public static let copyTargetDeviceNotReachable = AdditionalSense(code: 0x0D, qualifier: 0x02)
  /// 0Dh/03h INCORRECT COPY TARGET DEVICE TYPE
  public static let incorrectCopyTargetDeviceType = AdditionalSense(code: 0x0D, qualifier: 0x03)
  /// 0Dh/04h COPY TARGET DEVICE DATA UNDERRUN
  public static let copyTargetDeviceDataUnderrun = AdditionalSense(code: 0x0D, qualifier: 0x04)
  /// 0Dh/05h COPY TARGET DEVICE DATA OVERRUN
  public static let copyTargetDeviceDataOverrun = AdditionalSense(code: 0x0D, qualifier: 0x05)
  /// 11h/00h UNRECOVERED READ ERROR
  public static let unrecoveredReadError = AdditionalSense(code: 0x11, qualifier: 0x00)
  /// 14h/00h RECORDED ENTITY NOT FOUND
  public static let recordedEntityNotFound = AdditionalSense(code: 0x14, qualifier: 0x00)
  /// 14h/01h RECORD NOT FOUND
  public static let recordNotFound = AdditionalSense(code: 0x14, qualifier: 0x01)
  /// 14h/02h FILEMARK OR SETMARK NOT FOUND
  public static let filemarkOrSetmarkNotFound = AdditionalSense(code: 0x14, qualifier: 0x02)
  /// 14h/03h END-OF-DATA NOT FOUND
  public static let endOfDataNotFound = AdditionalSense(code: 0x14, qualifier: 0x03)
  /// 15h/02h POSITIONING ERROR DETECTED BY READ OF MEDIUM
  public static let positioningErrorDetectedByReadOfMedium = AdditionalSense(
    code: 0x15, qualifier: 0x02)
  /// 1Ah/00h PARAMETER LIST LENGTH ERROR
  public static let parameterListLengthError = AdditionalSense(code: 0x1A, qualifier: 0x00)
  /// 1Dh/00h MISCOMPARE DURING VERIFY OPERATION
  public static let miscompareDuringVerify = AdditionalSense(code: 0x1D, qualifier: 0x00)
  /// 20h/00h INVALID COMMAND OPERATION CODE
  public static let invalidCommandOperationCode = AdditionalSense(code: 0x20, qualifier: 0x00)
  /// 20h/0Ah ACCESS DENIED - INVALID PROXY TOKEN
  public static let accessDeniedInvalidProxyToken = AdditionalSense(code: 0x20, qualifier: 0x0A)
  /// 21h/00h LOGICAL BLOCK ADDRESS OUT OF RANGE
  public static let logicalBlockAddressOutOfRange = AdditionalSense(code: 0x21, qualifier: 0x00)
  /// 23h/00h INVALID TOKEN OPERATION, CAUSE NOT REPORTABLE
  public static let invalidTokenOperationCauseNotReportable = AdditionalSense(
    code: 0x23, qualifier: 0x00)
  /// 24h/00h INVALID FIELD IN CDB
  public static let invalidFieldInCDB = AdditionalSense(code: 0x24, qualifier: 0x00)
  /// 25h/00h LOGICAL UNIT NOT SUPPORTED
  public static let logicalUnitNotSupported = AdditionalSense(code: 0x25, qualifier: 0x00)
  /// 26h/00h INVALID FIELD IN PARAMETER LIST
  public static let invalidFieldInParameterList = AdditionalSense(code: 0x26, qualifier: 0x00)
  /// 26h/04h INVALID RELEASE OF PERSISTENT RESERVATION
  public static let invalidReleaseOfPersistentReservation = AdditionalSense(
    code: 0x26, qualifier: 0x04)
  /// 26h/06h TOO MANY TARGET DESCRIPTORS
  public static let tooManyTargetDescriptors = AdditionalSense(code: 0x26, qualifier: 0x06)
  /// 26h/07h UNSUPPORTED TARGET DESCRIPTOR TYPE CODE
  public static let unsupportedTargetDescriptorTypeCode = AdditionalSense(
    code: 0x26, qualifier: 0x07)
  /// 26h/08h TOO MANY SEGMENT DESCRIPTORS
  public static let tooManySegmentDescriptors = AdditionalSense(code: 0x26, qualifier: 0x08)
  /// 26h/09h UNSUPPORTED SEGMENT DESCRIPTOR TYPE CODE
  public static let unsupportedSegmentDescriptorTypeCode = AdditionalSense(
    code: 0x26, qualifier: 0x09)
  /// 26h/0Ah UNEXPECTED INEXACT SEGMENT
  public static let unexpectedInexactSegment = AdditionalSense(code: 0x26, qualifier: 0x0A)
  /// 26h/0Bh INLINE DATA LENGTH EXCEEDED
  public static let inlineDataLengthExceeded = AdditionalSense(code: 0x26, qualifier: 0x0B)
  /// 26h/0Ch INVALID OPERATION FOR COPY SOURCE OR DESTINATION
  public static let invalidOperationForCopySourceOrDestination = AdditionalSense(
    code: 0x26, qualifier: 0x0C)
  /// 26h/0Dh COPY SEGMENT GRANULARITY VIOLATION
  public static let copySegmentGranularityViolation = AdditionalSense(code: 0x26, qualifier: 0x0D)
  /// 26h/15h COPY SOURCE OR COPY DESTINATION NOT AUTHORIZED
  public static let copySourceOrDestinationNotAuthorized = AdditionalSense(
    code: 0x26, qualifier: 0x15)
  /// 27h/00h WRITE PROTECTED
  public static let writeProtected = AdditionalSense(code: 0x27, qualifier: 0x00)
  /// 28h/00h NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED
  public static let notReadyToReadyChange = AdditionalSense(code: 0x28, qualifier: 0x00)
  /// 29h/00h POWER ON, RESET, OR BUS DEVICE RESET OCCURRED
  public static let powerOnResetOccurred = AdditionalSense(code: 0x29, qualifier: 0x00)
  /// 29h/03h BUS DEVICE RESET FUNCTION OCCURRED
  public static let busDeviceResetFunctionOccurred = AdditionalSense(code: 0x29, qualifier: 0x03)
  /// 2Ah/01h MODE PARAMETERS CHANGED
  public static let modeParametersChanged = AdditionalSense(code: 0x2A, qualifier: 0x01)
  /// 2Ah/03h RESERVATIONS PREEMPTED
  public static let reservationsPreempted = AdditionalSense(code: 0x2A, qualifier: 0x03)
  /// 2Ah/04h RESERVATIONS RELEASED
  public static let reservationsReleased = AdditionalSense(code: 0x2A, qualifier: 0x04)
  /// 2Ah/05h REGISTRATIONS PREEMPTED
  public static let registrationsPreempted = AdditionalSense(code: 0x2A, qualifier: 0x05)
  /// 2Bh/00h COPY CANNOT EXECUTE SINCE HOST CANNOT DISCONNECT
  public static let copyCannotExecuteSinceHostCannotDisconnect = AdditionalSense(
    code: 0x2B, qualifier: 0x00)
  /// 2Ch/00h COMMAND SEQUENCE ERROR
  public static let commandSequenceError = AdditionalSense(code: 0x2C, qualifier: 0x00)
  /// 2Fh/00h COMMANDS CLEARED BY ANOTHER INITIATOR
  public static let commandsClearedByAnotherInitiator = AdditionalSense(code: 0x2F, qualifier: 0x00)
  /// 30h/00h INCOMPATIBLE MEDIUM INSTALLED
  public static let incompatibleMediumInstalled = AdditionalSense(code: 0x30, qualifier: 0x00)
  /// 30h/05h CANNOT WRITE MEDIUM - INCOMPATIBLE MEDIUM
  public static let cannotWriteMediumIncompatibleMedium = AdditionalSense(
    code: 0x30, qualifier: 0x05)
  /// 31h/00h MEDIUM FORMAT CORRUPTED
  public static let mediumFormatCorrupted = AdditionalSense(code: 0x31, qualifier: 0x00)
  /// 31h/03h SANITIZE COMMAND FAILED
  public static let sanitizeCommandFailed = AdditionalSense(code: 0x31, qualifier: 0x03)
  /// 39h/00h SAVING PARAMETERS NOT SUPPORTED
  public static let savingParametersNotSupported = AdditionalSense(code: 0x39, qualifier: 0x00)
  /// 3Ah/00h MEDIUM NOT PRESENT
  public static let mediumNotPresent = AdditionalSense(code: 0x3A, qualifier: 0x00)
  /// 3Bh/00h SEQUENTIAL POSITIONING ERROR
  public static let sequentialPositioningError = AdditionalSense(code: 0x3B, qualifier: 0x00)
  /// 3Bh/0Ch POSITION PAST BEGINNING OF MEDIUM
  public static let positionPastBeginningOfMedium = AdditionalSense(code: 0x3B, qualifier: 0x0C)
  /// 3Eh/00h LOGICAL UNIT HAS NOT SELF-CONFIGURED YET
  public static let logicalUnitHasNotSelfConfiguredYet = AdditionalSense(
    code: 0x3E, qualifier: 0x00)
  /// 3Fh/0Eh REPORTED LUNS DATA HAS CHANGED
  public static let reportedLUNsDataHasChanged = AdditionalSense(code: 0x3F, qualifier: 0x0E)
  /// 44h/00h INTERNAL TARGET FAILURE
  public static let internalTargetFailure = AdditionalSense(code: 0x44, qualifier: 0x00)
  /// 4Bh/00h DATA PHASE ERROR
  public static let dataPhaseError = AdditionalSense(code: 0x4B, qualifier: 0x00)
  /// 50h/00h WRITE APPEND ERROR
  public static let writeAppendError = AdditionalSense(code: 0x50, qualifier: 0x00)
  /// 50h/01h WRITE APPEND POSITION ERROR
  public static let writeAppendPositionError = AdditionalSense(code: 0x50, qualifier: 0x01)
  /// 51h/00h ERASE FAILURE
  public static let eraseFailure = AdditionalSense(code: 0x51, qualifier: 0x00)
  /// 53h/00h MEDIA LOAD OR EJECT FAILED
  public static let mediaLoadOrEjectFailed = AdditionalSense(code: 0x53, qualifier: 0x00)
  /// 53h/02h MEDIUM REMOVAL PREVENTED
  public static let mediumRemovalPrevented = AdditionalSense(code: 0x53, qualifier: 0x02)
  /// 55h/00h SYSTEM RESOURCE FAILURE
  public static let systemResourceFailure = AdditionalSense(code: 0x55, qualifier: 0x00)
  /// 55h/03h INSUFFICIENT RESOURCES
  public static let insufficientResources = AdditionalSense(code: 0x55, qualifier: 0x03)
  /// 55h/04h INSUFFICIENT REGISTRATION RESOURCES
  public static let insufficientRegistrationResources = AdditionalSense(
    code: 0x55, qualifier: 0x04)
  /// 55h/0Ch INSUFFICIENT RESOURCES TO CREATE ROD
  public static let insufficientResourcesToCreateROD = AdditionalSense(code: 0x55, qualifier: 0x0C)
  /// 55h/0Dh INSUFFICIENT RESOURCES TO CREATE ROD TOKEN
  public static let insufficientResourcesToCreateRODToken = AdditionalSense(
    code: 0x55, qualifier: 0x0D)

  private static let texts: [AdditionalSense: String] = [
    .noAdditionalSense: "NO ADDITIONAL SENSE INFORMATION",
    .filemarkDetected: "FILEMARK DETECTED",
    .endOfPartitionDetected: "END-OF-PARTITION/MEDIUM DETECTED",
    .setmarkDetected: "SETMARK DETECTED",
    .beginningOfPartitionDetected: "BEGINNING-OF-PARTITION/MEDIUM DETECTED",
    .endOfDataDetected: "END-OF-DATA DETECTED",
    .ioProcessTerminated: "I/O PROCESS TERMINATED",
    .programmableEarlyWarningDetected: "PROGRAMMABLE EARLY WARNING DETECTED",
    .operationInProgress: "OPERATION IN PROGRESS",
    .peripheralDeviceWriteFault: "PERIPHERAL DEVICE WRITE FAULT",
    .excessiveWriteErrors: "EXCESSIVE WRITE ERRORS",
    .logicalUnitNotReady: "LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE",
    .logicalUnitBecomingReady: "LOGICAL UNIT IS IN PROCESS OF BECOMING READY",
    .logicalUnitNotReadyInitializingCommandRequired:
      "LOGICAL UNIT NOT READY, INITIALIZING COMMAND REQUIRED",
    .logicalUnitNotReadyManualInterventionRequired:
      "LOGICAL UNIT NOT READY, MANUAL INTERVENTION REQUIRED",
    .sanitizeInProgress: "LOGICAL UNIT NOT READY, SANITIZE IN PROGRESS",
    .logicalUnitCommunicationFailure: "LOGICAL UNIT COMMUNICATION FAILURE",
    .logicalUnitCommunicationTimeOut: "LOGICAL UNIT COMMUNICATION TIME-OUT",
    .unreachableCopyTarget: "UNREACHABLE COPY TARGET",
    .writeError: "WRITE ERROR",
    .errorDetectedByThirdPartyTemporaryInitiator:
      "ERROR DETECTED BY THIRD PARTY TEMPORARY INITIATOR",
    .thirdPartyDeviceFailure: "THIRD PARTY DEVICE FAILURE",
    .copyTargetDeviceNotReachable: "COPY TARGET DEVICE NOT REACHABLE",
    .incorrectCopyTargetDeviceType: "INCORRECT COPY TARGET DEVICE TYPE",
    .copyTargetDeviceDataUnderrun: "COPY TARGET DEVICE DATA UNDERRUN",
    .copyTargetDeviceDataOverrun: "COPY TARGET DEVICE DATA OVERRUN",
    .unrecoveredReadError: "UNRECOVERED READ ERROR",
    .recordedEntityNotFound: "RECORDED ENTITY NOT FOUND",
    .recordNotFound: "RECORD NOT FOUND",
    .filemarkOrSetmarkNotFound: "FILEMARK OR SETMARK NOT FOUND",
    .endOfDataNotFound: "END-OF-DATA NOT FOUND",
    .positioningErrorDetectedByReadOfMedium: "POSITIONING ERROR DETECTED BY READ OF MEDIUM",
    .parameterListLengthError: "PARAMETER LIST LENGTH ERROR",
    .miscompareDuringVerify: "MISCOMPARE DURING VERIFY OPERATION",
    .invalidCommandOperationCode: "INVALID COMMAND OPERATION CODE",
    .accessDeniedInvalidProxyToken: "ACCESS DENIED - INVALID PROXY TOKEN",
    .logicalBlockAddressOutOfRange: "LOGICAL BLOCK ADDRESS OUT OF RANGE",
    .invalidTokenOperationCauseNotReportable: "INVALID TOKEN OPERATION, CAUSE NOT REPORTABLE",
    .invalidFieldInCDB: "INVALID FIELD IN CDB",
    .logicalUnitNotSupported: "LOGICAL UNIT NOT SUPPORTED",
    .invalidFieldInParameterList: "INVALID FIELD IN PARAMETER LIST",
    .invalidReleaseOfPersistentReservation: "INVALID RELEASE OF PERSISTENT RESERVATION",
    .tooManyTargetDescriptors: "TOO MANY TARGET DESCRIPTORS",
    .unsupportedTargetDescriptorTypeCode: "UNSUPPORTED TARGET DESCRIPTOR TYPE CODE",
    .tooManySegmentDescriptors: "TOO MANY SEGMENT DESCRIPTORS",
    .unsupportedSegmentDescriptorTypeCode: "UNSUPPORTED SEGMENT DESCRIPTOR TYPE CODE",
    .unexpectedInexactSegment: "UNEXPECTED INEXACT SEGMENT",
    .inlineDataLengthExceeded: "INLINE DATA LENGTH EXCEEDED",
    .invalidOperationForCopySourceOrDestination: "INVALID OPERATION FOR COPY SOURCE OR DESTINATION",
    .copySegmentGranularityViolation: "COPY SEGMENT GRANULARITY VIOLATION",
    .copySourceOrDestinationNotAuthorized: "COPY SOURCE OR COPY DESTINATION NOT AUTHORIZED",
    .writeProtected: "WRITE PROTECTED",
    .notReadyToReadyChange: "NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED",
    .powerOnResetOccurred: "POWER ON, RESET, OR BUS DEVICE RESET OCCURRED",
    .busDeviceResetFunctionOccurred: "BUS DEVICE RESET FUNCTION OCCURRED",
    .modeParametersChanged: "MODE PARAMETERS CHANGED",
    .reservationsPreempted: "RESERVATIONS PREEMPTED",
    .reservationsReleased: "RESERVATIONS RELEASED",
    .registrationsPreempted: "REGISTRATIONS PREEMPTED",
    .copyCannotExecuteSinceHostCannotDisconnect: "COPY CANNOT EXECUTE SINCE HOST CANNOT DISCONNECT",
    .commandSequenceError: "COMMAND SEQUENCE ERROR",
    .commandsClearedByAnotherInitiator: "COMMANDS CLEARED BY ANOTHER INITIATOR",
    .incompatibleMediumInstalled: "INCOMPATIBLE MEDIUM INSTALLED",
    .cannotWriteMediumIncompatibleMedium: "CANNOT WRITE MEDIUM - INCOMPATIBLE MEDIUM",
    .mediumFormatCorrupted: "MEDIUM FORMAT CORRUPTED",
    .sanitizeCommandFailed: "SANITIZE COMMAND FAILED",
    .savingParametersNotSupported: "SAVING PARAMETERS NOT SUPPORTED",
    .mediumNotPresent: "MEDIUM NOT PRESENT",
    .sequentialPositioningError: "SEQUENTIAL POSITIONING ERROR",
    .positionPastBeginningOfMedium: "POSITION PAST BEGINNING OF MEDIUM",
    .logicalUnitHasNotSelfConfiguredYet: "LOGICAL UNIT HAS NOT SELF-CONFIGURED YET",
    .reportedLUNsDataHasChanged: "REPORTED LUNS DATA HAS CHANGED",
    .internalTargetFailure: "INTERNAL TARGET FAILURE",
    .dataPhaseError: "DATA PHASE ERROR",
    .writeAppendError: "WRITE APPEND ERROR",
    .writeAppendPositionError: "WRITE APPEND POSITION ERROR",
    .eraseFailure: "ERASE FAILURE",
    .mediaLoadOrEjectFailed: "MEDIA LOAD OR EJECT FAILED",
    .mediumRemovalPrevented: "MEDIUM REMOVAL PREVENTED",
    .systemResourceFailure: "SYSTEM RESOURCE FAILURE",
    .insufficientResources: "INSUFFICIENT RESOURCES",
    .insufficientRegistrationResources: "INSUFFICIENT REGISTRATION RESOURCES",
    .insufficientResourcesToCreateROD: "INSUFFICIENT RESOURCES TO CREATE ROD",
    .insufficientResourcesToCreateRODToken: "INSUFFICIENT RESOURCES TO CREATE ROD TOKEN",
  ]
}
