extension SenseData {
  private enum DescriptorType {
    static let information: UInt8 = 0x00
    static let commandSpecific: UInt8 = 0x01
    static let keySpecific: UInt8 = 0x02
    static let streamCommands: UInt8 = 0x04
    static let blockCommands: UInt8 = 0x05
    static let forwarded: UInt8 = 0x0C
  }

  /// The descriptor format (72h, 73h), at most `maximumLength` bytes. SPC-4 4.5.2.
  ///
  /// The segment number of a copy stands at the end of the command-specific information: the two bytes of
  /// the fixed format's four, right-justified in eight.
  public func descriptorBytes() -> [UInt8] {
    var writer = ByteWriter(capacity: Self.maximumLength)
    writer.append([deferred ? 0x73 : 0x72, key.rawValue, additional.code, additional.qualifier])
    writer.zeros(4)
    if let information {
      writer.append([DescriptorType.information, 0x0A, 0x80, 0])
      writer.uint64(information)
    }
    if let copySegment {
      writer.append([DescriptorType.commandSpecific, 0x0A, 0, 0])
      writer.uint64(UInt64(copySegment))
    }
    if fieldPointer != nil || progress != nil {
      writer.append([DescriptorType.keySpecific, 0x06, 0, 0])
      writer.append(keySpecificBytes)
      writer.uint8(0)
    }
    if filemark || endOfMedium || incorrectLength {
      writer.append([DescriptorType.streamCommands, 0x02, 0])
      writer.uint8(
        (filemark ? 0x80 : 0) | (endOfMedium ? 0x40 : 0) | (incorrectLength ? 0x20 : 0))
    }
    let answers = forwarded.prefix(2)
    for (index, answer) in answers.enumerated() {
      let later = answers.dropFirst(index + 1).reduce(0) { $0 + 4 + $1.sense.count }
      let room = Self.maximumLength - writer.count
      let kept = answer.sense.prefix(max(0, room - min(later, room / 2) - 4))
      let truncated = answer.truncated || kept.count < answer.sense.count
      writer.append([
        DescriptorType.forwarded, UInt8(truncatingIfNeeded: kept.count + 2),
        (truncated ? 0x80 : 0) | answer.origin.rawValue, answer.status.rawValue,
      ])
      writer.append(kept)
    }
    writer.set(UInt8(truncatingIfNeeded: writer.count - 8), at: 7)
    return writer.bytes
  }

  static func decodeDescriptors(_ all: borrowing ByteReader) throws(ByteReaderError) -> SenseData {
    let length = 8 + Int(try all.uint8(at: 7))
    let reader = try all.slice(at: 0, count: min(length, all.count))
    var sense = SenseData(
      key: SenseKey(lowBitsOf: try reader.uint8(at: 1)),
      additional: AdditionalSense(
        code: try reader.uint8(at: 2), qualifier: try reader.uint8(at: 3)),
      deferred: try reader.uint8(at: 0) & 0x7F == 0x73)
    var commandSpecific: UInt64?
    var offset = 8
    while offset < reader.count {
      let type = try reader.uint8(at: offset)
      let body = 2 + Int(try reader.uint8(at: offset + 1))
      let descriptor = try reader.slice(at: offset, count: body)
      offset += body
      switch type {
      case DescriptorType.information:
        if try descriptor.uint8(at: 2) & 0x80 != 0 {
          sense.information = try descriptor.uint64(at: 4)
        }
      case DescriptorType.commandSpecific:
        commandSpecific = try descriptor.uint64(at: 4)
      case DescriptorType.keySpecific:
        let specific = try descriptor.array(at: 4, count: 3)
        sense.fieldPointer = fieldPointer(key: sense.key, specific)
        sense.progress = progress(key: sense.key, specific)
      case DescriptorType.streamCommands, DescriptorType.blockCommands:
        let flags = try descriptor.uint8(at: 3)
        sense.incorrectLength = flags & 0x20 != 0
        if type == DescriptorType.streamCommands {
          sense.filemark = flags & 0x80 != 0
          sense.endOfMedium = flags & 0x40 != 0
        }
      case DescriptorType.forwarded:
        let flags = try descriptor.uint8(at: 2)
        guard let origin = ForwardedSense.Origin(rawValue: flags & 0x0F),
          !sense.forwarded.contains(where: { $0.origin == origin })
        else { break }
        sense.forwarded.append(
          ForwardedSense(
            origin: origin, status: Status(rawValue: try descriptor.uint8(at: 3)),
            sense: try descriptor.array(at: 4, count: body - 4), truncated: flags & 0x80 != 0))
      default:
        break
      }
    }
    if sense.key == .copyAborted || sense.fieldPointer?.inSegment == true {
      sense.copySegment = commandSpecific.flatMap { UInt16(exactly: $0) }
    }
    return sense
  }
}
