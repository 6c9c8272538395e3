public import Devices
public import SAM
import SCSI
public import Uring

/// A logical unit as the disk of a copy, bound to the nexus that ordered the copy.
///
/// Every operation is one of that nexus: the unit says before each whether it may be. One that may
/// not ends with the unit's condition, after the call that submitted it.
public final class BoundDisk: BlockDevice {
  private let unit: any CopyUnit
  private let nexus: Nexus
  private let ring: Ring
  private var refused: [ObjectIdentifier: RefusedOperation] = [:]

  /// `unit` for the copies of `nexus`.
  public init(_ unit: any CopyUnit, for nexus: Nexus, ring: Ring) {
    self.unit = unit
    self.nexus = nexus
    self.ring = ring
    super.init(
      name: unit.name, blockLength: unit.blockLength, blockCount: unit.blockCount,
      isReadOnly: unit.isReadOnly, identity: unit.storageIdentity,
      memoryAlignment: unit.memoryAlignment)
  }

  /// Tells which unit it is.
  var unitIdentity: ObjectIdentifier { ObjectIdentifier(unit) }

  /// Reads through the unit.
  public override func read(
    at offset: UInt64, into payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    if let condition = unit.refusal(of: .read, from: nexus) {
      return refuse(condition, payload, client, tag)
    }
    unit.read(at: offset, into: payload, of: nexus, for: client, tag: tag)
  }

  /// Writes through the unit.
  public override func write(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    if let condition = unit.refusal(of: .write, from: nexus) {
      return refuse(condition, payload, client, tag)
    }
    unit.write(at: offset, from: payload, of: nexus, for: client, tag: tag)
  }

  /// As SYNCHRONIZE CACHE. Never refused: what the unit has accepted of this nexus it also keeps.
  public override func flush() async -> DeviceStatus { await unit.flush() }

  /// What the unit says of its storage. Where reading is refused nothing is told: a copy then reads,
  /// and hears why it may not.
  public override func extent(at offset: UInt64) async -> Extent {
    if unit.refusal(of: .read, from: nexus) != nil { return await super.extent(at: offset) }
    return await unit.extent(at: offset)
  }

  private func refuse(
    _ condition: Condition, _ payload: consuming Payload, _ client: DeviceClient, _ tag: UInt64
  ) {
    let operation = RefusedOperation(self, condition, payload, client, tag)
    refused[ObjectIdentifier(operation)] = operation
    ring.timeout(nanoseconds: 0, for: operation, tag: 0)
  }

  /// An operation that was refused, until its client may be told: in the next turn of the ring,
  /// which does not keep its handlers alive.
  private final class RefusedOperation: CompletionHandler {
    private let disk: BoundDisk
    private let condition: Condition
    private var payload: Payload?
    private let client: DeviceClient
    private let tag: UInt64

    init(
      _ disk: BoundDisk, _ condition: Condition, _ payload: consuming Payload,
      _ client: DeviceClient, _ tag: UInt64
    ) {
      self.disk = disk
      self.condition = condition
      self.payload = consume payload
      self.client = client
      self.tag = tag
    }

    override func complete(_ completion: consuming Completion) {
      guard let payload = payload.take() else {
        preconditionFailure("a refused operation ends once")
      }
      let kept = disk.refused.removeValue(forKey: ObjectIdentifier(self))
      precondition(kept === self, "a refused operation is kept until it ends")
      client.complete(DeviceCompletion(tag: tag, status: .check(condition), payload: payload))
    }
  }
}
