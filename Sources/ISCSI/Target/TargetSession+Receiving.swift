import ISCSIProtocol
import Uring

extension TargetSession {
  /// What to do with a PDU that stands in the order of commands. RFC 7143 4.2.2.1.
  enum Order {
    /// It is its turn.
    case now
    /// Others come before it.
    case later
    /// Outside the window, or a duplicate: it is ignored.
    case never
  }

  /// Where the data segment of a PDU goes.
  func placement(of header: BasicHeaderSegment) -> Placement {
    // What was answered meanwhile is sent.
    defer { pump() }
    switch header.kind {
    case .scsiCommand where !isDiscovery: return placeCommand(header)
    case .dataOut where !isDiscovery: return placeDataOut(header)
    case .nopOut, .textRequest: return placeText(header)
    default:
      // Nothing else has data; what cannot be rejected for them is rejected for itself.
      reject(header, header.kind?.isOfInitiator == true ? .protocolError : .commandNotSupported)
      return .discard
    }
  }

  /// Takes a whole PDU.
  func take(_ header: BasicHeaderSegment, _ data: consuming Payload, _ dataDigestFails: Bool) {
    if let task = placing {
      placing = nil
      return dataArrived(header, for: task, data, fails: dataDigestFails)
    }
    guard !isEnding, !isFinishing else { return giveBackText(dropping: data) }
    switch header.kind {
    case .scsiCommand where !isDiscovery: takeCommand(header)
    case .dataOut where !isDiscovery: takeDataOut(header)
    case .nopOut: takeNop(header, data, dataDigestFails)
    case .textRequest: takeText(header, data, dataDigestFails)
    case .taskManagementRequest where !isDiscovery: takeTaskManagement(header)
    case .logoutRequest: takeLogout(header)
    case .snack: reject(header, .snackReject)
    case .loginRequest, .scsiCommand, .dataOut, .taskManagementRequest:
      reject(header, .protocolError)
    default: reject(header, .commandNotSupported)
    }
    pump()
  }

  /// Looks where a PDU stands in the order; one whose turn it is advances ExpCmdSN.
  func order(_ cmdSN: SerialNumber, isImmediate: Bool) -> Order {
    if isImmediate { return .now }
    let distance = expCmdSN.distance(to: cmdSN)
    guard distance >= 0, cmdSN <= maxCmdSN else { return .never }
    guard distance > 0 else {
      expCmdSN = expCmdSN.advanced(by: 1)
      return .now
    }
    return held[cmdSN.rawValue] == nil ? .later : .never
  }

  /// Does what waited for the commands before it.
  func continueOrder() {
    while !held.isEmpty, let next = held.removeValue(forKey: expCmdSN.rawValue) {
      expCmdSN = expCmdSN.advanced(by: 1)
      next()
    }
    beginHeldFunctions()
  }

  /// The same for PDUs other than SCSI commands: `body` now, later or never.
  func inOrder(_ cmdSN: SerialNumber, isImmediate: Bool, _ body: @escaping () -> Void) {
    switch order(cmdSN, isImmediate: isImmediate) {
    case .now:
      body()
      continueOrder()
    case .later: held[cmdSN.rawValue] = body
    case .never: break
    }
  }

  /// Tells the initiator that a PDU was refused. One that stood next in the order has had its turn.
  func reject(_ header: BasicHeaderSegment, _ reason: RejectReason) {
    server.counters.rejects += 1
    if !header.isImmediate, reason != .dataDigestError, let kind = header.kind {
      switch kind {
      case .scsiCommand, .nopOut, .textRequest, .taskManagementRequest, .logoutRequest:
        inOrder(SerialNumber(header.uint32(at: 24)), isImmediate: false) {}
      default: break
      }
    }
    send(
      Reject(reason: reason, statSN: statSN, expCmdSN: expCmdSN, maxCmdSN: maxCmdSN).header,
      bytes: Reject.dataSegment(of: header))
  }
}
