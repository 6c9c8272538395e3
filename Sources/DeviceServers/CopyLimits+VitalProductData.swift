import ExtendedCopy
import SCSI

extension CopyLimits {
  /// Types of third-party copy descriptors. SPC-4 7.8.17.2.
  private enum DescriptorType {
    static let supportedCommands: UInt16 = 0x0001
    static let parameterData: UInt16 = 0x0004
    static let supportedDescriptors: UInt16 = 0x0008
    static let generalCopyOperations: UInt16 = 0x8001
  }

  /// The third-party copy descriptors of VPD page 8Fh: what follows PAGE LENGTH. SPC-4 7.8.17.
  public static let thirdPartyCopyDescriptors: [UInt8] = {
    var writer = ByteWriter()
    append(DescriptorType.supportedCommands, supportedCommands, to: &writer)
    append(DescriptorType.parameterData, parameterData, to: &writer)
    append(
      DescriptorType.supportedDescriptors, [UInt8(typeCodes.count)] + typeCodes, to: &writer)
    append(DescriptorType.generalCopyOperations, generalCopyOperations, to: &writer)
    return writer.bytes
  }()

  /// A descriptor, padded to a multiple of four bytes.
  private static func append(_ type: UInt16, _ body: [UInt8], to writer: inout ByteWriter) {
    let length = (body.count + 3) & ~3
    writer.uint16(type)
    writer.uint16(UInt16(length))
    writer.append(body)
    writer.zeros(length - body.count)
  }

  /// For each operation code its service actions. SPC-4 7.8.17.4.
  private static var supportedCommands: [UInt8] {
    let out = extendedCopyActions.map(\.rawValue)
    let receive = receiveCopyResultsActions.map(\.rawValue)
    let all =
      [ExtendedCopyCommand.operationCode, UInt8(out.count)] + out
      + [ReceiveCopyResultsCommand.operationCode, UInt8(receive.count)] + receive
    return [UInt8(all.count)] + all
  }

  /// SPC-4 7.8.17.5.
  private static var parameterData: [UInt8] {
    var writer = ByteWriter(capacity: 28)
    writer.uint32(0)
    writer.uint16(UInt16(targets))
    writer.uint16(UInt16(segments))
    writer.uint32(UInt32(descriptorListBytes))
    writer.uint32(0)
    writer.pad(to: 28)
    return writer.bytes
  }

  /// SPC-4 7.8.17.13: how many copies, and no limit to the length of a segment.
  private static var generalCopyOperations: [UInt8] {
    var writer = ByteWriter(capacity: 32)
    writer.uint32(UInt32(copies))
    writer.uint32(UInt32(copies))
    writer.uint32(0)
    writer.pad(to: 32)
    return writer.bytes
  }
}
