public import SCSI

/// A parameter list that was refused, or that cannot be written in its form.
public struct ParameterListError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// The list ends inside its header or inside a descriptor.
    case truncated(needed: Int, count: Int)
    /// The lengths in the header add up to another length than the list has.
    case lengthsDoNotClose(sum: Int, count: Int)
    /// Target and segment descriptors together are longer than the limit.
    case descriptorListTooLong(Int, limit: Int)
    /// The target descriptor list does not end where a descriptor ends.
    case targetListLength(Int)
    /// Neither a 16-byte nor a 12-byte header: the byte where one of them has its first target.
    case headerNotRecognised(UInt8)
    case tooManyTargets(limit: Int)
    case tooManySegments(limit: Int)
    case unsupportedTarget(typeCode: UInt8)
    case unsupportedSegment(typeCode: UInt8)
    case inlineDataTooLong(Int, limit: Int)
    /// A field, by its name in the standard, has a value that is not allowed there.
    case invalidField(String, value: UInt64)
    /// A field, by its name in the standard, cannot say what was to be written.
    case notEncodable(String)
  }

  /// What is wrong.
  public let reason: Reason
  /// Where: first byte of the field, from the start of the list.
  public let offset: Int
  /// Number of the segment descriptor the field belongs to, if it belongs to one.
  public let segment: Int?
  /// First byte of the segment descriptor, from the start of the list; 0 where `segment` is `nil`.
  public let segmentOffset: Int
  /// The highest bit of the field, where it is smaller than a byte.
  public let bit: UInt8?

  init(
    _ reason: Reason, at offset: Int = 0, segment: Int? = nil, segmentOffset: Int = 0,
    bit: UInt8? = nil
  ) {
    self.reason = reason
    self.offset = offset
    self.segment = segment
    self.segmentOffset = segmentOffset
    self.bit = bit
  }

  /// The sense data that refuses the list: ILLEGAL REQUEST, because nothing was started.
  ///
  /// In a target descriptor and in the header the field pointer counts from the start of the list, in a
  /// segment descriptor from its start (SD is one, the segment number is in the command-specific
  /// information). There is none where 16 bits cannot hold it.
  public var sense: SenseData {
    let pointer = UInt16(exactly: offset - segmentOffset)
    return SenseData(
      key: .illegalRequest, additional: additional,
      fieldPointer: pointer.map {
        SenseData.FieldPointer(offset: $0, inSegment: segment != nil, bitPointer: bit)
      },
      copySegment: segment.flatMap { UInt16(exactly: $0) })
  }

  private var additional: AdditionalSense {
    switch reason {
    case .truncated, .lengthsDoNotClose, .descriptorListTooLong, .targetListLength:
      .parameterListLengthError
    case .headerNotRecognised, .invalidField, .notEncodable: .invalidFieldInParameterList
    case .tooManyTargets: .tooManyTargetDescriptors
    case .tooManySegments: .tooManySegmentDescriptors
    case .unsupportedTarget: .unsupportedTargetDescriptorTypeCode
    case .unsupportedSegment: .unsupportedSegmentDescriptorTypeCode
    case .inlineDataTooLong: .inlineDataLengthExceeded
    }
  }
}

extension ParameterListError: CustomStringConvertible {
  /// One line: what is wrong, and where.
  public var description: String {
    var place = "byte \(offset)"
    if let segment { place += " (segment \(segment), byte \(offset - segmentOffset))" }
    return place + ": " + what
  }

  private var what: String {
    switch reason {
    case .truncated(let needed, let count):
      "the list ends after \(count) bytes, \(needed) are needed"
    case .lengthsDoNotClose(let sum, let count):
      "header and lengths add up to \(sum) bytes, the list has \(count)"
    case .descriptorListTooLong(let length, let limit):
      "\(length) bytes of descriptors, at most \(limit) are accepted"
    case .targetListLength(let length):
      "a target descriptor list of \(length) bytes does not end where a descriptor ends"
    case .headerNotRecognised(let byte):
      "\(hexadecimal(byte)) is neither 00h (16-byte header) nor E0h to EFh (12-byte header)"
    case .tooManyTargets(let limit): "more than \(limit) target descriptors"
    case .tooManySegments(let limit): "more than \(limit) segment descriptors"
    case .unsupportedTarget(let code):
      "target descriptor type code \(hexadecimal(code)) is not supported"
    case .unsupportedSegment(let code):
      "segment descriptor type code \(hexadecimal(code)) is not supported"
    case .inlineDataTooLong(let length, let limit):
      "\(length) bytes of inline data, at most \(limit) are accepted"
    case .invalidField(let name, let value): "\(name) must not be \(value)"
    case .notEncodable(let why): why
    }
  }
}
