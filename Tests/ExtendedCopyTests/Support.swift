import ExtendedCopy
import SCSI

/// Bytes from hexadecimal digits; spaces do not count.
func hex(_ text: String) -> [UInt8] {
  var bytes: [UInt8] = []
  var high: UInt8?
  for character in text where character != " " {
    guard let digit = character.hexDigitValue.map({ UInt8($0) }) else {
      preconditionFailure("\(character) is not a hexadecimal digit")
    }
    if let first = high {
      bytes.append(first << 4 | digit)
      high = nil
    } else {
      high = digit
    }
  }
  precondition(high == nil, "half a byte is left over")
  return bytes
}

/// The error that decoding ends with, or `nil`.
func refusal(
  _ bytes: [UInt8], _ action: ServiceAction = .lid1, limits: ListLimits = .standard
) -> ParameterListError? {
  do throws(ParameterListError) {
    _ = try ParameterList.decode(bytes, serviceAction: action, limits: limits)
    return nil
  } catch {
    return error
  }
}

/// A 16-byte header and what follows it, lengths filled in.
func list(targets: [UInt8] = [], segments: [UInt8] = [], inline: [UInt8] = []) -> [UInt8] {
  var writer = ByteWriter()
  writer.append([0, 0])
  writer.uint16(UInt16(targets.count))
  writer.uint32(0)
  writer.uint32(UInt32(segments.count))
  writer.uint32(UInt32(inline.count))
  writer.append(targets + segments + inline)
  return writer.bytes
}

/// A list in the 8-byte form.
func proposal(targets: [UInt8], segments: [UInt8], inline: [UInt8] = []) -> [UInt8] {
  var writer = ByteWriter()
  writer.append([0, 0])
  writer.uint16(UInt16(targets.count))
  writer.uint32(UInt32(segments.count))
  writer.append(targets + segments + inline)
  return writer.bytes
}

/// A disk named by its port, as a target descriptor.
let someTarget = hex(
  "E0 00 0000 0000000000000000 5000000000000001 0000000000000000 00 000200")
