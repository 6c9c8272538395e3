import ExtendedCopy
import SCSI
import Testing

@Suite("Answers of RECEIVE COPY RESULTS")
struct CopyResultsTests {
  @Test("COPY STATUS")
  func copyStatus() throws {
    let bytes = hex("00000008 82 0003 01 00000400")
    let status = CopyStatus(
      heldDataDiscarded: true, state: .completedWithErrors, segmentsProcessed: 3,
      transferCount: TransferCount(units: 1, count: 1024))
    #expect(status.encode() == bytes)
    #expect(try CopyStatus.decode(bytes) == status)
  }

  @Test("a transfer count takes the smallest units that four bytes can count")
  func units() {
    #expect(TransferCount(bytes: 0xFFFF_FFFF) == TransferCount(units: 0, count: 0xFFFF_FFFF))
    #expect(TransferCount(bytes: 0x1_0000_0000) == TransferCount(units: 1, count: 0x40_0000))
    #expect(TransferCount(bytes: .max) == TransferCount(units: 4, count: 0xFF_FFFF))
  }

  @Test("RECEIVE DATA, whole and cut short")
  func heldData() throws {
    let bytes = hex("00000003 414243")
    #expect(HeldData(data: Array("ABC".utf8)).encode() == bytes)
    #expect(try HeldData.decode(bytes).data == Array("ABC".utf8))
    #expect(try HeldData.decode(hex("FFFFFFFF 41")).data == Array("A".utf8))
  }

  @Test("OPERATING PARAMETERS")
  func operatingParameters() throws {
    let bytes = hex(
      "0000002C 01 000000 07FE 4000 00100000 10000000 00FFFFFF 00010000 00800000 0000 00FF"
        + "10 09 02 03 000000 04 00 02 10 E4")
    let parameters = OperatingParameters(
      maximumTargets: 2046, maximumSegments: 16_384, maximumDescriptorListBytes: 1 << 20,
      maximumSegmentBytes: 1 << 28, maximumInlineBytes: 0xFF_FFFF, heldDataLimitBytes: 65_536,
      maximumStreamTransferBytes: 8 << 20, totalConcurrentCopies: 255, maximumConcurrentCopies: 16,
      dataSegmentGranularity: 9, inlineDataGranularity: 2, heldDataGranularity: 3,
      typeCodes: [0x00, 0x02, 0x10, 0xE4])
    #expect(parameters.encode() == bytes)
    #expect(try OperatingParameters.decode(bytes) == parameters)
  }

  @Test("FAILED SEGMENT DETAILS, and none")
  func failedSegmentDetails() throws {
    let bytes = hex(
      "0000003B" + String(repeating: "00", count: 52) + "02 00 0003 700005")
    let details = FailedSegmentDetails(status: .checkCondition, sense: hex("700005"))
    #expect(details.encode() == bytes)
    #expect(try FailedSegmentDetails.decode(bytes) == details)
    #expect(try FailedSegmentDetails.decode(FailedSegmentDetails.none) == nil)
  }

  @Test("RECEIVE COPY STATUS(LID4)")
  func statusLID4() throws {
    let bytes = hex(
      "0000001F 01 02 0102 FFFFFFFF 02 03 03 01 0000000000000400 0003 000000000000 700005")
    let status = CopyStatusLID4(
      state: .completedWithErrors, operationCounter: 0x0102, completionStatus: .checkCondition,
      transferCount: TransferCount(units: 1, count: 1024), segmentsProcessed: 3,
      sense: hex("700005"))
    #expect(status.encode() == bytes)
    #expect(try CopyStatusLID4.decode(bytes) == status)
  }

  // Where the held data stands was not checked against the text of the standard.
  @Test("RECEIVE COPY DATA(LID4)")
  func dataLID4() throws {
    let bytes = hex(
      "00000025 01 01 0000 FFFFFFFF 00 03 03 00 0000000000000000 0001 000000000000 700005"
        + "00000002 4142")
    let answer = HeldDataLID4(
      status: CopyStatusLID4(
        state: .completed, transferCount: TransferCount(units: 0, count: 0), segmentsProcessed: 1,
        sense: hex("700005")),
      data: Array("AB".utf8))
    #expect(answer.encode() == bytes)
    #expect(try HeldDataLID4.decode(bytes) == answer)
  }

  @Test("cut short anywhere do not trap", arguments: 0..<64)
  func truncated(length: Int) {
    for fill in [UInt8(0), 0x10, 0xFF] {
      let bytes = [UInt8](repeating: fill, count: length)
      _ = try? CopyStatus.decode(bytes)
      _ = try? HeldData.decode(bytes)
      _ = try? OperatingParameters.decode(bytes)
      _ = try? FailedSegmentDetails.decode(bytes)
      _ = try? CopyStatusLID4.decode(bytes)
      _ = try? HeldDataLID4.decode(bytes)
      #expect(length >= 12 || (try? CopyStatus.decode(bytes)) == nil)
    }
  }
}
