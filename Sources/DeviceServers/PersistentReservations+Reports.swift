import SAM
import SCSI

/// Parameter data of PERSISTENT RESERVE IN. SPC-4 6.15.
extension PersistentReservations {
  /// READ KEYS.
  var keysReport: [UInt8] {
    var writer = header(length: registrants.count * 8)
    for registrant in registrants { writer.uint64(registrant.key) }
    return writer.bytes
  }

  /// READ RESERVATION; the key is zero where all registrants hold it.
  var reservationReport: [UInt8] {
    guard let reservation else { return header(length: 0).bytes }
    var writer = header(length: 16)
    writer.uint64(reservation.holder.flatMap { registrant($0)?.key } ?? 0)
    writer.append([0, 0, 0, 0, 0, reservation.type.rawValue, 0, 0])
    return writer.bytes
  }

  /// READ FULL STATUS: every registration with its own port, so ALL_TG_PT is never one.
  var fullStatusReport: [UInt8] {
    var list = ByteWriter()
    for registrant in registrants {
      let isHolder = standing(of: registrant.nexus) == .holder
      let port = registrant.nexus.initiatorPort
      let transportID = TransportID(name: port.name, isid: port.isid).bytes
      list.uint64(registrant.key)
      list.append([0, 0, 0, 0])
      list.append([isHolder ? 0x01 : 0, isHolder ? reservation?.type.rawValue ?? 0 : 0])
      list.append([0, 0, 0, 0])
      list.uint16(registrant.nexus.targetPortIdentifier)
      list.uint32(UInt32(transportID.count))
      list.append(transportID)
    }
    var writer = header(length: list.count)
    writer.append(list.bytes)
    return writer.bytes
  }

  /// REPORT CAPABILITIES: RESERVE and RELEASE beside registrations (CRH), SPEC_I_PT, ALL_TG_PT, and
  /// every type.
  func capabilitiesReport(canKeep: Bool) -> [UInt8] {
    [0, 8, 0x1C | (canKeep ? 0x01 : 0), 0x80 | (isKept ? 0x01 : 0), 0xEA, 0x01, 0, 0]
  }

  private func header(length: Int) -> ByteWriter {
    var writer = ByteWriter(capacity: 8 + length)
    writer.uint32(generation)
    writer.uint32(UInt32(length))
    return writer
  }
}
