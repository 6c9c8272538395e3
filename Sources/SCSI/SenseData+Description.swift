extension SenseData: CustomStringConvertible {
  /// One line: key, additional sense, and every field that is there; what devices answered at the end.
  public var description: String {
    let numbers =
      "\(hexadecimal(key.rawValue)) \(hexadecimal(additional.code))/"
      + hexadecimal(additional.qualifier)
    var parts = ["\(key): \(additional) (\(numbers))"]
    if deferred { parts.append("deferred") }
    if let copySegment { parts.append("segment \(copySegment)") }
    if let information { parts.append("information \(Int64(bitPattern: information))") }
    if filemark { parts.append("filemark") }
    if endOfMedium { parts.append("end of medium") }
    if incorrectLength { parts.append("incorrect length") }
    if let fieldPointer { parts.append(fieldPointer.description) }
    var text = parts.joined(separator: ", ")
    for answer in forwarded {
      text += "; \(answer.origin == .source ? "source" : "destination"): \(answer.status)"
      if answer.sense.isEmpty { continue }
      // Forwarded sense data is the device's own: it is read without what it forwards in turn.
      if var sense = try? SenseData.decode(answer.sense) {
        sense.forwarded = []
        text += ", \(sense)"
      } else {
        text += ", sense \(hexadecimal(answer.sense))"
      }
    }
    return text
  }
}

extension SenseData.FieldPointer: CustomStringConvertible {
  /// Where the field is, in words.
  public var description: String {
    let whole = inCommand ? "CDB" : inSegment ? "segment" : "parameter list"
    let bit = bitPointer.map { "bit \($0) of " } ?? ""
    return "field at \(bit)byte \(offset) of the \(whole)"
  }
}
