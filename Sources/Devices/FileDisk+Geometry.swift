import Uring

extension FileDisk {
  /// Blocks of a file: how long, and how many.
  struct Geometry: Equatable {
    var blockLength: Int
    var blockCount: UInt64
    var grows: Bool

    init(_ path: String, _ status: FileStatus, _ options: Options) throws(DeviceError) {
      let smallest = status.kind == .blockDevice ? max(1, Int(status.logicalBlockLength)) : 1
      let wanted = options.blockLength ?? (status.kind == .blockDevice ? smallest : 512)
      guard wanted >= 1, wanted <= FileDisk.blockLengthMaximum, wanted % smallest == 0 else {
        throw .blockLength(path: path, blockLength: wanted, smallest: smallest)
      }
      blockLength = wanted
      grows = options.grows && options.writes && status.kind == .regular
      if grows {
        blockCount = UInt64.max / UInt64(wanted)
        return
      }
      guard status.byteCount % UInt64(wanted) == 0 else {
        throw .sizeNotMultiple(path: path, byteCount: status.byteCount, blockLength: wanted)
      }
      blockCount = status.byteCount / UInt64(wanted)
    }
  }
}
