import CRegion

// Chunks hang together by their links, one number for each. A free chunk is on the header's list; one
// that is neither there nor in the chain of a job is found again by `repair`.
extension Arbitration {
  func link(_ chunk: UInt32) -> UInt32 { memory.load32(geometry.linksOffset + Int(chunk) * 4) }

  func setLink(_ chunk: UInt32, _ next: UInt32) {
    memory.store32(geometry.linksOffset + Int(chunk) * 4, next)
  }

  func isChunk(_ chunk: UInt32) -> Bool { chunk < UInt32(geometry.chunkCount) }

  /// The first `count` chunks of the chain at `head`.
  func chain(_ head: UInt32, count: Int) throws(RegionError) -> [UInt32] {
    guard count <= geometry.chunkCount else { throw .damaged }
    var chunks: [UInt32] = []
    chunks.reserveCapacity(count)
    var next = head
    while chunks.count < count {
      guard isChunk(next) else { throw .damaged }
      chunks.append(next)
      next = link(next)
    }
    return chunks
  }

  /// The chain of `byteCount` bytes at `head`, as the region tells them.
  func chunkList(_ head: UInt32, byteCount: UInt64) throws(RegionError) -> ChunkList {
    if head == cr_none { return .empty }
    guard byteCount <= UInt64(geometry.listBytesMaximum) else { throw .damaged }
    let count = Int(byteCount)
    return ChunkList(
      chunks: try chain(head, count: geometry.chunksFor(count)), byteCount: count)
  }

  /// Takes chunks for `byteCount` bytes off the free list.
  mutating func allocate(_ byteCount: Int) throws(RegionError) -> ChunkList {
    guard byteCount >= 0, byteCount <= geometry.listBytesMaximum else {
      throw .tooLong(limitBytes: geometry.listBytesMaximum)
    }
    let count = geometry.chunksFor(byteCount)
    if count == 0 { return .empty }
    while Int(header[.freeChunkCount]) < count {
      guard evictResult(where: { $0[.listHead] != cr_none || $0[.dataHead] != cr_none }) else {
        throw .full(.chunks)
      }
    }
    let chunks = try chain(header[.freeChunk], count: count)
    let last = chunks[count - 1]
    header[.freeChunk] = link(last)
    header[.freeChunkCount] = header[.freeChunkCount] &- UInt32(count)
    setLink(last, cr_none)
    return ChunkList(chunks: chunks, byteCount: byteCount)
  }

  /// Puts the chain at `head` back. A broken chain is left to `repair`.
  func free(_ head: UInt32) {
    var last = head
    var count: UInt32 = 0
    while isChunk(last), count < UInt32(geometry.chunkCount) {
      count += 1
      let next = link(last)
      if next == cr_none {
        setLink(last, header[.freeChunk])
        header[.freeChunk] = head
        header[.freeChunkCount] = header[.freeChunkCount] &+ count
        return
      }
      last = next
    }
  }

  /// Where a chunk's bytes begin.
  func place(_ chunk: UInt32) -> Int {
    precondition(isChunk(chunk), "a chunk is checked before use")
    return geometry.chunksOffset + Int(chunk) * geometry.chunkBytes
  }
}

extension RegionGeometry {
  /// Copies `bytes` into the chunks of `list`; outside the mutex, by the one they were given to.
  func fill(_ list: ChunkList, with bytes: [UInt8], in memory: RegionMemory) {
    precondition(bytes.count == list.byteCount, "chunks are taken for as many bytes as there are")
    for (number, chunk) in list.chunks.enumerated() {
      let start = number * chunkBytes
      memory.store(
        chunksOffset + Int(chunk) * chunkBytes, bytes[start..<min(start + chunkBytes, bytes.count)])
    }
  }

  /// Copies the bytes of `list` out.
  func bytes(of list: ChunkList, in memory: RegionMemory) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(list.byteCount)
    for chunk in list.chunks {
      bytes += memory.bytes(
        chunksOffset + Int(chunk) * chunkBytes, min(chunkBytes, list.byteCount - bytes.count))
    }
    return bytes
  }
}
