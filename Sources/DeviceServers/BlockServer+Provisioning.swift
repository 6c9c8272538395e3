import Devices
import SAM
import SCSI
import Uring

/// WRITE SAME, UNMAP and GET LBA STATUS: blocks that are zeros, and blocks that are not there.
extension BlockServer {
  /// PROVISIONING STATUS of GET LBA STATUS. SBC-3 5.5.2.
  private enum ProvisioningStatus {
    static let mapped: UInt8 = 0
    static let deallocated: UInt8 = 1
  }

  private static let lbaStatusHeaderLength = 8
  private static let lbaStatusDescriptorLength = 16
  /// Descriptors of one GET LBA STATUS: each may cost two searches in the file system.
  static let lbaStatusDescriptorsMaximum = 256

  /// WRITE SAME. A length of 0 means up to the end of the medium (SBC-3 5.45: WSNZ is 0).
  ///
  /// Zeros are not written where the device can do better: with UNMAP the blocks are given back, and
  /// read as zeros all the same (LBPRZ).
  func writeSame(
    _ request: BlockRequest, _ dataOut: consuming Payload, _ command: Command
  ) async -> BlockAnswer {
    let count = request.blockCount > 0 ? request.blockCount : capacity - request.lba
    let blocks = request.lba..<request.lba + count
    let isZero = request.hasNoDataOut || dataOut.isZero
    if isZero {
      let offset = blocks.lowerBound * UInt64(blockLength)
      let byteCount = count * UInt64(blockLength)
      let answer = await holding(blocks, alone: true, request, command) {
        BlockAnswer(
          request.unmaps
            ? await disk.discard(at: offset, byteCount: byteCount)
            : await disk.writeZeros(at: offset, byteCount: byteCount))
      }
      return await settled(answer)
    }
    guard dataOut.byteCount == blockLength else { return .sense(InvalidField(1).sense) }
    return await settled(await write(dataOut, into: blocks, request, command))
  }

  /// The end of a change that has no way through the cache: where WCE is 0 it is flushed.
  private func settled(_ answer: BlockAnswer) async -> BlockAnswer {
    answer == .good && writesThrough ? BlockAnswer(await disk.flush()) : answer
  }

  private static let sliceWaitNanoseconds: UInt64 = 1_000_000

  /// One block again and again: many slices of the same bytes, each write with its blocks to itself.
  private func write(
    _ block: consuming Payload, into blocks: Range<UInt64>, _ request: BlockRequest,
    _ command: Command
  ) async -> BlockAnswer {
    var at = blocks.lowerBound
    while at < blocks.upperBound, !command.isAborted {
      let part = at..<min(blocks.upperBound, at + UInt64(Arena.mostRanges))
      // Slices are shared by all: what needs many waits while they are few.
      while !command.isAborted, ring.arena.freeSliceCount < ring.arena.sliceCapacity / 4 * 3 {
        await ring.sleep(nanoseconds: Self.sliceWaitNanoseconds)
      }
      let answer = await holding(part, alone: true, request, command) {
        var payload = block.empty()
        for _ in part { payload.append(block.sharing(blockLength)) }
        return BlockAnswer(await store.put(part, payload, isDurable: false))
      }
      guard answer == .good else { return answer }
      at = part.upperBound
    }
    return .good
  }

  /// Bytes that are given back with one call: what waits for some of them waits for that.
  static let discardByteCountMaximum: UInt64 = 1 << 30

  /// UNMAP. SBC-3 5.32: every descriptor is checked before the first is executed.
  func unmap(_ list: [UInt8], _ request: BlockRequest, _ command: Command) async -> BlockAnswer {
    guard request.listLength > 0 else { return .good }
    let ranges: [Range<UInt64>]
    do throws(ByteReaderError) {
      let reader = ByteReader(list.span)
      let descriptorLength = Int(try reader.uint16(at: 2))
      let count = min(descriptorLength, list.count - 8) / 16
      if count > Int(limits.unmapDescriptors) {
        return .sense(
          SenseData(key: .illegalRequest, additional: .invalidFieldInParameterList))
      }
      guard list.count >= 8, 8 + descriptorLength <= list.count || list.count < request.listLength
      else { return .sense(Self.listLengthError) }
      var found: [Range<UInt64>] = []
      for index in 0..<count {
        let lba = try reader.uint64(at: 8 + index * 16)
        let number = UInt64(try reader.uint32(at: 8 + index * 16 + 8))
        if number == 0 { continue }
        let (end, overflows) = lba.addingReportingOverflow(number)
        if overflows || end > capacity {
          return .sense(
            SenseData(key: .illegalRequest, additional: .logicalBlockAddressOutOfRange))
        }
        found.append(lba..<end)
      }
      ranges = found
    } catch {
      return .sense(Self.listLengthError)
    }
    for range in ranges {
      let answer = await discard(range, request, command)
      guard answer == .good else { return answer }
    }
    return await settled(.good)
  }

  private func discard(
    _ blocks: Range<UInt64>, _ request: BlockRequest, _ command: Command
  ) async -> BlockAnswer {
    let most = max(1, Self.discardByteCountMaximum / UInt64(blockLength))
    var at = blocks.lowerBound
    while at < blocks.upperBound, !command.isAborted {
      let part = at..<min(blocks.upperBound, at + most)
      let answer = await holding(part, alone: false, request, command) {
        BlockAnswer(
          await disk.discard(
            at: part.lowerBound * UInt64(blockLength),
            byteCount: UInt64(part.count) * UInt64(blockLength)))
      }
      guard answer == .good else { return answer }
      at = part.upperBound
    }
    return .good
  }

  private static var listLengthError: SenseData {
    SenseData(key: .illegalRequest, additional: .parameterListLengthError)
  }

  /// GET LBA STATUS. SBC-3 5.5: one descriptor for each run of blocks of the same kind.
  func lbaStatus(_ request: BlockRequest, _ command: Command) async -> BlockAnswer {
    let room = (request.listLength - Self.lbaStatusHeaderLength) / Self.lbaStatusDescriptorLength
    let most = max(1, min(Self.lbaStatusDescriptorsMaximum, room))
    var writer = ByteWriter(capacity: 64)
    writer.zeros(Self.lbaStatusHeaderLength)
    var lba = request.lba
    var count = 0
    while lba < capacity, count < most {
      let (end, isHole) = await run(at: lba)
      if let interruption = interruption(of: request, command) { return interruption }
      while lba < end, count < most {
        let number = UInt32(clamping: end - lba)
        writer.uint64(lba)
        writer.uint32(number)
        writer.uint8(
          isHole ? ProvisioningStatus.deallocated : ProvisioningStatus.mapped)
        writer.zeros(3)
        lba += UInt64(number)
        count += 1
      }
    }
    let length = UInt32(writer.count - 4)
    writer.set(uint16: UInt16(truncatingIfNeeded: length >> 16), at: 0)
    writer.set(uint16: UInt16(truncatingIfNeeded: length), at: 2)
    return .data(writer.bytes, upTo: request.listLength)
  }

  /// The blocks from `lba` on that are alike, and whether they are not there.
  private func run(at lba: UInt64) async -> (end: UInt64, isHole: Bool) {
    let length = UInt64(blockLength)
    var extent = await disk.extent(at: lba * length)
    var end = min(capacity, max(lba + 1, extent.end / length))
    var next = 0
    // Extents of the file system that touch and are alike are one run.
    while end < capacity, next < Self.lbaStatusDescriptorsMaximum {
      let following = await disk.extent(at: end * length)
      guard following.isHole == extent.isHole else { break }
      let further = min(capacity, max(end + 1, following.end / length))
      extent = Extent(isHole: extent.isHole, end: following.end)
      end = further
      next += 1
    }
    return (end, extent.isHole)
  }
}
