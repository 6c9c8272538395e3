import Digests
import Glibc
import ISCSIProtocol
import Uring

/// An initiator that writes and reads bytes, and obeys no rule by itself. It blocks: not for a ring's
/// thread.
final class WireClient {
  /// What a test cannot go on without.
  enum Failure: Error, Equatable {
    case socket(errno: Int32)
    case noAnswer
    case login(LoginStatus)
    case unexpected(UInt8)
  }

  let descriptor: Int32
  var hasHeaderDigest = false, hasDataDigest = false
  var cmdSN = SerialNumber(1)
  var expStatSN = SerialNumber(0)
  var maxCmdSN = SerialNumber(1)
  private(set) var answers: [String: String] = [:]
  private var lastTag: UInt32 = 0

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure.socket(errno: errno) }
  }

  deinit { close(descriptor) }

  // MARK: Bytes

  func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }

  /// So many bytes, or nil where the connection ended before, or nothing came in ten seconds.
  func read(_ count: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var part = [UInt8](repeating: 0, count: min(count, 65536))
    while bytes.count < count {
      let wanted = min(part.count, count - bytes.count)
      let result = unsafe part.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, wanted, 0)
      }
      if result <= 0 { return nil }
      bytes += part.prefix(result)
    }
    return bytes
  }

  /// Whether the target closed the connection.
  func isClosed() -> Bool {
    var byte: UInt8 = 0
    let result = unsafe recv(descriptor, &byte, 1, 0)
    return result == 0 || (result < 0 && errno == ECONNRESET)
  }

  // MARK: PDUs

  static func digest(_ bytes: [UInt8]) -> [UInt8] {
    var checksum = CRC32C()
    checksum.update(bytes)
    return (0..<4).map { UInt8(truncatingIfNeeded: checksum.value >> (8 * UInt32($0))) }
  }

  /// Sends a PDU. The digests can be wrong on purpose.
  func send(
    _ given: BasicHeaderSegment, _ data: [UInt8] = [], breaksHeader: Bool = false,
    breaksData: Bool = false
  ) {
    var header = given
    header.dataSegmentLength = data.count
    var bytes = (0..<48).map { header.bytes[$0] }
    if hasHeaderDigest {
      var digest = Self.digest(bytes)
      if breaksHeader { digest[0] ^= 1 }
      bytes += digest
    }
    if !data.isEmpty {
      let padded = data + [UInt8](repeating: 0, count: header.paddingByteCount)
      bytes += padded
      if hasDataDigest {
        var digest = Self.digest(padded)
        if breaksData { digest[0] ^= 1 }
        bytes += digest
      }
    }
    write(bytes)
  }

  /// The next PDU, with its digests checked.
  func receive() throws -> (header: BasicHeaderSegment, data: [UInt8]) {
    guard let bytes = read(48) else { throw Failure.noAnswer }
    let header = BasicHeaderSegment(InlineArray { bytes[$0] })
    if hasHeaderDigest, read(4) != Self.digest(bytes) { throw Failure.noAnswer }
    var data: [UInt8] = []
    if header.dataSegmentLength > 0 {
      guard let padded = read(header.dataSegmentLength + header.paddingByteCount) else {
        throw Failure.noAnswer
      }
      if hasDataDigest, read(4) != Self.digest(padded) { throw Failure.noAnswer }
      data = Array(padded.prefix(header.dataSegmentLength))
    }
    maxCmdSN = SerialNumber(header.uint32(at: 32))
    return (header, data)
  }

  /// The next PDU, which has this opcode.
  func receive(_ opcode: Opcode) throws -> (header: BasicHeaderSegment, data: [UInt8]) {
    let pdu = try receive()
    guard pdu.header.kind == opcode else { throw Failure.unexpected(pdu.header.opcode) }
    return pdu
  }

  func nextTag() -> UInt32 {
    lastTag += 1
    return lastTag
  }

  // MARK: Login

  static let initiatorName = "iqn.2026-11.org.ecopy:wire"

  /// Logs in with one request, straight to the full feature phase.
  func logIn(
    _ keys: [(String, String)] = [], target: String? = TargetFixture.targetName,
    isid: UInt64 = 0x80_0000_0000_01, tsih: UInt16 = 0, initiator: String = initiatorName
  ) throws {
    var text = TextKeys()
    text.append("InitiatorName", initiator)
    if let target { text.append("TargetName", target) }
    text.append("SessionType", target == nil ? "Discovery" : "Normal")
    for key in keys { text.append(key.0, key.1) }
    let request = LoginRequest(
      isid: InitiatorSessionID(rawValue: isid), tsih: tsih, initiatorTaskTag: nextTag(),
      cmdSN: cmdSN, expStatSN: expStatSN, currentStage: .operationalNegotiation,
      nextStage: .fullFeature)
    send(request.header, text.encode())
    while true {
      let (header, data) = try receive(.loginResponse)
      let response = try LoginResponse(header)
      guard response.status == .success else { throw Failure.login(response.status) }
      for pair in try TextKeys(parsing: data).pairs { answers[pair.key] = pair.value }
      expStatSN = response.statSN.advanced(by: 1)
      if response.isTransit { break }
      var more = request
      more.expStatSN = expStatSN
      send(more.header)
    }
    hasHeaderDigest = answers["HeaderDigest"] == "CRC32C"
    hasDataDigest = answers["DataDigest"] == "CRC32C"
  }

  // MARK: Commands

  /// A command that takes its turn; `advances` false repeats a CmdSN.
  func command(
    _ cdb: [UInt8], expected: Int = 0, isRead: Bool = false, isWrite: Bool = false,
    isFinal: Bool = true, tag: UInt32? = nil, at cmdSN: SerialNumber? = nil
  ) -> SCSICommand {
    let request = SCSICommand(
      cdb: cdb, logicalUnit: 0, initiatorTaskTag: tag ?? nextTag(), cmdSN: cmdSN ?? self.cmdSN,
      expStatSN: expStatSN, expectedDataTransferLength: UInt32(expected), isRead: isRead,
      isWrite: isWrite, isFinal: isFinal)
    if cmdSN == nil { self.cmdSN = self.cmdSN.advanced(by: 1) }
    return request
  }

  static func cdb(_ operationCode: UInt8, at block: Int, blocks: Int) -> [UInt8] {
    [
      operationCode, 0, UInt8(block >> 24 & 255), UInt8(block >> 16 & 255),
      UInt8(block >> 8 & 255), UInt8(block & 255), 0, UInt8(blocks >> 8), UInt8(blocks & 255), 0,
      0, 0, 0, 0, 0, 0,
    ]
  }

  static let testUnitReady = [UInt8](repeating: 0, count: 16)

  /// TEST UNIT READY and its status.
  func testUnitReady() throws -> UInt8 {
    send(command(Self.testUnitReady).header)
    return try SCSIResponse(receive(.scsiResponse).header).status
  }

  /// What a read gave: its data, and the last PDU.
  func readBlocks(
    at block: Int, blocks: Int, expected: Int? = nil
  ) throws -> (data: [UInt8], status: UInt8, residual: Residual) {
    let request = command(
      Self.cdb(0x28, at: block, blocks: blocks), expected: expected ?? blocks * 512, isRead: true)
    send(request.header)
    return try collect(request)
  }

  func collect(
    _ request: SCSICommand
  ) throws -> (data: [UInt8], status: UInt8, residual: Residual) {
    var all: [UInt8] = []
    var number: UInt32 = 0
    while true {
      let (header, data) = try receive()
      switch header.kind {
      case .dataIn:
        let pdu = try DataIn(header)
        guard pdu.initiatorTaskTag == request.initiatorTaskTag, pdu.dataSN == number,
          Int(pdu.bufferOffset) == all.count
        else { throw Failure.unexpected(header.opcode) }
        number += 1
        all += data
        if pdu.hasStatus { return (all, pdu.status, pdu.residual) }
      case .scsiResponse:
        let pdu = try SCSIResponse(header)
        return (all, pdu.status, pdu.residual)
      default: throw Failure.unexpected(header.opcode)
      }
    }
  }

  /// Writes as the negotiated parameters say; the last response and its sense data.
  func writeBlocks(
    at block: Int, _ data: [UInt8], expected: Int? = nil, segment: Int = 8192
  ) throws -> (status: UInt8, residual: Residual, sense: [UInt8]) {
    let expected = expected ?? data.count
    let immediate = answers["ImmediateData"] != "No"
    let unsolicited = answers["InitialR2T"] == "No"
    let first = min(Int(answers["FirstBurstLength"] ?? "65536") ?? 65536, data.count)
    let inside = immediate ? min(segment, first) : 0
    let request = command(
      Self.cdb(0x2A, at: block, blocks: data.count / 512), expected: expected, isWrite: true,
      isFinal: !(unsolicited && inside < first))
    send(request.header, Array(data.prefix(inside)))
    if !request.isFinal {
      sendData(request, data, from: inside, to: first, segment: segment)
    }
    while true {
      let (header, answer) = try receive()
      if header.kind == .readyToTransfer {
        let ready = try ReadyToTransfer(header)
        let start = Int(ready.bufferOffset)
        sendData(
          request, data, from: start, to: start + Int(ready.desiredDataTransferLength),
          segment: segment, transferTag: ready.targetTransferTag)
        continue
      }
      guard header.kind == .scsiResponse else { throw Failure.unexpected(header.opcode) }
      let response = try SCSIResponse(header)
      return (response.status, response.residual, SCSIResponse.sense(in: answer) ?? [])
    }
  }

  func sendData(
    _ request: SCSICommand, _ data: [UInt8], from start: Int, to end: Int, segment: Int,
    transferTag: UInt32 = DataOut.reservedTag, firstNumber: UInt32 = 0
  ) {
    var at = start
    var number = firstNumber
    while at < end {
      let count = min(segment, end - at)
      let pdu = DataOut(
        initiatorTaskTag: request.initiatorTaskTag, targetTransferTag: transferTag,
        expStatSN: expStatSN, dataSN: number, bufferOffset: UInt32(at),
        isFinal: at + count == end)
      send(pdu.header, Array(data[at..<at + count]))
      number += 1
      at += count
    }
  }

  /// Logs out and returns the response.
  func logOut() throws -> LogoutResponse.Response {
    let request = LogoutRequest(
      reason: .closeSession, initiatorTaskTag: nextTag(), cmdSN: cmdSN, expStatSN: expStatSN)
    send(request.header)
    return try LogoutResponse(receive(.logoutResponse).header).response
  }
}
