import ExtendedCopy
import SCSI
import Testing

/// What we write, told by Wireshark's dissector, which others wrote. It knows headers and target descriptors in
/// full, segment descriptors by their common fields and 02h in full.
@Suite("Wireshark's dissector reads what we write")
struct DissectorTests {
  /// Each of `expected` must come in `lines`, in this order.
  private func expect(
    _ expected: [String], in lines: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var rest = lines[...]
    for line in expected {
      guard let index = rest.firstIndex(where: { $0.hasSuffix(line) }) else {
        Issue.record(
          "missing: \(line) in \(rest.joined(separator: "\n"))", sourceLocation: sourceLocation)
        return
      }
      rest = rest[(index + 1)...]
    }
  }

  private func dissect(_ list: [UInt8], _ action: ServiceAction = .lid1) throws -> [String] {
    var capture = PacketCapture()
    capture.command(
      ExtendedCopyCommand(serviceAction: action, parameterListLength: UInt32(list.count)).bytes,
      dataOut: list)
    return try capture.dissected()
  }

  @Test("the backup list: header, designators, devices, segments")
  func backup() throws {
    var list = Golden.list(.lid1)
    list.sequentialStriped = true
    list.priority = 3
    expect(
      [
        "Service action: Extended Copy (LID1) (0x00)", "Parameter list length (bytes): 116",
        "List ID: 1", "Sequential strip bit (str): 0x1", "List ID usage: 0x2", "Priority: 0x3",
        "CSCD descriptor list length: 64", "Segment descriptor list length: 36",
        "Inline data length: 0",
        "CSCD description type code: Identification Descriptor CSCD descriptor (228)",
        "LU type: Logical Unit Number (0)", "Peripheral Device Type: Block devices (0)",
        "code set: Identifier field contains binary values (1)", "designator type: NAA (3)",
        "designator length: 16", "Vendor Specific Identifier Extension: 08090a0b0c0d0e0f",
        "Disk block length: 512",
        "Peripheral Device Type: Sequential access devices (1)",
        "designator length: 8", "NAA Designator Type: IEEE Registered (5)",
        "Segment descriptor type code: Block to stream (0)", "CAT bit: 0",
        "Segment descriptor length (bytes): 20", "Segment descriptor source ID: 0x0000",
        "Segment descriptor destination ID: 0x0001",
        "Segment descriptor type code: Segment descriptors (16)",
        "Segment descriptor length (bytes): 8", "Segment descriptor destination ID: 0x0001",
      ], in: try dissect(try list.encode()))
  }

  @Test("block to block with CAT and DC")
  func blockToBlock() throws {
    let list = ParameterList(
      listIdentifier: 7, targets: [Golden.list(.lid1).targets[0]],
      segments: [
        SegmentDescriptor(
          cat: true, source: 0, destination: 0,
          operation: .blockToBlock(
            countsDestinationBlocks: true, fastCopyOnly: false, blocks: 2048, sourceLBA: 123_456,
            destinationLBA: 654_321))
      ])
    expect(
      [
        "List ID: 7", "Segment descriptor type code: Block to block (2)",
        "designation count bit: 1", "CAT bit: 1", "Segment descriptor length (bytes): 24",
        "Number of blocks: 2048", "Source LBA: 0x000000000001e240",
        "Destination LBA: 0x000000000009fbf1",
      ], in: try dissect(try list.encode()))
  }

  @Test("a target by its port name, and inline data")
  func portName() throws {
    let list = ParameterList(
      targets: [
        TargetDescriptor(
          identification: .wwn(0x5006_0E80_1234_5678), peripheralDeviceType: 1,
          relativeInitiatorPort: 9, device: .stream(pad: true, fixed: false, blockLength: 0))
      ], inlineData: Array(0..<16))
    expect(
      [
        "Inline data length: 16", "(224)", "Peripheral Device Type: Sequential access devices (1)",
        "Relative Initiator Port ID: 9",
      ], in: try dissect(try list.encode()))
  }

  @Test("a failed copy's sense data in the fixed format")
  func fixedSense() throws {
    let sense = SenseData(
      key: .copyAborted, additional: .thirdPartyDeviceFailure, information: 1234,
      fieldPointer: .init(offset: 48), copySegment: 3)
    var capture = PacketCapture()
    capture.command(ExtendedCopyCommand(parameterListLength: 1).bytes, dataOut: [0])
    capture.response(sense: sense.fixedBytes())
    expect(
      [
        "SNS Error Type: Current Error (0x70)", "Sense Key: Copy Aborted (0xa)",
        "Sense Info: 0x000004d2",
        "Additional Sense Length: 10", "Command-Specific Information: 00000003",
        "Third Party Device Failure (0x0d01)", "SKSV: True", "Sense Key Specific: 0x000030",
      ], in: try capture.dissected())
  }

  @Test("operating parameters; it does not know the other answers")
  func results() throws {
    let parameters = OperatingParameters(
      maximumTargets: 2046, maximumSegments: 16_384, maximumDescriptorListBytes: 1 << 20,
      maximumSegmentBytes: 1 << 28, maximumInlineBytes: 0xFF_FFFF, heldDataLimitBytes: 65_536,
      maximumStreamTransferBytes: 8 << 20, totalConcurrentCopies: 255, maximumConcurrentCopies: 16,
      dataSegmentGranularity: 9, inlineDataGranularity: 2, heldDataGranularity: 3,
      typeCodes: [0x00, 0x02, 0x10, 0xE4])
    var capture = PacketCapture()
    capture.command(
      ReceiveCopyResultsCommand(serviceAction: .operatingParameters, allocationLength: 1024).bytes,
      dataInLength: 1024)
    capture.dataIn(parameters.encode())
    expect(
      [
        "Available data: 44", "SNLID bit: 1", "Max. CSCD descriptors count: 2046",
        "Max. segment descriptors count: 16384", "Max. descriptor list length: 1048576",
        "Max. segment length: 268435456", "Max. inline data length: 16777215",
        "Held data limit: 65536", "Max. stream device transfer size: 8388608",
        "Total number of concurrent copies: 255", "Max. number of concurrent copies: 16",
        "Data segment granularity: 9", "Inline data granularity: 2", "Held data granularity: 3",
        "Implemented description list length: 4", "(0)", "(2)", "(16)", "(228)",
      ], in: try capture.dissected())
  }
}
