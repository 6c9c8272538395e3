import Digests
import SAM
import SCSI

// What is kept through a power loss: a header of 16 bytes (magic, version, number of registrations,
// number of the holder among them, TYPE), the registrations, and CRC32C of all that. Numbers are
// big-endian. PRGENERATION begins at zero again, as SPC-4 6.15.2 has it.
extension PersistentReservations {
  private static let magic = Array("ecopy-pr".utf8)
  private static let version: UInt16 = 1
  private static let headerLength = 16
  private static let noHolder: UInt16 = 0xFFFF
  /// Longest encoding: a full table of the longest names.
  public static let byteCountMaximum =
    headerLength + registrantCapacity * (20 + TransportID.nameLengthMaximum) + 4

  /// What a store keeps; no registrations where nothing is to survive.
  public var storedBytes: [UInt8] {
    var writer = ByteWriter()
    let kept = isKept ? registrants : []
    let held = isKept ? reservation : nil
    writer.append(Self.magic)
    writer.uint16(Self.version)
    writer.uint16(UInt16(kept.count))
    let index = held?.holder.flatMap { holder in kept.firstIndex { $0.nexus == holder } }
    writer.uint16(index.map { UInt16($0) } ?? Self.noHolder)
    writer.append([held?.type.rawValue ?? 0, 0])
    for registrant in kept {
      let name = Array(registrant.nexus.initiatorPort.name.utf8)
      writer.uint64(registrant.key)
      writer.uint64(registrant.nexus.initiatorPort.isid)
      writer.uint16(registrant.nexus.targetPortIdentifier)
      writer.uint16(UInt16(name.count))
      writer.append(name)
    }
    var checksum = CRC32C()
    checksum.update(writer.bytes)
    writer.uint32(checksum.value)
    return writer.bytes
  }

  /// What `storedBytes` was made of; nil where the bytes are anything else.
  public init?(stored bytes: [UInt8]) {
    guard bytes.count <= Self.byteCountMaximum, bytes.count >= Self.headerLength + 4 else {
      return nil
    }
    var checksum = CRC32C()
    checksum.update(Array(bytes.dropLast(4)))
    let sum = checksum.value
    self.init()
    do throws(ByteReaderError) {
      let reader = ByteReader(bytes.span)
      guard try reader.uint32(at: bytes.count - 4) == sum,
        try reader.array(at: 0, count: 8) == Self.magic,
        try reader.uint16(at: 8) == Self.version
      else { return nil }
      let count = Int(try reader.uint16(at: 10))
      guard count <= Self.registrantCapacity else { return nil }
      var offset = Self.headerLength
      for _ in 0..<count {
        let key = try reader.uint64(at: offset)
        let isid = try reader.uint64(at: offset + 8)
        let port = try reader.uint16(at: offset + 16)
        let length = Int(try reader.uint16(at: offset + 18))
        guard key != 0, isid >> 48 == 0, length <= TransportID.nameLengthMaximum,
          let name = String(
            validating: try reader.array(at: offset + 20, count: length), as: UTF8.self)
        else { return nil }
        let nexus = NexusPorts(
          initiatorPort: InitiatorPort(name: name, isid: isid), targetPortIdentifier: port)
        guard registrant(nexus) == nil else { return nil }
        registrants.append(Registrant(nexus: nexus, key: key))
        offset += 20 + length
      }
      guard offset == bytes.count - 4,
        readReservation(
          holder: try reader.uint16(at: 12), type: try reader.uint8(at: 14),
          reserved: try reader.uint8(at: 15))
      else { return nil }
    } catch {
      return nil
    }
    isKept = !registrants.isEmpty
  }

  private mutating func readReservation(holder: UInt16, type: UInt8, reserved: UInt8) -> Bool {
    guard reserved == 0 else { return false }
    if type == 0 { return holder == Self.noHolder }
    guard let type = ReservationType(rawValue: type), !registrants.isEmpty else { return false }
    if type.isHeldByAllRegistrants {
      reservation = Reservation(type: type, holder: nil)
      return holder == Self.noHolder
    }
    guard Int(holder) < registrants.count else { return false }
    reservation = Reservation(type: type, holder: registrants[Int(holder)].nexus)
    return true
  }
}
