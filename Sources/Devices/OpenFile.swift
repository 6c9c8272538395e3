import CUring
import Glibc
import Uring

/// Receives the transfers of an open file.
class FileClient {
  func finish(_ transfer: consuming FileTransfer) {
    preconditionFailure("a file's client handles its transfers")
  }
}

/// How a transfer ended: with all bytes, at the end of the file, or with an errno behind some.
struct FileTransfer: ~Copyable {
  let tag: UInt64
  let byteCount: Int
  let errno: Int32
  var payload: Payload

  consuming func takePayload() -> Payload { payload }
}

/// Reads and writes that went past the page cache, and through it.
public struct FileCounters: Sendable, Equatable {
  /// Each is one operation of the ring.
  public var directTransfers = 0, bufferedTransfers = 0
}

/// A file with two descriptors: one for direct I/O, where the file system offers it, one without.
///
/// A transfer goes direct when offset, length and every range of memory are multiples of what the
/// file asks for. Writes must be multiples of a page too: a page that is written both ways at once
/// could lose one of them. Short transfers, EAGAIN and EINTR are continued here; payloads of more
/// ranges than one operation takes are transferred in several, one behind the other.
final class OpenFile: CompletionHandler {
  @safe
  private struct Operation: ~Copyable {
    let client: Unmanaged<FileClient>
    let tag: UInt64
    let writing: Bool
    let isDurable: Bool
    /// Where the bytes in flight belong.
    var offset: UInt64
    var isDirect = false
    var attempts = 0
    /// What was transferred before, and what was not submitted yet.
    var done: Payload?
    var rest: Payload?
    /// Bytes in `done`.
    var doneByteCount = 0

    mutating func keep(_ part: consuming Payload) {
      if var done = done.take() {
        done.append(part)
        self.done = consume done
      } else {
        done = consume part
      }
    }

    /// What is left to do behind `payload`.
    mutating func takeRest(behind payload: inout Payload) {
      if let rest = rest.take() { payload.append(rest) }
    }

    /// The payload as it was given.
    mutating func whole(_ payload: consuming Payload) -> Payload {
      var payload = payload
      takeRest(behind: &payload)
      guard var done = done.take() else { return payload }
      done.append(payload)
      return done
    }
  }

  let ring: Ring
  let path: String
  let status: FileStatus
  private(set) var counters = FileCounters()
  private let buffered: RingFile
  private let direct: RingFile?
  private(set) var directAlignment: Int
  private var operations = OperationTable<Operation>()

  /// A transfer that makes no progress this often in a row has failed.
  private static let attemptsMaximum = 1000
  /// Direct writes keep to whole pages.
  static let pageByteCount = 4096

  /// Takes over the descriptors.
  init(_ opened: OpenedFile, path: String, ring: Ring) {
    self.ring = ring
    self.path = path
    status = opened.status
    buffered = ring.know(opened.buffered)
    direct = opened.direct >= 0 ? ring.know(opened.direct) : nil
    directAlignment =
      opened.direct >= 0
      ? Int(max(opened.status.directMemoryAlignment, opened.status.directOffsetAlignment)) : 0
  }

  /// Whether direct I/O is possible.
  var isDirectAvailable: Bool { directAlignment > 0 }
  /// What memory should start on. Less is enough to go direct, but then ext4 takes a write into
  /// blocks that are allocated and not yet written for an unaligned one: it wants the file for
  /// itself, and the ring has to hand it to a kernel worker.
  var memoryAlignment: Int {
    isDirectAvailable ? max(Self.pageByteCount, directAlignment) : 1
  }
  /// For calls that are not transfers.
  var descriptor: Int32 { buffered.descriptor }

  // MARK: Transfers

  func read(
    at offset: UInt64, into payload: consuming Payload, for client: FileClient, tag: UInt64
  ) {
    start(at: offset, payload, client, tag, writing: false)
  }

  /// With `isDurable` the bytes are on the disk when it completes.
  func write(
    at offset: UInt64, from payload: consuming Payload, isDurable: Bool = false,
    for client: FileClient, tag: UInt64
  ) {
    start(at: offset, payload, client, tag, writing: true, isDurable: isDurable)
  }

  private func start(
    at offset: UInt64, _ payload: consuming Payload, _ client: FileClient, _ tag: UInt64,
    writing: Bool, isDurable: Bool = false
  ) {
    let operation = unsafe Operation(
      client: Unmanaged.passUnretained(client), tag: tag, writing: writing, isDurable: isDurable,
      offset: offset)
    submit(operation, payload)
  }

  private func submit(_ operation: consuming Operation, _ payload: consuming Payload) {
    var payload = payload
    if payload.sliceCount > Arena.mostRanges {
      let byteCount = payload.firstRangesByteCount(Arena.mostRanges)
      if byteCount < payload.byteCount {
        let first = payload.removeFirst(byteCount)
        operation.rest = consume payload
        payload = consume first
      }
    }
    operation.isDirect = goesDirect(operation.offset, payload, writing: operation.writing)
    let file = operation.isDirect ? direct ?? buffered : buffered
    if operation.isDirect {
      counters.directTransfers += 1
    } else {
      counters.bufferedTransfers += 1
    }
    let offset = operation.offset
    let writing = operation.writing
    let isDurable = operation.isDurable
    let index = UInt64(operations.insert(operation))
    if writing {
      ring.write(
        file, at: offset, from: payload, isDurable: isDurable, for: self, tag: index)
    } else {
      ring.read(file, at: offset, into: payload, for: self, tag: index)
    }
  }

  private func goesDirect(_ offset: UInt64, _ payload: borrowing Payload, writing: Bool) -> Bool {
    guard directAlignment > 0 else { return false }
    let unit = writing ? max(Self.pageByteCount, directAlignment) : directAlignment
    return offset % UInt64(unit) == 0 && payload.byteCount % unit == 0
      && payload.isAligned(to: directAlignment)
  }

  override func complete(_ completion: consuming Completion) {
    var operation = operations.remove(at: Int(completion.tag))
    let result = completion.result
    var payload = completion.takePayload()
    precondition(Int(result) <= payload.byteCount, "no more is transferred than was asked for")
    if Int(result) == payload.byteCount, operation.rest == nil {
      return end(operation, payload, Int(result), errno: 0)
    }
    if result > 0 {
      operation.attempts = 0
      operation.offset += UInt64(result)
      operation.doneByteCount += Int(result)
      let part = payload.removeFirst(Int(result))
      operation.keep(part)
      operation.takeRest(behind: &payload)
      return submit(operation, payload)
    }
    operation.attempts += 1
    let isOver = operation.attempts >= Self.attemptsMaximum
    switch -result {
    case EAGAIN where !isOver, EINTR where !isOver:
      break
    case EINVAL where operation.isDirect:
      // The file system refuses what statx promised: from now on through the page cache.
      directAlignment = 0
    case 0 where operation.writing:
      return end(operation, payload, 0, errno: EIO)
    default:
      return end(operation, payload, 0, errno: -result)
    }
    operation.takeRest(behind: &payload)
    submit(operation, payload)
  }

  private func end(
    _ operation: consuming Operation, _ payload: consuming Payload, _ byteCount: Int, errno: Int32
  ) {
    var operation = operation
    let whole = operation.whole(payload)
    var transfer: FileTransfer? = FileTransfer(
      tag: operation.tag, byteCount: operation.doneByteCount + byteCount, errno: errno,
      payload: whole)
    unsafe operation.client._withUnsafeGuaranteedRef { client in
      if let transfer = transfer.take() { client.finish(transfer) }
    }
  }

  // MARK: Durability and size

  /// Makes completed writes durable: 0 or -errno.
  func synchronize(withMetadata: Bool) async -> Int32 {
    while true {
      let result = await ring.perform {
        ring.synchronize(buffered, withMetadata: withMetadata, for: $0, tag: 0)
      }
      if result != -EINTR, result != -EAGAIN { return result }
    }
  }

  /// Starts to allocate blocks; the completion says 0 or -errno.
  func allocate(from offset: UInt64, byteCount: UInt64, for handler: CompletionHandler) {
    ring.allocate(buffered, from: offset, byteCount: byteCount, for: handler, tag: 0)
  }

  /// Leaves zeros, and gives the blocks back where `punching`: 0 or -errno. Block devices are told to
  /// unmap, or to write zeros.
  func zero(from offset: UInt64, byteCount: UInt64, punching: Bool) async -> Int32 {
    while true {
      let result = await ring.perform {
        ring.allocate(
          buffered, from: offset, byteCount: byteCount, punchingHole: punching,
          leavingZeros: !punching, for: $0, tag: 0)
      }
      if result != -EINTR, result != -EAGAIN { return result }
    }
  }

  /// Cuts the file: 0 or -errno.
  func truncate(to byteCount: UInt64) async -> Int32 {
    let descriptor = buffered.descriptor
    return await ring.blocking { $0.truncate(descriptor, to: byteCount) }
  }

  /// Ends the use of the file; nothing is in flight.
  func close() async {
    precondition(operations.count == 0, "a file is closed after its last transfer")
    let descriptors = [buffered.descriptor, direct?.descriptor ?? -1]
    ring.forget(buffered)
    if let direct { ring.forget(direct) }
    await ring.blocking { files in
      for descriptor in descriptors where descriptor >= 0 { files.close(descriptor) }
    }
  }
}

extension Payload {
  /// Bytes of the first `count` ranges.
  func firstRangesByteCount(_ count: Int) -> Int {
    var ranges = 0
    var byteCount = 0
    unsafe forEachRange { range in
      if ranges < count { byteCount += range.count }
      ranges += 1
    }
    return byteCount
  }
}
