import Devices
import ExtendedCopy
import SCSI

/// The arithmetic of one segment that moves data (SPC-4 5.16.7, SPC-2 7.2.7.2): how much is read,
/// processed and written, and what is left over, all known before any byte moves.
struct DataSegment {
  /// What the count in the descriptor counts.
  enum Amount {
    case processed(UInt64)
    case written(UInt64)
    case processedAndWritten(UInt64)
  }

  var source: SegmentEnd
  var destination: SegmentEnd
  var cat: Bool
  var holds: Bool

  /// Bytes moved from source data to destination data; given bytes not counted.
  var processed: UInt64 = 0
  /// Bytes needed of the source, before rounding to what it reads at once.
  var needed: UInt64 = 0
  /// Bytes written, padding included.
  var written: UInt64 = 0
  /// Zeros at the end of the destination data.
  var padding = 0
  /// What is left of both data before the rules of CAT and PAD.
  var sourceRest: UInt64 = 0, destinationRest: UInt64 = 0
  /// UNEXPECTED INEXACT SEGMENT, once everything whole has been written.
  var isInexact = false
  var keepsSource = true, keepsDestination = true

  init(
    _ segment: SegmentDescriptor, source: SegmentEnd, destination: SegmentEnd, amount: Amount,
    sourceResidual: UInt64, destinationResidual: UInt64
  ) {
    self.source = source
    self.destination = destination
    cat = segment.cat
    holds = segment.holdsData
    var limit: UInt64?
    var given: UInt64 = 0
    switch amount {
    case .processed(let count): processed = count
    case .written(let count):
      limit = count
      processed = count > destinationResidual ? count - destinationResidual : 0
    case .processedAndWritten(let count):
      limit = count
      processed = count
    }
    if case .bytes(let bytes) = source {
      given = UInt64(bytes.count)
      processed = 0
    }
    needed = processed > sourceResidual ? processed - sourceResidual : 0
    sourceRest = sourceResidual + Self.read(needed, from: source) - processed
    let available = destinationResidual + (destination.isNone ? 0 : processed + given)
    let unit = UInt64(destination.unit)
    if destination.isNone {
      destinationRest = destinationResidual
    } else {
      written = limit ?? available / unit * unit
      destinationRest = available - min(available, written)
    }
    settle(unit: unit, isBounded: limit != nil)
  }

  /// Bytes a source delivers where `needed` are asked for: whole blocks of a disk, whole commands of
  /// a tape, and exactly those of a byte range.
  private static func read(_ needed: UInt64, from source: SegmentEnd) -> UInt64 {
    if case .disk(_, _, _, true, _) = source { return needed }
    let unit = UInt64(source.unit)
    return (needed + unit - 1) / unit * unit
  }

  /// What becomes of what is left over: the table of CAT and PAD.
  private mutating func settle(unit: UInt64, isBounded: Bool) {
    if cat { return }
    switch (source.pad, destination.pad) {
    case (false, false):
      isInexact = sourceRest > 0 || destinationRest > 0
    case (true, false):
      keepsSource = false
      keepsDestination = false
    case (let sourcePad, true):
      keepsSource = !sourcePad
      guard destinationRest > 0 else { return }
      if isBounded {
        isInexact = true
      } else {
        padding = Int(unit - destinationRest)
        written += unit
        destinationRest = 0
      }
    }
  }

  /// The residuals that the next segment finds.
  var residualsAfter: (source: UInt64, destination: UInt64) {
    (keepsSource ? sourceRest : 0, keepsDestination ? destinationRest : 0)
  }

  /// INFORMATION: what of the segment was not written, in blocks of the destination; in bytes for a
  /// tape in variable mode.
  func residual(writtenBytes: UInt64) -> UInt64 {
    let left = written - min(written, writtenBytes)
    switch destination {
    case .none, .bytes: return 0
    case .disk(let device, let start, _, _, _):
      if left == 0 { return 0 }
      let blockLength = UInt64(device.blockLength)
      let lead = (start ?? 0) % blockLength
      return (lead + written + blockLength - 1) / blockLength - (lead + writtenBytes) / blockLength
    case .tape(_, _, let recordLength, let isFixed, _):
      return isFixed ? left / UInt64(recordLength) : left
    }
  }
}
