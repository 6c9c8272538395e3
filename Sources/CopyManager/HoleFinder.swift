import Devices

/// Knows which runs of a disk are holes, so that they need not be read.
struct HoleFinder {
  /// A piece of a range that is all data or all hole.
  struct Piece {
    var range: Range<UInt64>
    var isHole: Bool
  }

  private var known: [ObjectIdentifier: (start: UInt64, extent: Extent)] = [:]
  private var avoided: Set<DeviceIdentity> = []

  /// Shorter holes are read: a seek would cost more.
  static let shortest: UInt64 = 64 << 10

  /// Disks whose holes may fill while the list runs.
  mutating func avoid(_ identities: Set<DeviceIdentity>) { avoided = identities }

  /// The pieces of `range`, in order; borders lie on blocks.
  mutating func pieces(of range: Range<UInt64>, on disk: BlockDevice) async -> [Piece] {
    guard !avoided.contains(disk.identity), range.upperBound - range.lowerBound >= Self.shortest
    else { return [Piece(range: range, isHole: false)] }
    let blockLength = UInt64(disk.blockLength)
    var pieces: [Piece] = []
    var at = range.lowerBound
    while at < range.upperBound {
      let extent = await extent(at: at, on: disk)
      var end = min(extent.end, range.upperBound)
      if end < range.upperBound {
        end = extent.isHole ? end / blockLength * blockLength
          : (end + blockLength - 1) / blockLength * blockLength
      }
      let isHole = extent.isHole && end > at && end - at >= Self.shortest
      if end <= at { end = min(at + blockLength, range.upperBound) }
      end = min(end, range.upperBound)
      if let last = pieces.last, last.isHole == isHole {
        pieces[pieces.count - 1].range = last.range.lowerBound..<end
      } else {
        pieces.append(Piece(range: at..<end, isHole: isHole))
      }
      at = end
    }
    return pieces
  }

  private mutating func extent(at offset: UInt64, on disk: BlockDevice) async -> Extent {
    let key = ObjectIdentifier(disk)
    if let (start, extent) = known[key], start <= offset, offset < extent.end { return extent }
    let extent = await disk.extent(at: offset)
    known[key] = (offset, extent)
    return extent
  }
}
