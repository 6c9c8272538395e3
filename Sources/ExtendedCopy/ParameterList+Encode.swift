internal import SCSI

extension ParameterList {
  /// Writes the list in its form. What was written reads back as an equal list.
  ///
  /// Throws where the form cannot say it: a number too great for its field, inline data in the vendor form,
  /// a list that would be taken for another form.
  public func encode() throws(ParameterListError) -> [UInt8] {
    let layout = format.layout
    var writer = ByteWriter(
      capacity: layout.headerLength + 32 * targets.count + 32 * segments.count + inlineData.count)
    try encodeHeader(into: &writer)
    for target in targets { try target.encode(into: &writer) }
    let segmentOffset = writer.count
    var context = SegmentContext(format: format, targets: targets)
    for segment in segments { try segment.encode(into: &writer, context: &context) }
    let inlineOffset = writer.count
    guard inlineData.isEmpty || layout.hasInlineData else {
      throw .notEncodable("this form has no inline data", at: inlineOffset)
    }
    guard inlineData.count <= ListLimits.standardInlineBytes else {
      throw .notEncodable("inline data has at most 16,777,215 bytes", at: inlineOffset)
    }
    writer.append(inlineData)

    try writer.fill(layout.targetLength, segmentOffset - layout.headerLength)
    try writer.fill(layout.segmentLength, inlineOffset - segmentOffset)
    if let field = layout.inlineLength { try writer.fill(field, inlineData.count) }
    let action: ServiceAction = format == .lid4 ? .lid4 : .lid1
    guard try ListFormat.recognise(ByteReader(writer.bytes.span), serviceAction: action) == format
    else {
      throw .notEncodable("the list would be read as another form", at: 0)
    }
    return writer.bytes
  }

  private func encodeHeader(into writer: inout ByteWriter) throws(ParameterListError) {
    let layout = format.layout
    guard priority <= 7 else { throw .notEncodable("PRIORITY has three bits", at: 1) }
    guard layout.hasListIDUsage || listIDUsage == .hold || listIDUsage == .discard else {
      throw .notEncodable("this form only says hold or discard", at: 1)
    }
    guard format == .lid4 || !(immediate || generateSense) else {
      throw .notEncodable("IMMED and G_SENSE are for LID4", at: 1)
    }
    writer.zeros(layout.headerLength)
    try writer.fill(layout.listIdentifier, Int(listIdentifier))
    writer.set((sequentialStriped ? 0x20 : 0) | listIDUsage.rawValue << 3 | priority, at: 1)
    if format == .lid4 {
      writer.set(0x01, at: 0)
      writer.set(uint16: 0x0020, at: 2)
      writer.set((generateSense ? 0x02 : 0) | (immediate ? 0x01 : 0), at: 15)
      writer.set(TargetDescriptor.extensionTypeCode, at: 16)
    }
  }
}

extension ByteWriter {
  /// Puts a number in a field of the header.
  fileprivate mutating func fill(
    _ field: ListFormat.Field, _ value: Int
  ) throws(ParameterListError) {
    guard value <= field.maximum else {
      throw .notEncodable("\(value) is more than the field holds", at: field.offset)
    }
    for index in 0..<field.width {
      let shift = 8 * (field.width - 1 - index)
      set(UInt8(truncatingIfNeeded: value >> shift), at: field.offset + index)
    }
  }
}
