public import SAM
public import SCSI

/// What one PERSISTENT RESERVE OUT asks for. SPC-4 6.16.
public struct ReservationRequest: Equatable, Sendable {
  /// SERVICE ACTION. SPC-4 6.16.2.
  public enum Action: UInt8, CaseIterable, Sendable {
    case register = 0
    case reserve = 1
    case release = 2
    case clear = 3
    case preempt = 4
    case preemptAndAbort = 5
    case registerAndIgnoreExistingKey = 6
    case registerAndMove = 7
  }

  /// SERVICE ACTION.
  public var action: Action
  /// SCOPE: only 0, the logical unit, exists.
  public var scope: UInt8
  /// TYPE as it came; looked at by the service actions that make or end a reservation.
  public var type: UInt8
  /// RESERVATION KEY.
  public var key: UInt64
  /// SERVICE ACTION RESERVATION KEY.
  public var serviceActionKey: UInt64
  /// SPEC_I_PT: `transportIDs` are registered too.
  public var specifiesInitiatorPorts = false
  /// ALL_TG_PT.
  public var isForAllTargetPorts = false
  /// APTPL.
  public var isKept = false
  /// UNREG of REGISTER AND MOVE.
  public var unregisters = false
  /// RELATIVE TARGET PORT IDENTIFIER of REGISTER AND MOVE.
  public var targetPortIdentifier: UInt16 = 0
  /// Of SPEC_I_PT, or the one of REGISTER AND MOVE.
  public var transportIDs: [TransportID] = []

  /// Length of every parameter list without TransportIDs.
  static let basicLength = 24
  /// Longest parameter list: the TransportIDs of a full table.
  static let lengthMaximum =
    basicLength + 4 + PersistentReservations.registrantCapacity * TransportID.lengthMaximum

  /// A request without options.
  public init(
    _ action: Action, type: UInt8 = 0, scope: UInt8 = 0, key: UInt64 = 0,
    serviceActionKey: UInt64 = 0
  ) {
    self.action = action
    self.type = type
    self.scope = scope
    self.key = key
    self.serviceActionKey = serviceActionKey
  }

  /// Reads a CDB, whose service action the command table has checked, with its parameter list.
  ///
  /// Throws the sense data that refuses them: PARAMETER LIST LENGTH ERROR, INVALID FIELD IN PARAMETER
  /// LIST.
  public init(_ cdb: CommandDescriptorBlock, parameters: [UInt8]) throws(SenseData) {
    guard let action = Action(rawValue: cdb[1] & 0x1F) else {
      throw .illegalRequest(.invalidFieldInCDB, field: 1)
    }
    let lengthError = SenseData.illegalParameter(.parameterListLengthError, field: nil)
    guard parameters.count >= Self.basicLength, parameters.count == Int(cdb.uint32(at: 5)) else {
      throw lengthError
    }
    do throws(ByteReaderError) {
      let reader = ByteReader(parameters.span)
      self.init(
        action, type: cdb[2] & 0x0F, scope: cdb[2] >> 4, key: try reader.uint64(at: 0),
        serviceActionKey: try reader.uint64(at: 8))
      if action == .registerAndMove {
        try readMove(reader)
      } else {
        try readOptions(reader)
      }
    } catch {
      throw lengthError
    }
    let hasList = action == .registerAndMove || specifiesInitiatorPorts
    guard hasList else {
      if parameters.count != Self.basicLength { throw lengthError }
      return
    }
    let start = action == .registerAndMove ? Self.basicLength : Self.basicLength + 4
    transportIDs = try Self.transportIDs(parameters, from: start)
    if action == .registerAndMove, transportIDs.count != 1 {
      throw .illegalParameter(.invalidFieldInParameterList, field: 20)
    }
  }

  private mutating func readOptions(_ reader: borrowing ByteReader) throws(ByteReaderError) {
    let flags = try reader.uint8(at: 20)
    let registers = action == .register || action == .registerAndIgnoreExistingKey
    guard registers else { return }
    specifiesInitiatorPorts = flags & 0x08 != 0
    isForAllTargetPorts = flags & 0x04 != 0
    isKept = flags & 0x01 != 0
    guard specifiesInitiatorPorts else { return }
    try Self.expectRest(reader, lengthAt: 24)
  }

  private mutating func readMove(_ reader: borrowing ByteReader) throws(ByteReaderError) {
    let flags = try reader.uint8(at: 17)
    unregisters = flags & 0x02 != 0
    isKept = flags & 0x01 != 0
    targetPortIdentifier = try reader.uint16(at: 18)
    try Self.expectRest(reader, lengthAt: 20)
  }

  /// TRANSPORTID LENGTH has to be what is there.
  private static func expectRest(
    _ reader: borrowing ByteReader, lengthAt offset: Int
  ) throws(ByteReaderError) {
    let length = Int(try reader.uint32(at: offset))
    guard length == reader.count - offset - 4 else {
      throw ByteReaderError(offset: offset + 4, length: length, count: reader.count)
    }
  }

  private static func transportIDs(
    _ parameters: [UInt8], from start: Int
  ) throws(SenseData) -> [TransportID] {
    var found: [TransportID] = []
    var offset = start
    while offset < parameters.count {
      guard found.count < PersistentReservations.registrantCapacity,
        let (transportID, length) = TransportID.decode(parameters, at: offset)
      else {
        throw .illegalParameter(
          .invalidFieldInParameterList, field: UInt16(truncatingIfNeeded: offset))
      }
      found.append(transportID)
      offset += length
    }
    return found
  }

  /// SCOPE and TYPE of a reservation to be made.
  func validType() throws(PersistentReservations.Refusal) -> ReservationType {
    guard scope == 0, let known = ReservationType(rawValue: type) else {
      throw .sense(.illegalRequest(.invalidFieldInCDB, field: 2))
    }
    return known
  }
}
