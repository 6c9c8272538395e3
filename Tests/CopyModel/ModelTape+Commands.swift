extension ModelTape {
  /// READ with SILI = 0: in fixed mode `blocks` records of `blockLength`, in variable mode one record.
  mutating func read(
    blocks: Int, blockLength: Int, fixed: Bool
  ) throws(ModelSense) -> [UInt8] {
    var data: [UInt8] = []
    for done in 0..<blocks {
      let left = Int64(fixed ? blocks - done : blockLength)
      guard position < objects.count else { throw .blankCheck(left) }
      let object = objects[position]
      position += 1
      switch object {
      case .filemark:
        throw .filemarkDetected(left)
      case .record(let bytes):
        guard bytes.count == blockLength else {
          throw .incorrectLength(fixed ? left : Int64(blockLength - bytes.count))
        }
        data += bytes
      }
    }
    return data
  }

  /// WRITE: in fixed mode (a block length) several records, in variable mode (nil) one.
  mutating func write(
    _ data: [UInt8], blockLength: Int?
  ) -> (bytesWritten: Int, sense: ModelSense?) {
    if readOnly { return (0, .writeProtected) }
    let recordLength = blockLength ?? data.count
    var room = capacity.map { $0 - recordBytes(before: position) }
    var written = 0
    while written < data.count {
      if let free = room, recordLength > free {
        let left = data.count - written
        return (written, .volumeOverflow(Int64(blockLength.map { left / $0 } ?? left)))
      }
      put(.record(Array(data[written..<written + recordLength])))
      room = room.map { $0 - recordLength }
      written += recordLength
    }
    if let free = room, free < earlyWarning { return (written, .earlyWarning) }
    return (written, nil)
  }

  /// WRITE FILEMARKS.
  mutating func writeFilemarks(_ count: Int) throws(ModelSense) {
    if count == 0 { return }
    if readOnly { throw .writeProtected }
    for _ in 0..<count { put(.filemark) }
  }

  /// SPACE.
  mutating func space(code: UInt8, count: Int) throws(ModelSense) {
    switch code {
    case 0: try space(count, overFilemarks: false)
    case 1: try space(count, overFilemarks: true)
    case 3: position = objects.count
    default: throw .invalidFieldInCDB
    }
  }

  private mutating func space(_ count: Int, overFilemarks: Bool) throws(ModelSense) {
    var left = abs(count)
    while left > 0 {
      let object: Object
      if count > 0 {
        guard position < objects.count else { throw .blankCheck(Int64(left)) }
        object = objects[position]
        position += 1
      } else {
        guard position > 0 else { throw .beginningOfPartition(Int64(left)) }
        position -= 1
        object = objects[position]
      }
      if overFilemarks {
        if object == .filemark { left -= 1 }
      } else {
        if object == .filemark { throw .filemarkDetected(Int64(left)) }
        left -= 1
      }
    }
  }

  /// LOCATE to an object number.
  mutating func locate(_ object: Int) throws(ModelSense) {
    position = min(object, objects.count)
    if object > objects.count { throw .blankCheck(nil) }
  }

  /// One object at the position; what stood there and after it is gone.
  private mutating func put(_ object: Object) {
    objects.removeSubrange(position...)
    objects.append(object)
    position += 1
  }

  private func recordBytes(before position: Int) -> Int {
    var total = 0
    for object in objects[..<position] {
      if case .record(let bytes) = object { total += bytes.count }
    }
    return total
  }
}
