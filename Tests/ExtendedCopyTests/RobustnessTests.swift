import ExtendedCopy
import SCSI
import Testing

/// A list with every kind of descriptor the form can say.
func fullList(_ format: ListFormat) -> ParameterList {
  var list = Golden.list(format)
  list.targets += TargetVector.all.map(\.target)
  for vector in SegmentVector.all {
    let code = vector.segment.typeCode
    if format == .proposal, code == 0x03 || code == 0x04 || code == 0x0E { continue }
    list.segments.append(vector.segment)
  }
  if format == .proposal {
    list.segments.append(
      SegmentDescriptor(
        destination: 1,
        operation: .inlineToStream(streamTransferLength: 8, inlineOffset: 0, byteCount: 8)))
  }
  if format != .vendor { list.inlineData = Array(0..<64) }
  return list
}

@Suite("Any bytes")
struct RobustnessTests {
  @Test("a list with every kind of descriptor comes back", arguments: ListFormat.allCases)
  func roundTrip(format: ListFormat) throws {
    let list = fullList(format)
    let bytes = try list.encode()
    let decoded = try ParameterList.decode(bytes, serviceAction: Golden.action(format))
    #expect(decoded == list)
    #expect(try decoded.encode() == bytes)
  }

  @Test("a list cut short anywhere is refused as too short", arguments: ListFormat.allCases)
  func truncation(format: ListFormat) throws {
    let bytes = try fullList(format).encode()
    let inlineIsTheRest = format == .proposal ? 64 : 0
    for length in 0..<(bytes.count - inlineIsTheRest) {
      let sense = refusal(Array(bytes.prefix(length)), Golden.action(format))?.sense
      #expect(sense?.key == .illegalRequest, "\(length) of \(bytes.count) bytes")
      #expect(sense?.additional == .parameterListLengthError, "\(length) of \(bytes.count) bytes")
    }
  }

  @Test("every corruption of one byte is refused or read", arguments: ListFormat.allCases)
  func corruption(format: ListFormat) {
    corrupt(Golden.bytes(format), from: 0, Golden.action(format))
  }

  @Test("every corruption of one byte of any descriptor is refused or read")
  func corruptedDescriptors() {
    for vector in TargetVector.all { corrupt(list(targets: vector.bytes), from: 16, .lid1) }
    for vector in SegmentVector.all { corrupt(list(segments: vector.bytes), from: 16, .lid1) }
  }

  /// Gives each byte from `first` on every other value.
  private func corrupt(_ bytes: [UInt8], from first: Int, _ action: ServiceAction) {
    var failures = 0
    for offset in first..<bytes.count {
      var broken = bytes
      for value in UInt8.min...UInt8.max where value != bytes[offset] {
        broken[offset] = value
        do throws(ParameterListError) {
          let decoded = try ParameterList.decode(broken, serviceAction: action)
          guard value % 32 == 1, let written = try? decoded.encode() else { continue }
          if try ParameterList.decode(written, serviceAction: action) != decoded { failures += 1 }
        } catch {
          let isInside = (0...broken.count).contains(error.offset)
          if error.sense.key != .illegalRequest || !isInside { failures += 1 }
        }
      }
    }
    #expect(failures == 0)
  }

  @Test("every corruption of one byte can be shown", arguments: ListFormat.allCases)
  func corruptionFields(format: ListFormat) throws {
    let bytes = Golden.bytes(format)
    let action = Golden.action(format)
    for offset in bytes.indices {
      for value in [UInt8(0), 0x05, 0x15, 0x7F, 0xE4, 0xEA, 0xFF] {
        var broken = bytes
        broken[offset] = value
        let fields = ParameterList.fields(of: broken, serviceAction: action)
        let areInside = fields.allSatisfy {
          $0.offset >= 0 && $0.length >= 0
            && ($0.offset + $0.length <= broken.count || $0.error != nil)
        }
        #expect(areInside)
        let isRefused = refusal(broken, action) != nil
        #expect(fields.contains { $0.error != nil } == isRefused)
      }
    }
  }
}

@Suite("The walk over fields")
struct ListFieldTests {
  @Test("names what decoding reads, with its offset")
  func names() {
    let fields = ParameterList.fields(of: Golden.bytes(.lid1))
    func value(_ part: String, _ name: String) -> String? {
      fields.first { $0.part == part && $0.name == name }.map { "\($0.offset): \($0.value)" }
    }
    #expect(value("header", "LIST ID USAGE") == "1: 2")
    #expect(value("header", "SEGMENT DESCRIPTOR LIST LENGTH") == "8: 36")
    #expect(value("target 0", "DESIGNATOR") == "24: " + hexadecimal(Golden.naa6))
    #expect(value("target 0", "DISK BLOCK LENGTH") == "45: 512")
    #expect(value("target 1", "PAD") == "76: 1")
    #expect(value("segment 0", "STREAM DEVICE TRANSFER LENGTH") == "89: 65536")
    #expect(value("segment 0", "BLOCK DEVICE LOGICAL BLOCK ADDRESS") == "96: 123456")
    #expect(value("segment 1", "FILEMARK COUNT") == "113: 1")
  }

  @Test("covers every byte that says something", arguments: ListFormat.allCases)
  func coverage(format: ListFormat) throws {
    let bytes = try fullList(format).encode()
    var covered = [Bool](repeating: false, count: bytes.count)
    for field in ParameterList.fields(of: bytes, serviceAction: Golden.action(format)) {
      for index in field.offset..<(field.offset + field.length) { covered[index] = true }
    }
    for index in bytes.indices where bytes[index] != 0 { #expect(covered[index], "byte \(index)") }
  }

  @Test("points at what the list is refused for")
  func pointsAtErrors() {
    var bytes = Golden.bytes(.lid1)
    bytes[83] = 0x15
    let field = ParameterList.fields(of: bytes).first { $0.error != nil }
    #expect(field?.part == "segment 0")
    #expect(field?.name == "DESCRIPTOR LENGTH")
    #expect(field?.offset == 82)
  }
}
