import Transfer
import Uring

extension CopyCounters {
  /// What a pipeline counted.
  init(_ done: TransferCounters) {
    bytesRead = done.bytesRead
    bytesSkipped = done.bytesSkipped
    bytesWritten = done.bytesWritten
    payloadBytesCopied = done.payloadBytesCopied
    reads = done.reads
    writes = done.writes
    repositionings = done.underruns
  }

  /// Adds what the ring and the files counted.
  mutating func note(
    _ now: RingCounters, since before: RingCounters, _ files: (direct: Int, buffered: Int)
  ) {
    directTransfers = files.direct
    bufferedTransfers = files.buffered
    fixedTransfers = now.fixedTransfers - before.fixedTransfers
    plainTransfers = now.plainTransfers - before.plainTransfers
    enters = now.enters - before.enters
  }
}
