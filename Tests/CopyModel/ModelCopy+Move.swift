/// The segments that process data: 00h to 06h and 08h to 0Fh.
extension ModelCopy {
  /// One end of a segment, with its device found.
  private enum End {
    case none
    case data([UInt8])
    case disk(device: Int, blockLength: Int, start: Int?, lbaAt: Int, wholeBlocks: Bool, pad: Bool)
    case tape(device: Int, blocks: Int, blockLength: Int, fixed: Bool, pad: Bool)

    var pad: Bool {
      switch self {
      case .none, .data: false
      case .disk(_, _, _, _, _, let pad), .tape(_, _, _, _, let pad): pad
      }
    }

    var isTape: Bool {
      if case .tape = self { true } else { false }
    }

    /// The bytes that a residual is padded to, and that are written together.
    var unit: Int {
      switch self {
      case .none, .data: 1
      case .disk(_, let blockLength, _, _, _, _): blockLength
      case .tape(_, let blocks, let blockLength, _, _): blocks * blockLength
      }
    }
  }

  mutating func move(_ segment: ModelSegment, _ shape: ModelShape) throws(ModelFailure) {
    let source = try find(shape.source, segment, at: 4)
    let destination = try find(shape.destination, segment, at: 6)
    var literal: [UInt8]?
    if case .data(let offset, let count, let inDescriptor) = shape.source {
      let bytes = inDescriptor ? segment.bytes : list.inlineData
      guard offset + count <= bytes.count else {
        throw ModelFailure(
          asc: 0x26, ascq: 0x0B, pointer: .init(offset: 12, inSegment: true))
      }
      literal = Array(bytes[offset..<offset + count])
    }

    // How much is to be processed, and how much of it the descriptor lets be written.
    let before = destinationResidual.count
    let toProcess: Int
    var writeLimit: Int?
    switch shape.amount {
    case .sourceBlocks(let blocks):
      toProcess = blocks * source.unit
    case .bytesProcessed(let bytes):
      toProcess = bytes
    case .destinationBlocks(let blocks):
      writeLimit = blocks * destination.unit
      toProcess = max(0, blocks * destination.unit - before)
    case .bytesWritten(let bytes):
      writeLimit = bytes
      toProcess = max(0, bytes - before)
    case .bytesProcessedAndWritten(let bytes):
      writeLimit = bytes
      toProcess = bytes
    }
    let toRead = literal == nil ? max(0, toProcess - sourceResidual.count) : 0

    // How much will be written if all goes well.
    var toWrite = 0
    if case .none = destination {
    } else if let writeLimit {
      toWrite = writeLimit
    } else {
      let available = before + toProcess
      toWrite = available / destination.unit * destination.unit
      if !segment.cat, destination.pad, available > toWrite { toWrite += destination.unit }
    }

    try checkRange(source, toRead)
    try checkRange(destination, toWrite)

    // Read.
    let sourceStart = position(source)
    var readFailure: ModelFailure?
    let fresh = literal == nil ? read(source, toRead, &readFailure) : []

    // Process.
    var processed: [UInt8]
    if let literal {
      processed = literal
    } else {
      let all = sourceResidual + fresh
      processed = Array(all.prefix(toProcess))
      sourceResidual = Array(all.dropFirst(toProcess))
    }
    if shape.holds { result.heldData += processed }
    if case .none = destination { processed = [] }
    destinationResidual += processed

    // Write.
    var written = 0
    do throws(ModelFailure) {
      if let writeLimit {
        written = try writeRange(destination, limit: writeLimit)
      } else {
        try writeUnits(destination, at: &written)
      }
      if let readFailure { throw readFailure }
      try settle(segment, source, destination, bounded: writeLimit != nil, at: &written)
    } catch {
      var failure = error
      if written > 0 {
        failure.information = information(destination, toWrite: toWrite, written: written)
      }
      if error.destinationSense != nil, source.isTape, let from = sourceStart,
        let to = position(source), case .tape(let device, _, _, _, _) = source
      {
        result.loosePosition = ModelPositions(device: device, range: from...to)
      }
      result.heldDataIsLoose = shape.holds
      throw failure
    }
  }

  /// What becomes of the residuals at the end of a segment: the table of 5.3.
  private mutating func settle(
    _ segment: ModelSegment, _ source: End, _ destination: End, bounded: Bool,
    at written: inout Int
  ) throws(ModelFailure) {
    if segment.cat { return }
    switch (source.pad, destination.pad) {
    case (false, false):
      if !sourceResidual.isEmpty || !destinationResidual.isEmpty { throw .inexactSegment }
    case (true, false):
      sourceResidual = []
      destinationResidual = []
    case (let sourcePad, true):
      if sourcePad { sourceResidual = [] }
      if destinationResidual.isEmpty { return }
      if bounded { throw .inexactSegment }
      let missing = destination.unit - destinationResidual.count
      destinationResidual += [UInt8](repeating: 0, count: missing)
      try writeUnits(destination, at: &written)
    }
  }

  private func find(
    _ side: ModelShape.Side, _ segment: ModelSegment, at indexOffset: Int
  ) throws(ModelFailure) -> End {
    switch side {
    case .none:
      return .none
    case .data:
      return .data([])
    case .block(let lbaAt, let lba, let byteOffset, let wholeBlocks):
      let (device, disk, target) = try disk(of: segment, at: indexOffset)
      var start: Int?
      if lba <= UInt64(disk.bytes.count / disk.blockLength) {
        start = Int(lba) * disk.blockLength + byteOffset
      }
      return .disk(
        device: device, blockLength: disk.blockLength, start: start, lbaAt: lbaAt,
        wholeBlocks: wholeBlocks, pad: target.pad)
    case .stream(let transferLength):
      let (device, _, target) = try tape(of: segment, at: indexOffset)
      if target.fixed, target.blockLength * transferLength > 1 << 30 {
        throw ModelFailure(asc: 0x26, ascq: 0x00)
      }
      return .tape(
        device: device, blocks: target.fixed ? transferLength : 1,
        blockLength: target.fixed ? target.blockLength : transferLength, fixed: target.fixed,
        pad: target.pad)
    }
  }

  /// LOGICAL BLOCK ADDRESS OUT OF RANGE, for the blocks that will in fact be touched.
  private func checkRange(_ end: End, _ count: Int) throws(ModelFailure) {
    guard count > 0, case .disk(let device, let blockLength, let start, let lbaAt, _, _) = end,
      case .disk(let disk) = result.devices[device]
    else { return }
    let capacity = disk.bytes.count / blockLength * blockLength
    if let start, start + count <= capacity { return }
    throw ModelFailure(
      asc: 0x0D, ascq: 0x02, pointer: ModelFieldPointer(offset: lbaAt, inSegment: true))
  }

  private func position(_ end: End) -> Int? {
    guard case .tape(let device, _, _, _, _) = end, case .tape(let tape) = result.devices[device]
    else { return nil }
    return tape.position
  }

  private mutating func read(
    _ source: End, _ count: Int, _ failure: inout ModelFailure?
  ) -> [UInt8] {
    var data: [UInt8] = []
    switch source {
    case .none, .data:
      break
    case .disk(let device, let blockLength, let start, _, let wholeBlocks, _):
      guard count > 0, let start, case .disk(let disk) = result.devices[device] else { break }
      let whole = (count + blockLength - 1) / blockLength * blockLength
      data = Array(disk.bytes[start..<start + (wholeBlocks ? whole : count)])
    case .tape(let device, let blocks, let blockLength, let fixed, _):
      guard case .tape(var tape) = result.devices[device] else { break }
      while data.count < count, failure == nil {
        do {
          data += try tape.read(blocks: blocks, blockLength: blockLength, fixed: fixed)
        } catch {
          failure = .source(error)
        }
      }
      result.devices[device] = .tape(tape)
    }
    result.bytesRead += data.count
    return data
  }

  /// Writes as many whole units of the destination residual as there are.
  private mutating func writeUnits(_ destination: End, at written: inout Int) throws(ModelFailure) {
    switch destination {
    case .none, .data:
      break
    case .disk(let device, let blockLength, let start, _, _, _):
      let count = destinationResidual.count / blockLength * blockLength
      if count > 0, let start { try writeDisk(device, at: start + written, count) }
      written += count
    case .tape(let device, let blocks, let blockLength, let fixed, _):
      guard case .tape(var tape) = result.devices[device] else { break }
      let unit = blocks * blockLength
      var done = 0
      var failure: ModelFailure?
      while destinationResidual.count - done >= unit, failure == nil {
        let end = tape.write(
          Array(destinationResidual[done..<done + unit]), blockLength: fixed ? blockLength : nil)
        done += end.bytesWritten
        if let sense = end.sense, !sense.isEarlyWarning { failure = .destination(sense) }
      }
      destinationResidual.removeFirst(done)
      written += done
      result.bytesWritten += done
      result.devices[device] = .tape(tape)
      if let failure { throw failure }
    }
  }

  /// Writes the destination residual to a byte range of a disk; when the source has failed and the
  /// range cannot be filled, up to the last block that can.
  private mutating func writeRange(_ destination: End, limit: Int) throws(ModelFailure) -> Int {
    guard limit > 0, case .disk(let device, let blockLength, let start?, _, _, _) = destination
    else { return 0 }
    var count = min(limit, destinationResidual.count)
    if count < limit {
      count = max(0, (start + count) / blockLength * blockLength - start)
    }
    if count > 0 { try writeDisk(device, at: start, count) }
    return count
  }

  private mutating func writeDisk(
    _ device: Int, at start: Int, _ count: Int
  ) throws(ModelFailure) {
    guard case .disk(var disk) = result.devices[device] else { return }
    if disk.readOnly { throw .destination(.writeProtected) }
    disk.bytes.replaceSubrange(start..<start + count, with: destinationResidual.prefix(count))
    destinationResidual.removeFirst(count)
    result.bytesWritten += count
    result.devices[device] = .disk(disk)
  }

  /// What of the segment has not been written.
  private func information(_ destination: End, toWrite: Int, written: Int) -> UInt64 {
    switch destination {
    case .none, .data:
      return 0
    case .disk(_, let blockLength, let start, _, _, _):
      if written == toWrite { return 0 }
      let lead = (start ?? 0) % blockLength
      let touched = (lead + toWrite + blockLength - 1) / blockLength
      return UInt64(touched - (lead + written) / blockLength)
    case .tape(_, _, let blockLength, let fixed, _):
      return UInt64(fixed ? (toWrite - written) / blockLength : toWrite - written)
    }
  }
}
