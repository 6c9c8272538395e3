import Devices
import SCSI
import Uring

/// Steps of commands that are not one transfer: each runs under a range that the caller holds.
extension BlockStore {
  /// Bytes of a chunk of whole blocks, not more than the buffers give.
  var chunkBlocks: UInt64 {
    UInt64(max(1, min(Self.chunkByteCount, share.byteCount / 4) / blockLength))
  }

  /// Reads blocks, gives them to `body` and returns the buffer.
  ///
  /// - Returns: how the read ended; `body` is only called where all blocks were read.
  func withBlocks(
    _ blocks: Range<UInt64>, _ body: (inout Payload) async -> DeviceStatus
  ) async -> DeviceStatus {
    let byteCount = blocks.count * blockLength
    let buffer = await share.take(byteCount)
    let completion = await disk.read(
      at: blocks.lowerBound * UInt64(blockLength), into: buffer)
    var status = whole(completion.status, blocks, writing: false)
    do {
      var payload = completion.takePayload()
      if status.isSuccess { status = await body(&payload) }
    }
    share.giveBack(byteCount)
    return status
  }

  /// Writes what a command has got; the payload is dropped.
  func put(_ blocks: Range<UInt64>, _ payload: consuming Payload, isDurable: Bool) async
    -> DeviceStatus
  {
    let offset = blocks.lowerBound * UInt64(blockLength)
    let status =
      isDurable
      ? await disk.writeThrough(at: offset, from: payload).status
      : await disk.write(at: offset, from: payload).status
    return whole(status, blocks, writing: true)
  }

  /// A status that says of a short transfer what it is: the first block that is missing is bad.
  func whole(_ status: DeviceStatus, _ blocks: Range<UInt64>, writing: Bool) -> DeviceStatus {
    guard status.isSuccess, status.byteCount < blocks.count * blockLength else { return status }
    let bad = blocks.lowerBound + UInt64(max(0, status.byteCount) / blockLength)
    return .check(
      Condition(
        .mediumError, writing ? .writeError : .unrecoveredReadError,
        information: Int64(clamping: bad)),
      byteCount: status.byteCount)
  }
}
