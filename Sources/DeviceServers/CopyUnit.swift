public import Devices
public import SAM
public import SCSI
public import Uring

/// What a copy manager is about to do to a logical unit.
public enum CopyAccess: Sendable {
  /// As READ.
  case read
  /// As WRITE.
  case write
}

/// A block logical unit as a copy manager reaches it.
///
/// Copies come through the logical unit and never around it: before each operation the unit is asked
/// whether the nexus that ordered the copy may do it now, so that a reservation, a stop or a write
/// protection that comes while a copy runs ends it, as it would end the initiator's own commands.
public protocol CopyUnit: AnyObject {
  /// What to call it in messages.
  var name: String { get }
  /// The designators of VPD page 83h that name the logical unit. SPC-4 7.8.6.
  var designators: [Designator] { get }
  /// Bytes of a logical block.
  var blockLength: Int { get }
  /// Number of logical blocks.
  var blockCount: UInt64 { get }
  /// That of the storage behind it, so that two units of the same storage are known as such.
  var storageIdentity: DeviceIdentity { get }
  /// Memory for direct I/O starts and ends on multiples of this.
  var memoryAlignment: Int { get }
  /// Whether writes are refused, for as long as a copy may take.
  var isReadOnly: Bool { get }

  /// Why a command of `nexus` that reads or writes the medium would be refused now; nil where it
  /// would not be. Unit attentions stay: they are for the initiator's own commands.
  func refusal(of access: CopyAccess, from nexus: Nexus) -> Condition?

  /// Fills `payload` from byte `offset` for a copy of `nexus`, in order with the unit's other commands
  /// on these blocks. As of a device, the client is never called inside this call.
  func read(
    at offset: UInt64, into payload: consuming Payload, of nexus: Nexus, for client: DeviceClient,
    tag: UInt64)

  /// Writes `payload` at byte `offset`, likewise.
  func write(
    at offset: UInt64, from payload: consuming Payload, of nexus: Nexus, for client: DeviceClient,
    tag: UInt64)

  /// As SYNCHRONIZE CACHE of all blocks.
  func flush() async -> DeviceStatus

  /// The run of equal kind at byte `offset`.
  func extent(at offset: UInt64) async -> Extent
}
