/// Executes a parameter list on devices and says what is left of them.
///
/// Section 5.3 in words: a *source residual* of bytes read and not processed and a *destination
/// residual* of bytes processed and not written live through the whole list. Each segment is done in
/// whole steps: read all it needs, process, write all whole units, then settle what is left over.
///
/// - Parameters:
///   - list: the whole parameter list.
///   - devices: `devices[i]` is what target descriptor `i` names; those not given are missing.
///   - heldDataLimit: the bytes of held data that are kept.
///   - lid4: whether the service action is EXTENDED COPY(LID4).
public func execute(
  list: [UInt8], devices: [ModelDevice], heldDataLimit: Int, lid4: Bool = false
) -> ModelResult {
  var result = ModelResult(devices: devices)
  if list.isEmpty { return result }
  let parsed: ModelList
  do {
    parsed = try ModelList(list, lid4: lid4)
  } catch {
    result.status = 2
    (result.senseKey, result.asc, result.ascq) = (0x5, error.asc, error.ascq)
    result.fieldPointer = error.pointer.map { ModelFieldPointer(offset: $0, inSegment: false) }
    return result
  }
  var copy = ModelCopy(list: parsed, result: result)
  for (number, segment) in parsed.segments.enumerated() {
    copy.result.segmentsProcessed = number + 1
    do {
      try copy.perform(segment)
    } catch {
      copy.result.status = 2
      (copy.result.senseKey, copy.result.asc, copy.result.ascq) = (0xA, error.asc, error.ascq)
      copy.result.segmentNumber = number
      copy.result.information = error.information
      copy.result.sourceSense = error.sourceSense
      copy.result.destinationSense = error.destinationSense
      copy.result.fieldPointer = error.pointer
      break
    }
  }
  let excess = copy.result.heldData.count - heldDataLimit
  if excess > 0 {
    copy.result.heldData.removeFirst(excess)
    copy.result.heldDataDiscarded = true
  }
  return copy.result
}

/// Why a segment failed: COPY ABORTED.
struct ModelFailure: Error {
  var asc: UInt8
  var ascq: UInt8
  var pointer: ModelFieldPointer?
  var information: UInt64?
  var sourceSense: ModelSense?
  var destinationSense: ModelSense?

  static let inexactSegment = ModelFailure(asc: 0x26, ascq: 0x0A)
  static func source(_ sense: ModelSense) -> ModelFailure {
    ModelFailure(asc: 0x0D, ascq: 0x01, sourceSense: sense)
  }
  static func destination(_ sense: ModelSense) -> ModelFailure {
    ModelFailure(asc: 0x0D, ascq: 0x01, destinationSense: sense)
  }
}

/// The state of a copy between segments.
struct ModelCopy {
  let list: ModelList
  var result: ModelResult
  var sourceResidual: [UInt8] = []
  var destinationResidual: [UInt8] = []

  init(list: ModelList, result: ModelResult) {
    self.list = list
    self.result = result
  }

  mutating func perform(_ segment: ModelSegment) throws(ModelFailure) {
    if let shape = ModelShape(segment) {
      try move(segment, shape)
      return
    }
    switch segment.code {
    case 0x07:
      _ = try target(of: segment, at: 4)
    case 0x13:
      try copyTapeImage(segment)
    default:
      try positionTape(segment)
    }
  }

  private mutating func positionTape(_ segment: ModelSegment) throws(ModelFailure) {
    var (device, tape, _) = try tape(of: segment, at: 6)
    let bytes = segment.bytes
    do throws(ModelSense) {
      switch segment.code {
      case 0x10:
        try tape.writeFilemarks(field(bytes, at: 9, width: 3))
      case 0x11:
        let count = field(bytes, at: 9, width: 3)
        try tape.space(
          code: bytes[8] & 7, count: count < 0x80_0000 ? count : count - 0x100_0000)
      default:
        try tape.locate(field(bytes, at: 8, width: 4))
      }
      result.devices[device] = .tape(tape)
    } catch {
      result.devices[device] = .tape(tape)
      throw .destination(error)
    }
  }

  private mutating func copyTapeImage(_ segment: ModelSegment) throws(ModelFailure) {
    let (source, _, _) = try tape(of: segment, at: 4)
    let (destination, _, _) = try tape(of: segment, at: 6)
    let stop = field(segment.bytes, at: 8, width: 4)
    var filemarks = 0
    while stop == 0 || filemarks < stop {
      guard case .tape(var from) = result.devices[source], from.position < from.objects.count
      else { return }
      let object = from.objects[from.position]
      from.position += 1
      result.devices[source] = .tape(from)
      guard case .tape(var onto) = result.devices[destination] else { return }
      var sense: ModelSense?
      switch object {
      case .filemark:
        filemarks += 1
        do { try onto.writeFilemarks(1) } catch { sense = error }
      case .record(let bytes):
        filemarks = 0
        result.bytesRead += bytes.count
        let end = onto.write(bytes, blockLength: nil)
        result.bytesWritten += end.bytesWritten
        sense = end.sense
      }
      result.devices[destination] = .tape(onto)
      if let sense, !sense.isEarlyWarning { throw .destination(sense) }
    }
  }
}
