public import SAM
public import SCSI

/// What a reservation of somebody else means to a command. SPC-4 tables 66 and 67, SPC-2 5.5.1.
public enum ReservationAccess: Sendable {
  /// Allowed whoever holds the reservation.
  case always
  /// Allowed whoever holds a persistent reservation, refused while another nexus holds the unit by
  /// RESERVE: TEST UNIT READY, PERSISTENT RESERVE IN.
  case unlessReserved
  /// Reads the medium: allowed for all with a Write Exclusive type.
  case reads
  /// Changes the medium or the unit: only for whoever holds the reservation, or is registered.
  case writes
  /// As `writes`, but allowed for all where the CDB asks for nothing that disturbs: START STOP UNIT that
  /// starts, PREVENT ALLOW MEDIUM REMOVAL that allows. SBC-3 table 14.
  case writesUnless(@Sendable (CommandDescriptorBlock) -> Bool)
  /// Decided by the command itself: PERSISTENT RESERVE OUT, RESERVE, RELEASE.
  case reservationCommand
}

/// One command that a logical unit executes: the single place that says what it is.
///
/// The table of these drives dispatch, the checks of the CDB, reservations and REPORT SUPPORTED OPERATION
/// CODES (SPC-4 6.35), so that what is reported is what is done.
public struct CommandEntry {
  /// How a command is executed.
  public enum Execution {
    /// The state machine of the data path: returns at once and calls `LogicalUnit.finish` later, or
    /// in the call itself.
    case direct((LogicalUnit, UnitTask) -> Void)
    /// Everything else.
    case asynchronous((LogicalUnit, UnitTask) async -> CommandResult)
  }

  /// The standard's name.
  public let name: String
  /// OPERATION CODE.
  public let operationCode: UInt8
  /// SERVICE ACTION, where the operation code has them.
  public let serviceAction: UInt16?
  /// CDB USAGE DATA: one bits where the command looks; byte 0 is the operation code, and a service
  /// action stands as itself. Its count is the length of the CDB.
  public let usage: [UInt8]
  /// What reservations mean to it.
  public let access: ReservationAccess
  /// Whether it is executed while the medium is not ready (stopped, being sanitized).
  public let needsReadyMedium: Bool
  /// Whether a pending unit attention ends it; false of INQUIRY, REPORT LUNS and REQUEST SENSE (SAM-5
  /// 5.14).
  public let meetsUnitAttention: Bool
  /// Bytes of data out that a CDB announces, or the sense data that refuses it.
  public let dataOutLength: (LogicalUnit, CommandDescriptorBlock) -> Result<Int, SenseData>
  /// How it is executed.
  public let execution: Execution

  /// An entry; `dataOutLength` is for commands that send data.
  public init(
    _ name: String, _ operationCode: UInt8, serviceAction: UInt16? = nil, usage: [UInt8],
    access: ReservationAccess, needsReadyMedium: Bool = false, meetsUnitAttention: Bool = true,
    dataOutLength: @escaping (LogicalUnit, CommandDescriptorBlock) -> Result<Int, SenseData> = {
      _, _ in .success(0)
    },
    execution: Execution
  ) {
    precondition(usage.first == operationCode, "usage data begins with the operation code")
    self.name = name
    self.operationCode = operationCode
    self.serviceAction = serviceAction
    self.usage = usage
    self.access = access
    self.needsReadyMedium = needsReadyMedium
    self.meetsUnitAttention = meetsUnitAttention
    self.dataOutLength = dataOutLength
    self.execution = execution
  }
}

/// The commands of a logical unit, found by operation code and service action.
struct CommandTable {
  /// What a CDB names.
  enum Lookup {
    case found(CommandEntry)
    case unknownOperationCode
    case unknownServiceAction
  }

  /// In the order of REPORT SUPPORTED OPERATION CODES.
  let entries: [CommandEntry]
  private let byOperationCode: [[CommandEntry]]

  init(_ entries: [CommandEntry]) {
    self.entries = entries.sorted {
      ($0.operationCode, $0.serviceAction ?? 0) < ($1.operationCode, $1.serviceAction ?? 0)
    }
    var groups = [[CommandEntry]](repeating: [], count: 256)
    for entry in self.entries { groups[Int(entry.operationCode)].append(entry) }
    byOperationCode = groups
  }

  func entries(of operationCode: UInt8) -> [CommandEntry] { byOperationCode[Int(operationCode)] }

  func lookup(_ cdb: CommandDescriptorBlock) -> Lookup {
    let group = byOperationCode[Int(cdb.operationCode)]
    guard let first = group.first else { return .unknownOperationCode }
    if first.serviceAction == nil { return .found(first) }
    let action = UInt16(cdb[1] & 0x1F)
    for entry in group where entry.serviceAction == action { return .found(entry) }
    return .unknownServiceAction
  }
}
