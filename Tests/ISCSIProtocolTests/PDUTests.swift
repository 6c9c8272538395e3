import ISCSIProtocol
import Testing

@Suite("PDUs") struct PDUTests {
  private func header(_ bytes: [Int: UInt8]) -> BasicHeaderSegment {
    var header = BasicHeaderSegment()
    for (offset, byte) in bytes { header.bytes[offset] = byte }
    return header
  }

  private func bytes(_ header: BasicHeaderSegment) -> [UInt8] {
    (0..<48).map { header.bytes[$0] }
  }

  @Test("a READ(10) stands on the wire as RFC 7143 11.3 draws it") func goldenCommand() throws {
    let command = SCSICommand(
      cdb: [0x28, 0, 0, 0, 0, 8, 0, 0, 1, 0], logicalUnit: 0x0001_0000_0000_0000,
      initiatorTaskTag: 0x1122_3344, cmdSN: SerialNumber(5), expStatSN: SerialNumber(9),
      expectedDataTransferLength: 512, isRead: true)
    #expect(
      bytes(command.header) == [
        0x01, 0xC1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44, 0, 0, 2, 0,
        0, 0, 0, 5, 0, 0, 0, 9, 0x28, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
      ])
    let read = try SCSICommand(command.header)
    #expect(read == command && read.isRead && !read.isWrite && read.attribute == .simple)
  }

  @Test("a Login Request stands on the wire as RFC 7143 11.12 draws it") func goldenLogin() throws {
    let request = LoginRequest(
      isid: InitiatorSessionID(random: 0x12_3456, qualifier: 0x789A), connectionID: 7,
      initiatorTaskTag: 1, cmdSN: SerialNumber(2), expStatSN: SerialNumber(3),
      currentStage: .operationalNegotiation, nextStage: .fullFeature)
    #expect(
      bytes(request.header) == [
        0x43, 0x87, 0, 0, 0, 0, 0, 0, 0x80, 0x12, 0x34, 0x56, 0x78, 0x9A, 0, 0, 0, 0, 0, 1, 0, 7, 0,
        0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      ])
    let read = try LoginRequest(request.header)
    #expect(read.isid.description == "0x80123456789a" && read.isid.format == .random)
    #expect(read.currentStage == .operationalNegotiation && read.nextStage == .fullFeature)
  }

  @Test("Data-In with status keeps its fields apart") func dataIn() throws {
    var data = DataIn(
      initiatorTaskTag: 4, expCmdSN: SerialNumber(2), maxCmdSN: SerialNumber(33), dataSN: 3,
      bufferOffset: 0x0102_0304, isFinal: true)
    data.setStatus(0, statSN: SerialNumber(8), residual: .underflow(77))
    let read = try DataIn(data.header)
    #expect(read.hasStatus && read.residual == .underflow(77) && read.statSN == SerialNumber(8))
    #expect(data.header.bytes[1] == 0x83 && read.bufferOffset == 0x0102_0304 && read.dataSN == 3)
  }

  @Test("a response carries residuals both ways") func response() throws {
    let response = SCSIResponse(
      status: 2, initiatorTaskTag: 6, statSN: SerialNumber(1), expCmdSN: SerialNumber(2),
      maxCmdSN: SerialNumber(3), expDataSN: 4, residual: .overflow(5),
      bidirectionalReadResidual: .underflow(6))
    let read = try SCSIResponse(response.header)
    #expect(read.residual == .overflow(5) && read.bidirectionalReadResidual == .underflow(6))
    #expect(read.header.bytes[1] == 0x8C && read.status == 2 && read.expDataSN == 4)
  }

  @Test("sense data is cut at its length, and refused where it is shorter") func sense() {
    let segment = SCSIResponse.dataSegment(sense: [0x70, 0, 5])
    #expect(segment == [0, 3, 0x70, 0, 5])
    #expect(SCSIResponse.sense(in: segment + [9]) == [0x70, 0, 5])
    #expect(SCSIResponse.sense(in: []) == [])
    #expect(SCSIResponse.sense(in: [0]) == nil)
    #expect(SCSIResponse.sense(in: [0, 4, 1, 2, 3]) == nil)
  }

  @Test("the other PDUs read back as they were written") func roundTrips() throws {
    let one = SerialNumber(1)
    let out = DataOut(
      initiatorTaskTag: 1, targetTransferTag: 2, expStatSN: one, dataSN: 3, bufferOffset: 4,
      isFinal: false)
    #expect(try DataOut(out.header) == out)
    let ready = ReadyToTransfer(
      initiatorTaskTag: 1, targetTransferTag: 2, logicalUnit: 3, statSN: one, expCmdSN: one,
      maxCmdSN: one, r2tSN: 4, bufferOffset: 5, desiredDataTransferLength: 6)
    #expect(try ReadyToTransfer(ready.header).desiredDataTransferLength == 6)
    for function in TaskManagementRequest.Function.allCases {
      let request = TaskManagementRequest(
        function: function, initiatorTaskTag: 1, referencedTaskTag: 9, cmdSN: one, expStatSN: one)
      #expect(try TaskManagementRequest(request.header).function == function)
    }
    for answer in TaskManagementResponse.Response.allCases {
      let response = TaskManagementResponse(
        response: answer, initiatorTaskTag: 1, statSN: one, expCmdSN: one, maxCmdSN: one)
      #expect(try TaskManagementResponse(response.header).response == answer)
    }
    for event in AsynchronousMessage.Event.allCases {
      let message = AsynchronousMessage(
        event: event, statSN: one, expCmdSN: one, maxCmdSN: one, parameter3: 10)
      let read = try AsynchronousMessage(message.header)
      #expect(read.event == event && read.parameter3 == 10)
    }
    for reason in RejectReason.allCases {
      let reject = Reject(reason: reason, statSN: one, expCmdSN: one, maxCmdSN: one)
      #expect(try Reject(reject.header).reason == reason)
    }
    let logout = LogoutResponse(
      response: .closed, initiatorTaskTag: 1, statSN: one, expCmdSN: one, maxCmdSN: one,
      time2WaitSeconds: 2, time2RetainSeconds: 20)
    #expect(try LogoutResponse(logout.header).time2RetainSeconds == 20)
    let ping = NopOut(initiatorTaskTag: 1, cmdSN: one, expStatSN: one)
    #expect(try NopOut(ping.header) == ping)
    #expect(Reject.header(in: Reject.dataSegment(of: ping.header)) == ping.header)
  }

  @Test("what RFC 7143 forbids in a header is refused") func faults() {
    #expect(throws: PDUError.self) { try SCSICommand(header([0: 0x01, 1: 0x85])) }
    #expect(throws: PDUError.self) { try SCSICommand(header([0: 0x01, 1: 0x40])) }
    #expect(throws: PDUError.self) {
      try NopOut(header([0: 0, 16: 0xFF, 17: 0xFF, 18: 0xFF, 19: 0xFF]))
    }
    #expect(throws: PDUError.self) { try LoginRequest(header([0: 0x43, 1: 0xC1])) }
    #expect(throws: PDUError.self) { try LoginRequest(header([0: 0x43, 1: 0x86])) }
    #expect(throws: PDUError.self) { try LoginRequest(header([0: 0x43, 1: 0x84])) }
    #expect(throws: PDUError.self) { try TextRequest(header([0: 4, 1: 0xC0])) }
    #expect(throws: PDUError.self) { try DataIn(header([0: 0x25, 1: 0x01])) }
    #expect(throws: PDUError.self) { try ReadyToTransfer(header([0: 0x31])) }
    #expect(throws: PDUError.self) {
      try ReadyToTransfer(header([0: 0x31, 40: 0xFF, 41: 0xFF, 42: 0xFF, 43: 0xFF, 47: 1]))
    }
    #expect(throws: PDUError.self) { try LogoutRequest(header([0: 6, 1: 0x83])) }
  }

  @Test("a CDB of 32 bytes goes through additional header segments") func extendedCDB() throws {
    let cdb = (0..<32).map { UInt8($0) }
    var segments = AdditionalHeaderSegments(cdb: cdb)
    segments.bidirectionalReadLength = 0x0102_0304
    let bytes = segments.encode()
    #expect(bytes.prefix(5) == [0, 17, 1, 0, 16] && bytes.count == 28)
    var header = header([0: 1])
    header.setAdditionalHeader(byteCount: bytes.count)
    let read = try AdditionalHeaderSegments(bytes.span, of: header)
    #expect(read.extendedCDBByteCount == 16 && read.extendedCDB[15] == 31)
    #expect(read.bidirectionalReadLength == 0x0102_0304)
  }

  @Test("segments that end outside, repeat or are unknown are refused") func badSegments() {
    for bytes: [UInt8] in [
      [0, 17, 1, 0], [0, 5, 2, 0, 0, 0, 0, 1, 0, 5, 2, 0, 0, 0, 0, 1], [0, 1, 3, 0],
      [0, 0, 1, 0], [0xFF, 0xFF, 1, 0],
    ] {
      var header = header([0: 1])
      header.setAdditionalHeader(byteCount: bytes.count)
      #expect(throws: PDUError.self) { try AdditionalHeaderSegments(bytes.span, of: header) }
    }
  }

  @Test("serial numbers wrap around") func serialNumbers() {
    let last = SerialNumber(0xFFFF_FFFF)
    #expect(last.advanced(by: 1) == SerialNumber(0))
    #expect(last < SerialNumber(3) && SerialNumber(3) > last)
    #expect(last.distance(to: SerialNumber(3)) == 4)
    #expect(!(SerialNumber(0) < SerialNumber(0x8000_0000)))
  }
}
