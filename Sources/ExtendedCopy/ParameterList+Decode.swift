public import SCSI

/// The numbers of a header; the flags are read from the list itself.
struct ListHeader {
  let format: ListFormat
  let targetLength: Int
  let segmentLength: Int
  let inlineLength: Int

  var targetOffset: Int { format.headerLength }
  var segmentOffset: Int { targetOffset + targetLength }
  var inlineOffset: Int { segmentOffset + segmentLength }

  /// Reads the header of `list` and checks that its lengths add up to the length of the list.
  init(_ list: borrowing ByteReader, serviceAction: ServiceAction) throws(ParameterListError) {
    format = try ListFormat.recognise(list, serviceAction: serviceAction)
    let layout = format.layout
    guard list.count >= layout.headerLength else {
      throw ParameterListError(.truncated(needed: layout.headerLength, count: list.count))
    }
    do {
      targetLength = try layout.targetLength.read(list)
      segmentLength = try layout.segmentLength.read(list)
      let rest = list.count - layout.headerLength - targetLength - segmentLength
      inlineLength = try layout.inlineLength?.read(list) ?? (layout.hasInlineData ? rest : 0)
      guard rest >= 0, inlineLength == rest else {
        throw ParameterListError(
          .lengthsDoNotClose(
            sum: layout.headerLength + targetLength + segmentLength + inlineLength,
            count: list.count),
          at: Self.culprit(layout, rest: rest, targetLength: targetLength, count: list.count))
      }
    } catch let error as ParameterListError {
      throw error
    } catch {
      throw ParameterListError(.truncated(needed: layout.headerLength, count: list.count))
    }
  }

  /// The first length of the header with which the list is too short, else the last one.
  private static func culprit(
    _ layout: ListFormat.Layout, rest: Int, targetLength: Int, count: Int
  ) -> Int {
    if layout.headerLength + targetLength > count { return layout.targetLength.offset }
    if rest < 0 { return layout.segmentLength.offset }
    return (layout.inlineLength ?? layout.segmentLength).offset
  }
}

extension ParameterList {
  /// Reads a parameter list in any form; which one is seen from its bytes, LID4 from the service action.
  ///
  /// The lengths of the header must add up to `bytes.count`, and no descriptor may reach over the end of
  /// its list. Descriptor numbers are not resolved: what they name is the copy manager's concern. Reserved
  /// fields are not looked at. Limits are checked before anything is stored: lengths first, then counts.
  public static func decode(
    _ bytes: [UInt8], serviceAction: ServiceAction = .lid1, limits: ListLimits = .standard
  ) throws(ParameterListError) -> ParameterList {
    let reader = ByteReader(bytes.span)
    let header = try ListHeader(reader, serviceAction: serviceAction)
    try check(header, limits)
    do {
      var list = try headerFields(reader, header)
      list.targets = try targets(
        try reader.slice(at: header.targetOffset, count: header.targetLength),
        base: header.targetOffset, limits)
      list.segments = try segments(
        try reader.slice(at: header.segmentOffset, count: header.segmentLength),
        base: header.segmentOffset,
        SegmentContext(format: header.format, targets: list.targets), limits)
      list.inlineData = try reader.array(at: header.inlineOffset, count: header.inlineLength)
      return list
    } catch let error as ParameterListError {
      throw error
    } catch {
      throw ParameterListError(.truncated(needed: header.inlineOffset, count: bytes.count))
    }
  }

  static func check(_ header: ListHeader, _ limits: ListLimits) throws(ParameterListError) {
    let layout = header.format.layout
    let descriptors = header.targetLength + header.segmentLength
    guard descriptors <= limits.descriptorListBytes else {
      throw ParameterListError(
        .descriptorListTooLong(descriptors, limit: limits.descriptorListBytes),
        at: layout.segmentLength.offset)
    }
    guard header.inlineLength <= limits.inlineBytes else {
      throw ParameterListError(
        .inlineDataTooLong(header.inlineLength, limit: limits.inlineBytes),
        at: (layout.inlineLength ?? layout.segmentLength).offset)
    }
    guard header.targetLength % TargetDescriptor.slotLength == 0 else {
      throw ParameterListError(
        .targetListLength(header.targetLength), at: layout.targetLength.offset)
    }
    guard header.targetLength / TargetDescriptor.slotLength <= limits.targets else {
      throw ParameterListError(
        .tooManyTargets(limit: limits.targets), at: layout.targetLength.offset)
    }
  }

  static func headerFields(
    _ reader: borrowing ByteReader, _ header: ListHeader
  ) throws -> ParameterList {
    let layout = header.format.layout
    let flags = try reader.uint8(at: 1)
    let usageBits = (flags >> 3 & 0b11) & (layout.hasListIDUsage ? 0b11 : 0b10)
    guard let usage = ListIDUsage(rawValue: usageBits) else {
      preconditionFailure("LIST ID USAGE has two bits and four cases")
    }
    var list = ParameterList(
      format: header.format,
      listIdentifier: UInt32(truncatingIfNeeded: try layout.listIdentifier.read(reader)),
      sequentialStriped: flags & 0x20 != 0, listIDUsage: usage, priority: flags & 0x07)
    if header.format == .lid4 {
      try checkLID4(reader)
      let bits = try reader.uint8(at: 15)
      list.immediate = bits & 0x01 != 0
      list.generateSense = bits & 0x02 != 0
    }
    return list
  }

  private static func checkLID4(_ reader: borrowing ByteReader) throws {
    let format = try reader.uint8(at: 0)
    guard format == 0x01 else {
      throw ParameterListError(.invalidField("PARAMETER LIST FORMAT", value: UInt64(format)), at: 0)
    }
    let length = try reader.uint16(at: 2)
    guard length == 0x20 else {
      throw ParameterListError(
        .invalidField("HEADER CSCD DESCRIPTOR LIST LENGTH", value: UInt64(length)), at: 2)
    }
    let type = try reader.uint8(at: 16)
    guard type == TargetDescriptor.extensionTypeCode else {
      throw ParameterListError(
        .invalidField("HEADER CSCD DESCRIPTOR TYPE CODE", value: UInt64(type)), at: 16)
    }
  }

  private static func targets(
    _ reader: borrowing ByteReader, base: Int, _ limits: ListLimits
  ) throws(ParameterListError) -> [TargetDescriptor] {
    var targets: [TargetDescriptor] = []
    targets.reserveCapacity(reader.count / TargetDescriptor.slotLength)
    var offset = 0
    while offset < reader.count {
      let target = try TargetDescriptor.decode(
        reader, at: offset, base: base, accepting: limits.typeCodes)
      offset += TargetDescriptor.slotLength * target.slots
      targets.append(target)
    }
    return targets
  }

  private static func segments(
    _ reader: borrowing ByteReader, base: Int, _ initial: SegmentContext, _ limits: ListLimits
  ) throws(ParameterListError) -> [SegmentDescriptor] {
    var context = initial
    var segments: [SegmentDescriptor] = []
    segments.reserveCapacity(min(limits.segments, reader.count / 24))
    var offset = 0
    while offset < reader.count {
      guard segments.count < limits.segments else {
        throw ParameterListError(
          .tooManySegments(limit: limits.segments), at: base + offset, segment: segments.count,
          segmentOffset: base + offset)
      }
      let (segment, next) = try SegmentDescriptor.decode(
        reader, at: offset, base: base, number: segments.count, accepting: limits.typeCodes,
        context: &context)
      segments.append(segment)
      offset = next
    }
    return segments
  }
}
