import Foundation
import SCSI

/// A packet capture of one iSCSI connection, for a program that dissects SCSI.
struct PacketCapture {
  private static let initiatorPort: UInt16 = 40_000
  private static let targetPort: UInt16 = 3260
  private var file: [UInt8]
  private var sequence: [UInt16: UInt32] = [initiatorPort: 1, targetPort: 1]
  private var task: UInt32 = 0

  init() {
    // libpcap 2.4 in big-endian, Ethernet.
    var writer = ByteWriter()
    writer.uint32(0xA1B2_C3D4)
    writer.append([0, 2, 0, 4])
    writer.zeros(8)
    writer.uint32(65_535)
    writer.uint32(1)
    file = writer.bytes
  }

  /// A SCSI Command PDU with a CDB of 16 bytes and immediate data (RFC 7143 11.3).
  mutating func command(_ cdb: [UInt8], dataOut: [UInt8] = [], dataInLength: Int = 0) {
    task += 1
    let isRead: UInt8 = dataInLength > 0 ? 0x40 : 0
    let isWrite: UInt8 = dataOut.isEmpty ? 0 : 0x20
    var pdu = ByteWriter()
    pdu.append([0x01, 0x80 | isRead | isWrite, 0, 0])
    pdu.uint32(UInt32(dataOut.count))
    pdu.zeros(8)
    pdu.uint32(task)
    pdu.uint32(UInt32(max(dataOut.count, dataInLength)))
    pdu.uint32(task)
    pdu.uint32(1)
    pdu.append(cdb)
    send(pdu.bytes, dataOut, from: Self.initiatorPort, to: Self.targetPort)
  }

  /// The Data-In PDU that answers the last command (RFC 7143 11.7), with status GOOD.
  mutating func dataIn(_ data: [UInt8]) {
    var pdu = ByteWriter()
    pdu.append([0x25, 0x81, 0, 0])
    pdu.uint32(UInt32(data.count))
    pdu.zeros(8)
    pdu.uint32(task)
    pdu.uint32(0xFFFF_FFFF)
    pdu.uint32(1)
    pdu.uint32(task + 1)
    pdu.uint32(task + 32)
    pdu.zeros(12)
    send(pdu.bytes, data, from: Self.targetPort, to: Self.initiatorPort)
  }

  /// The SCSI Response PDU that answers the last command (RFC 7143 11.4): CHECK CONDITION with `sense`.
  mutating func response(sense: [UInt8]) {
    var data = ByteWriter()
    data.uint16(UInt16(sense.count))
    data.append(sense)
    var pdu = ByteWriter()
    pdu.append([0x21, 0x80, 0, Status.checkCondition.rawValue])
    pdu.uint32(UInt32(data.count))
    pdu.zeros(8)
    pdu.uint32(task)
    pdu.zeros(4)
    pdu.uint32(1)
    pdu.uint32(task + 1)
    pdu.uint32(task + 32)
    pdu.zeros(12)
    send(pdu.bytes, data.bytes, from: Self.targetPort, to: Self.initiatorPort)
  }

  private mutating func send(
    _ header: [UInt8], _ data: [UInt8], from: UInt16, to: UInt16
  ) {
    let payload = header + data + [UInt8](repeating: 0, count: (4 - data.count % 4) % 4)
    var frame = ByteWriter()
    frame.zeros(12)
    frame.append([0x08, 0x00])
    frame.append([0x45, 0])
    frame.uint16(UInt16(40 + payload.count))
    frame.append([0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
    if from == Self.targetPort { swapAddresses(&frame) }
    frame.uint16(from)
    frame.uint16(to)
    frame.uint32(sequence[from] ?? 0)
    frame.uint32(sequence[to] ?? 0)
    frame.append([0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0])
    frame.append(payload)
    sequence[from, default: 0] += UInt32(payload.count)

    var record = ByteWriter()
    record.zeros(8)
    record.uint32(UInt32(frame.count))
    record.uint32(UInt32(frame.count))
    record.append(frame.bytes)
    file += record.bytes
  }

  private func swapAddresses(_ frame: inout ByteWriter) {
    frame.set(2, at: 29)
    frame.set(1, at: 33)
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// What tshark tells of the capture, line by line without indentation.
  func dissected() throws -> [String] {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("ecopy-\(UUID().uuidString).pcap")
    try Data(file).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    let command = "tshark -r '\(path.path)' -V -O iscsi,scsi 2>/dev/null"
    guard let pipe = unsafe popen(command, "r") else {
      throw Failure(description: "no pipe to tshark: errno \(errno)")
    }
    var data: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe fread(&buffer, 1, buffer.count, pipe)
      if count == 0 { break }
      data += buffer[..<count]
    }
    let status = unsafe pclose(pipe)
    guard status == 0 else {
      throw Failure(description: "tshark (apt package tshark) ended with \(status >> 8)")
    }
    return String(decoding: data, as: UTF8.self).split(separator: "\n")
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }
}
