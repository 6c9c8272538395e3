/// The keys of RFC 7143 12 and 13 and of RFC 7144.
public enum ParameterKey: String, CaseIterable, Sendable {
  /// AuthMethod.
  case authMethod = "AuthMethod"
  /// CHAP_A.
  case chapAlgorithm = "CHAP_A"
  /// CHAP_I.
  case chapIdentifier = "CHAP_I"
  /// CHAP_C.
  case chapChallenge = "CHAP_C"
  /// CHAP_N.
  case chapName = "CHAP_N"
  /// CHAP_R.
  case chapResponse = "CHAP_R"
  /// InitiatorName.
  case initiatorName = "InitiatorName"
  /// InitiatorAlias.
  case initiatorAlias = "InitiatorAlias"
  /// TargetName.
  case targetName = "TargetName"
  /// TargetAlias.
  case targetAlias = "TargetAlias"
  /// TargetAddress.
  case targetAddress = "TargetAddress"
  /// TargetPortalGroupTag.
  case targetPortalGroupTag = "TargetPortalGroupTag"
  /// SessionType.
  case sessionType = "SessionType"
  /// SendTargets.
  case sendTargets = "SendTargets"
  /// MaxRecvDataSegmentLength.
  case maxRecvDataSegmentLength = "MaxRecvDataSegmentLength"
  /// HeaderDigest.
  case headerDigest = "HeaderDigest"
  /// DataDigest.
  case dataDigest = "DataDigest"
  /// MaxConnections.
  case maxConnections = "MaxConnections"
  /// InitialR2T.
  case initialR2T = "InitialR2T"
  /// ImmediateData.
  case immediateData = "ImmediateData"
  /// MaxBurstLength.
  case maxBurstLength = "MaxBurstLength"
  /// FirstBurstLength.
  case firstBurstLength = "FirstBurstLength"
  /// DefaultTime2Wait.
  case defaultTime2Wait = "DefaultTime2Wait"
  /// DefaultTime2Retain.
  case defaultTime2Retain = "DefaultTime2Retain"
  /// MaxOutstandingR2T.
  case maxOutstandingR2T = "MaxOutstandingR2T"
  /// DataPDUInOrder.
  case dataPDUInOrder = "DataPDUInOrder"
  /// DataSequenceInOrder.
  case dataSequenceInOrder = "DataSequenceInOrder"
  /// ErrorRecoveryLevel.
  case errorRecoveryLevel = "ErrorRecoveryLevel"
  /// TaskReporting.
  case taskReporting = "TaskReporting"
  /// iSCSIProtocolLevel.
  case protocolLevel = "iSCSIProtocolLevel"
  /// IFMarker.
  case initiatorMarker = "IFMarker"
  /// OFMarker.
  case targetMarker = "OFMarker"
  /// IFMarkInt.
  case initiatorMarkerInterval = "IFMarkInt"
  /// OFMarkInt.
  case targetMarkerInterval = "OFMarkInt"

  /// How a value comes about. RFC 7143 6.2.
  enum Rule: Equatable {
    /// Each end says its own; there is no answer.
    case declared
    /// The first of the offered list that the other end supports.
    case list
    /// Yes where both say so.
    case and
    /// Yes where one says so.
    case or
    /// The smaller number.
    case minimum(ClosedRange<UInt32>)
    /// The bigger number.
    case maximum(ClosedRange<UInt32>)
    /// Part of the authentication.
    case security
    /// The answer is this word.
    case obsolete(String)
  }

  var rule: Rule {
    switch self {
    case .authMethod, .chapAlgorithm, .chapIdentifier, .chapChallenge, .chapName, .chapResponse:
      .security
    case .initiatorName, .initiatorAlias, .targetName, .targetAlias, .targetAddress,
      .targetPortalGroupTag, .sessionType, .sendTargets, .maxRecvDataSegmentLength:
      .declared
    case .headerDigest, .dataDigest, .taskReporting: .list
    case .immediateData: .and
    case .initialR2T, .dataPDUInOrder, .dataSequenceInOrder: .or
    case .maxConnections, .maxOutstandingR2T: .minimum(1...65535)
    case .maxBurstLength, .firstBurstLength: .minimum(512...16_777_215)
    case .defaultTime2Wait: .maximum(0...3600)
    case .defaultTime2Retain: .minimum(0...3600)
    case .errorRecoveryLevel: .minimum(0...2)
    case .protocolLevel: .minimum(0...31)
    case .initiatorMarker, .targetMarker: .obsolete("No")
    case .initiatorMarkerInterval, .targetMarkerInterval: .obsolete(TextValue.reject)
    }
  }

  /// Whether it may come before the operational stage. RFC 7143 6.3.2, 12.
  var isOfSecurityStage: Bool {
    rule == .security || (rule == .declared && self != .maxRecvDataSegmentLength)
  }

  /// Whether it has no meaning in a discovery session. RFC 7143 13.
  var isOfNormalSessionsOnly: Bool {
    switch self {
    case .maxConnections, .initialR2T, .immediateData, .maxBurstLength, .firstBurstLength,
      .maxOutstandingR2T, .dataPDUInOrder, .dataSequenceInOrder, .taskReporting, .protocolLevel:
      true
    default: false
    }
  }
}

extension SessionParameters {
  subscript(number key: ParameterKey) -> UInt32 {
    get {
      switch key {
      case .maxConnections: maxConnections
      case .maxBurstLength: maxBurstLength
      case .firstBurstLength: firstBurstLength
      case .defaultTime2Wait: defaultTime2WaitSeconds
      case .defaultTime2Retain: defaultTime2RetainSeconds
      case .maxOutstandingR2T: maxOutstandingR2T
      case .errorRecoveryLevel: errorRecoveryLevel
      case .protocolLevel: protocolLevel
      default: preconditionFailure("\(key.rawValue) is no number")
      }
    }
    set {
      switch key {
      case .maxConnections: maxConnections = newValue
      case .maxBurstLength: maxBurstLength = newValue
      case .firstBurstLength: firstBurstLength = newValue
      case .defaultTime2Wait: defaultTime2WaitSeconds = newValue
      case .defaultTime2Retain: defaultTime2RetainSeconds = newValue
      case .maxOutstandingR2T: maxOutstandingR2T = newValue
      case .errorRecoveryLevel: errorRecoveryLevel = newValue
      case .protocolLevel: protocolLevel = newValue
      default: preconditionFailure("\(key.rawValue) is no number")
      }
    }
  }

  subscript(boolean key: ParameterKey) -> Bool {
    get {
      switch key {
      case .initialR2T: initialR2T
      case .immediateData: immediateData
      case .dataPDUInOrder: dataPDUInOrder
      case .dataSequenceInOrder: dataSequenceInOrder
      default: preconditionFailure("\(key.rawValue) is not Yes or No")
      }
    }
    set {
      switch key {
      case .initialR2T: initialR2T = newValue
      case .immediateData: immediateData = newValue
      case .dataPDUInOrder: dataPDUInOrder = newValue
      case .dataSequenceInOrder: dataSequenceInOrder = newValue
      default: preconditionFailure("\(key.rawValue) is not Yes or No")
      }
    }
  }
}
