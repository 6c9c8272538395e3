internal import SCSI

/// The forms a parameter list of EXTENDED COPY has had.
///
/// They differ in the header, and `proposal` also in some segment descriptors. A new form is a new case
/// here and a row in `layout`.
public enum ListFormat: String, CaseIterable, Hashable, Sendable {
  /// 16-byte header: SPC-2 from revision 16, SPC-3, SPC-4 LID1.
  case lid1
  /// 12-byte header as a backup program sent it: no inline data, segment list length at byte 8.
  case vendor
  /// 12-byte header of the SPC-2 drafts up to revision 15: segment list length at byte 4, inline at 8.
  case draft
  /// 8-byte header of the proposal T10/99-143r1: what is left behind the segments is inline data.
  case proposal
  /// 48-byte header: SPC-4 EXTENDED COPY(LID4), told by the service action.
  case lid4

  /// Where a number of the header stands.
  struct Field {
    let offset: Int
    let width: Int

    func read(_ reader: borrowing ByteReader) throws(ByteReaderError) -> Int {
      switch width {
      case 1: Int(try reader.uint8(at: offset))
      case 2: Int(try reader.uint16(at: offset))
      default: Int(try reader.uint32(at: offset))
      }
    }

    /// The greatest number the field holds.
    var maximum: Int { (1 << (8 * width)) - 1 }
  }

  struct Layout {
    let headerLength: Int
    let listIdentifier: Field
    let targetLength: Field
    let segmentLength: Field
    /// `nil` where nothing says how long the inline data is.
    let inlineLength: Field?
    /// Inline data may follow the segments.
    let hasInlineData: Bool
    /// LIST ID USAGE has two bits; before SPC-3 there was only NRCR, the upper one of them.
    let hasListIDUsage: Bool
  }

  /// Bytes of the header: the first target descriptor stands there.
  public var headerLength: Int { layout.headerLength }

  var layout: Layout {
    switch self {
    case .lid1:
      Layout(
        headerLength: 16, listIdentifier: Field(offset: 0, width: 1),
        targetLength: Field(offset: 2, width: 2), segmentLength: Field(offset: 8, width: 4),
        inlineLength: Field(offset: 12, width: 4), hasInlineData: true, hasListIDUsage: true)
    case .vendor:
      Layout(
        headerLength: 12, listIdentifier: Field(offset: 0, width: 1),
        targetLength: Field(offset: 2, width: 2), segmentLength: Field(offset: 8, width: 4),
        inlineLength: nil, hasInlineData: false, hasListIDUsage: false)
    case .draft:
      Layout(
        headerLength: 12, listIdentifier: Field(offset: 0, width: 1),
        targetLength: Field(offset: 2, width: 2), segmentLength: Field(offset: 4, width: 4),
        inlineLength: Field(offset: 8, width: 4), hasInlineData: true, hasListIDUsage: false)
    case .proposal:
      Layout(
        headerLength: 8, listIdentifier: Field(offset: 0, width: 1),
        targetLength: Field(offset: 2, width: 2), segmentLength: Field(offset: 4, width: 4),
        inlineLength: nil, hasInlineData: true, hasListIDUsage: false)
    case .lid4:
      Layout(
        headerLength: 48, listIdentifier: Field(offset: 20, width: 4),
        targetLength: Field(offset: 42, width: 2), segmentLength: Field(offset: 44, width: 2),
        inlineLength: Field(offset: 46, width: 2), hasInlineData: true, hasListIDUsage: true)
    }
  }

  /// Which form `list` has, from its bytes alone.
  ///
  /// A target descriptor begins with E0h…EFh, and no length can begin so: byte 8 tells the 8-byte header,
  /// byte 12 the 12-byte headers, of which the lengths say which. A list without targets is read as 16-byte.
  static func recognise(
    _ list: borrowing ByteReader, serviceAction: ServiceAction
  ) throws(ParameterListError) -> ListFormat {
    if serviceAction == .lid4 { return .lid4 }
    let reason: ParameterListError.Reason
    do {
      let targetLength = Int(try list.uint16(at: 2))
      if targetLength == 0 { return .lid1 }
      if try list.uint8(at: 8) >= 0xE0 { return .proposal }
      let first = try list.uint8(at: 12)
      if first == 0 { return .lid1 }
      let eight = Int(try list.uint32(at: 8))
      if 0xE0...0xEF ~= first {
        return eight != 0 && 12 + targetLength + eight == list.count ? .vendor : .draft
      }
      let inline = Int(try list.uint32(at: 12))
      let closes = 16 + targetLength + eight + inline == list.count
      reason = closes ? .inlineDataTooLong(inline, limit: 0xFF_FFFF) : .headerNotRecognised(first)
    } catch {
      throw ParameterListError(.truncated(needed: error.offset + error.length, count: error.count))
    }
    throw ParameterListError(reason, at: 12)
  }
}
