import SCSI
import Uring

extension FileDisk {
  /// Between the file's transfers and the disk's clients.
  final class Transfers: FileClient {
    var blockLength = 1
    var failed: ((DiskFailure) -> Void)?
    /// Told the errno.
    var durableWriteFailed: (Int32) -> Void = { _ in }
    private var operations = OperationTable<Operation>()

    func begin(_ operation: consuming Operation) -> UInt64 {
      UInt64(operations.insert(operation))
    }

    override func finish(_ transfer: consuming FileTransfer) {
      let operation = operations.remove(at: Int(transfer.tag))
      if operation.isDurable, transfer.errno != 0 { durableWriteFailed(transfer.errno) }
      var status = DeviceStatus.good(transfer.byteCount)
      if transfer.errno != 0 || transfer.byteCount < operation.length {
        let block = (operation.offset + UInt64(transfer.byteCount)) / UInt64(blockLength)
        status.byteCount = transfer.byteCount / blockLength * blockLength
        status.condition =
          transfer.errno == 0
          ? Condition(.mediumError, .unrecoveredReadError, information: Int64(clamping: block))
          : .disk(errno: transfer.errno, writing: operation.writing, block: block)
        failed?(
          DiskFailure(operation.writing ? .write : .read, block: block, errno: transfer.errno))
      }
      operation.client.complete(
        DeviceCompletion(tag: operation.tag, status: status, payload: transfer.takePayload()))
    }
  }
}
