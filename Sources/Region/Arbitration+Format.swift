import CRegion

extension Arbitration {
  /// Makes an empty region of memory that is zero. The magic number comes last.
  func format() {
    header[.version] = UInt32(CR_VERSION)
    header[.headerBytes] = UInt32(CR_HEADER_BYTES)
    header[.totalBytes] = UInt64(geometry.totalBytes)
    header[.processorCount] = UInt32(geometry.processorCount)
    header[.jobCount] = UInt32(geometry.jobCount)
    header[.noteCount] = UInt32(geometry.noteCount)
    header[.deviceCount] = UInt32(geometry.deviceCount)
    header[.chunkCount] = UInt32(geometry.chunkCount)
    header[.chunkBytes] = UInt32(geometry.chunkBytes)
    for chunk in 0..<UInt32(geometry.chunkCount) {
      setLink(chunk, chunk + 1 < UInt32(geometry.chunkCount) ? chunk + 1 : cr_none)
    }
    header[.freeChunk] = 0
    header[.freeChunkCount] = UInt32(geometry.chunkCount)
    header[.magic] = cr_magic
  }
}

extension RegionGeometry {
  /// What the region of `byteCount` bytes at hand says it is, checked.
  init(of header: Record<cr_header>, byteCount: Int) throws(RegionError) {
    guard header[.magic] == cr_magic else { throw .notARegion("it does not begin like one") }
    let version = header[.version]
    guard version == UInt32(CR_VERSION), header[.headerBytes] == UInt32(CR_HEADER_BYTES) else {
      throw .notARegion("it has version \(version), and this program knows \(CR_VERSION)")
    }
    guard let geometry = RegionGeometry(header: header) else {
      throw .notARegion("its sizes are out of range")
    }
    guard geometry.totalBytes == byteCount, header[.totalBytes] == UInt64(byteCount) else {
      throw .notARegion("it has \(byteCount) bytes and not \(geometry.totalBytes)")
    }
    self = geometry
  }
}
