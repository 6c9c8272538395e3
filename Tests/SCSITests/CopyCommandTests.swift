import SCSI
import Testing

@Suite("CDBs of third-party copy")
struct CopyCommandTests {
  @Test("EXTENDED COPY, byte for byte")
  func extendedCopy() {
    let bytes: [UInt8] = [0x83, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x74, 0, 0x04]
    let command = ExtendedCopyCommand(serviceAction: .lid4, parameterListLength: 372, control: 4)
    #expect(command.bytes == bytes)
    #expect(ExtendedCopyCommand(bytes) == command)
  }

  @Test("service actions of EXTENDED COPY that have a list identifier in the CDB")
  func listIdentifier() {
    for action in [
      ExtendedCopyCommand.ServiceAction.populateToken, .writeUsingToken, .copyOperationAbort,
    ] {
      let command = ExtendedCopyCommand(
        serviceAction: action, listIdentifier: 0x0102_0304, parameterListLength: 16)
      #expect(command.bytes.count == 16)
      #expect(ExtendedCopyCommand(command.bytes) == command)
      let offset = action == .copyOperationAbort ? 2 : 6
      #expect(Array(command.bytes[offset..<(offset + 4)]) == [1, 2, 3, 4])
    }
  }

  @Test("RECEIVE COPY RESULTS, with a list identifier of one byte and of four")
  func receiveCopyResults() {
    let short = ReceiveCopyResultsCommand(
      serviceAction: .failedSegmentDetails, listIdentifier: 0x7F, allocationLength: 0x0102)
    #expect(short.bytes == [0x84, 0x04, 0x7F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x02, 0, 0])
    #expect(ReceiveCopyResultsCommand(short.bytes) == short)
    let long = ReceiveCopyResultsCommand(
      serviceAction: .copyStatusLID4, listIdentifier: 0x0102_0304, allocationLength: 32)
    #expect(long.bytes == [0x84, 0x05, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0])
    #expect(ReceiveCopyResultsCommand(long.bytes) == long)
  }

  @Test("that are too short, or of other commands, are none")
  func others() {
    let bytes = ExtendedCopyCommand(parameterListLength: 1).bytes
    #expect(ExtendedCopyCommand(Array(bytes.dropLast())) == nil)
    #expect(ReceiveCopyResultsCommand(bytes) == nil)
    #expect(ExtendedCopyCommand([]) == nil)
  }

  @Test("names of status, additional sense and designators")
  func names() {
    #expect(Status.taskSetFull.description == "TASK SET FULL")
    #expect(Status(rawValue: 0x22).description == "status 22h")
    #expect(AdditionalSense.unexpectedInexactSegment.description == "UNEXPECTED INEXACT SEGMENT")
    #expect(AdditionalSense(code: 0x99, qualifier: 1).description == "additional sense 99h/01h")
    #expect(Designator.naa([0x50, 0x01]).description == "NAA 5001")
    let text = Designator(codeSet: 2, association: 0, type: 1, bytes: Array("ECOPY".utf8))
    #expect(text.description == "T10 vendor identification ECOPY")
  }
}
