import Devices
import SAM
import SCSI
import Uring

/// VERIFY, WRITE AND VERIFY, COMPARE AND WRITE, ORWRITE: they read before they answer.
extension BlockServer {
  /// Blocks of a request whose data came short end where the data ends.
  private func blocks(_ request: BlockRequest, _ byteCount: Int) -> Range<UInt64> {
    request.lba..<request.lba + min(request.blockCount, UInt64(byteCount / blockLength))
  }

  /// Goes through a range until a step fails. Each chunk is held by itself, together with others: who
  /// wants blocks alone waits for no more than one.
  private func inChunks(
    _ blocks: Range<UInt64>, _ request: BlockRequest, _ command: Command,
    _ step: (Range<UInt64>, inout Payload) -> SenseData?
  ) async -> BlockAnswer {
    var at = blocks.lowerBound
    while at < blocks.upperBound, !command.isAborted {
      let part = at..<min(blocks.upperBound, at + store.chunkBlocks)
      let answer = await holding(part, alone: false, request, command) {
        var found: SenseData?
        let status = await store.withBlocks(part) { payload in
          found = step(part, &payload)
          return .good()
        }
        return found.map { .sense($0) } ?? BlockAnswer(status)
      }
      guard answer == .good else { return answer }
      at = part.upperBound
    }
    return .good
  }

  /// VERIFY. SBC-3 5.34.
  func verify(_ request: BlockRequest, _ dataOut: consuming Payload, _ command: Command) async
    -> BlockAnswer
  {
    guard request.blockCount > 0 else { return .good }
    switch request.byteCheck {
    case .none:
      let all = request.lba..<request.lba + request.blockCount
      return await inChunks(all, request, command) { _, _ in nil }
    case .all:
      return await compare(blocks(request, dataOut.byteCount), dataOut, request, command)
    case .one:
      guard dataOut.byteCount >= blockLength else { return .good }
      let all = request.lba..<request.lba + request.blockCount
      let length = blockLength
      let block = dataOut.sharing(length)
      return await inChunks(all, request, command) { part, payload in
        for index in 0..<part.count {
          let one = payload.sharing(index * length..<(index + 1) * length)
          if let place = one.firstDifference(from: block) { return .miscompare(at: place) }
        }
        return nil
      }
    }
  }

  private func compare(
    _ blocks: Range<UInt64>, _ dataOut: consuming Payload, _ request: BlockRequest,
    _ command: Command
  ) async -> BlockAnswer {
    guard !blocks.isEmpty else { return .good }
    var rest: Payload = dataOut
    let length = blockLength
    return await inChunks(blocks, request, command) { part, payload in
      let expected = rest.removeFirst(part.count * length)
      let before = Int(part.lowerBound - blocks.lowerBound) * length
      return payload.firstDifference(from: expected).map { .miscompare(at: before + $0) }
    }
  }

  /// WRITE AND VERIFY: what is verified is on the medium. SBC-3 5.44.
  func writeAndVerify(
    _ request: BlockRequest, _ dataOut: consuming Payload, _ command: Command
  ) async -> BlockAnswer {
    let blocks = blocks(request, dataOut.byteCount)
    guard !blocks.isEmpty else { return .good }
    if dataOut.byteCount > blocks.count * blockLength {
      dataOut.truncate(to: blocks.count * blockLength)
    }
    guard let held = await store.hold(blocks, alone: false, for: command) else { return .good }
    if let interruption = interruption(of: request, command) {
      store.release(held)
      return interruption
    }
    let completion = await disk.writeThrough(
      at: blocks.lowerBound * UInt64(blockLength), from: dataOut)
    let status = store.whole(completion.status, blocks, writing: true)
    let written = completion.takePayload()
    store.release(held)
    guard status.isSuccess else { return BlockAnswer(status) }
    switch request.byteCheck {
    case .none: return await inChunks(blocks, request, command) { _, _ in nil }
    case .all, .one: return await compare(blocks, written, request, command)
    }
  }

  /// COMPARE AND WRITE. SBC-3 5.3.
  func compareAndWrite(
    _ request: BlockRequest, _ dataOut: consuming Payload, _ command: Command
  ) async -> BlockAnswer {
    let blocks = request.lba..<request.lba + request.blockCount
    let byteCount = blocks.count * blockLength
    guard byteCount > 0 else { return .good }
    guard dataOut.byteCount == 2 * byteCount else { return .sense(InvalidField(13).sense) }
    let expected = dataOut.removeFirst(byteCount)
    guard let held = await store.hold(blocks, alone: true, for: command) else { return .good }
    defer { store.release(held) }
    var difference: Int?
    let read = await store.withBlocks(blocks) { payload in
      difference = payload.firstDifference(from: expected)
      return .good()
    }
    guard read.isSuccess else { return BlockAnswer(read) }
    if let interruption = interruption(of: request, command) { return interruption }
    if let difference { return .sense(.miscompare(at: difference)) }
    return BlockAnswer(
      await store.put(blocks, dataOut, isDurable: request.forcesUnitAccess || writesThrough))
  }

  /// ORWRITE. SBC-3 5.11.
  func orWrite(
    _ request: BlockRequest, _ dataOut: consuming Payload, _ command: Command
  ) async -> BlockAnswer {
    let blocks = blocks(request, dataOut.byteCount)
    guard !blocks.isEmpty else { return .good }
    var result: Payload = dataOut
    result.truncate(to: blocks.count * blockLength)
    guard let held = await store.hold(blocks, alone: true, for: command) else { return .good }
    defer { store.release(held) }
    let read = await store.withBlocks(blocks) { payload in
      result.formUnion(with: payload)
      return .good()
    }
    guard read.isSuccess else { return BlockAnswer(read) }
    if let interruption = interruption(of: request, command) { return interruption }
    return BlockAnswer(
      await store.put(blocks, result, isDurable: request.forcesUnitAccess || writesThrough))
  }
}
