import Devices
import SAM
import SCSI
import Uring

/// Commands about the medium as a whole: its size, its cache, and whether it is there.
extension BlockServer {
  /// Blocks that PRE-FETCH brings into the cache at most: what one transfer moves.
  private static let preFetchChunksMaximum = 8

  /// READ CAPACITY(10). SBC-3 5.15.
  var capacity10: [UInt8] {
    var writer = ByteWriter(capacity: 8)
    writer.uint32(UInt32(clamping: capacity - 1))
    writer.uint32(UInt32(clamping: blockLength))
    return writer.bytes
  }

  /// READ CAPACITY(16). SBC-3 5.16: LBPME and LBPRZ where blocks can be given back.
  var capacity16: [UInt8] {
    var writer = ByteWriter(capacity: 32)
    writer.uint64(capacity - 1)
    writer.uint32(UInt32(clamping: blockLength))
    writer.uint8(0)
    writer.uint8(UInt8(truncatingIfNeeded: physicalBlockExponent) & 0x0F)
    writer.uint8(isThin ? 0xC0 : 0)
    writer.pad(to: 32)
    return writer.bytes
  }

  /// READ DEFECT DATA: the list that was asked for, which is empty. SBC-3 5.17, 5.18.
  func defects(_ request: BlockRequest, _ cdb: CommandDescriptorBlock) -> BlockAnswer {
    let isLong = request.operation == .readDefectData12
    let asked = cdb[isLong ? 1 : 2] & 0x1F
    return .data(
      [0, asked] + [UInt8](repeating: 0, count: isLong ? 6 : 2), upTo: request.listLength)
  }

  /// PRE-FETCH. SBC-3 5.8. GOOD: it is not promised that all blocks are in the cache.
  func preFetch(_ request: BlockRequest, _ command: Command) async -> BlockAnswer {
    if request.immediate {
      // It is a hint: one at a time is enough.
      guard !isPrefetching else { return .good }
      isPrefetching = true
      ring.start {
        _ = await self.fetch(request) { self.notReady.map { .sense($0) } }
        self.isPrefetching = false
      }
      return .good
    }
    return await fetch(request) { interruption(of: request, command) }
  }

  private func fetch(
    _ request: BlockRequest, until interruption: () -> BlockAnswer?
  ) async -> BlockAnswer {
    let count = request.blockCount > 0 ? request.blockCount : capacity - request.lba
    var at = request.lba
    let end = at + min(count, store.chunkBlocks * UInt64(Self.preFetchChunksMaximum))
    while at < end {
      let part = at..<min(end, at + store.chunkBlocks)
      let status = await store.withBlocks(part) { _ in .good() }
      guard status.isSuccess else { return BlockAnswer(status) }
      if let stopped = interruption() { return stopped }
      at = part.upperBound
    }
    return .good
  }

  /// SYNCHRONIZE CACHE. SBC-3 5.30. All blocks, whatever range was named. What is lost behind an
  /// immediate answer, the device reports with the next one.
  func synchronizeCache(_ request: BlockRequest) async -> BlockAnswer {
    if request.immediate {
      // What has completed so far is covered by one that has not begun yet.
      guard !hasFlushWaiting else { return .good }
      hasFlushWaiting = true
      ring.start {
        await self.ring.sleep(nanoseconds: 0)
        self.hasFlushWaiting = false
        _ = await self.disk.flush()
      }
      return .good
    }
    return BlockAnswer(await disk.flush())
  }

  /// START STOP UNIT. SBC-3 5.29. There is no motor: a unit that is stopped has its cache on the
  /// medium and stays ready; a power condition changes nothing. Only a medium that is taken out makes
  /// the unit not ready.
  func startStop(_ cdb: CommandDescriptorBlock, _ nexus: Nexus) async -> BlockAnswer {
    guard cdb[4] >> 4 == 0 else { return .good }
    let starts = cdb[4] & 0x01 != 0
    let loads = cdb[4] & 0x02 != 0
    let keepsCache = cdb[4] & 0x04 != 0
    if loads, !options.isRemovable { return .sense(InvalidField(4, bit: 1).sense) }
    // Whoever prevents removal keeps the tray where it is: in, or out.
    if loads, !preventing.isEmpty {
      return .sense(SenseData(key: .illegalRequest, additional: .mediumRemovalPrevented))
    }
    if starts {
      if loads, !isLoaded {
        isLoaded = true
        mediumLoaded(nexus)
      }
      return .good
    }
    if !keepsCache, isLoaded {
      let status = await disk.flush()
      guard status.isSuccess else { return BlockAnswer(status) }
    }
    if loads { isLoaded = false }
    return .good
  }

  /// PREVENT ALLOW MEDIUM REMOVAL. SBC-3 5.9.
  func preventAllow(_ cdb: CommandDescriptorBlock, _ nexus: Nexus) -> BlockAnswer {
    if cdb[4] & 0x01 != 0 {
      preventing.insert(ObjectIdentifier(nexus))
    } else {
      preventing.remove(ObjectIdentifier(nexus))
    }
    return .good
  }
}
