import Glibc
import SCSI
import Uring

extension Cartridge {
  func mark(_ count: Int, immediate: Bool) async -> DeviceStatus {
    precondition(queue.isEmpty, "filemarks are written with nothing in flight")
    precondition(count >= 0, "filemarks are counted from 0")
    if count > 0 {
      if isWriteProtected { return .check(Condition(.dataProtect, .writeProtected)) }
      if let failure { return .check(failure) }
      if object < map.objectCount {
        if object < durableObjectCount, let condition = await drop(from: object) {
          return .check(condition)
        }
        map.truncate(to: object)
      }
      map.append(filemarks: UInt64(count))
      object = map.objectCount
    }
    if count == 0 || !immediate, let condition = await synchronize() { return .check(condition) }
    guard count > 0, isPastEarlyWarning(at: object) else { return .good() }
    return .check(Self.earlyWarning)
  }

  /// Makes everything that was written durable: data first, then its entries. What was lost once
  /// stays reported: the tape ends behind what was durable before.
  func synchronize() async -> Condition? {
    if let failure { return failure }
    guard hasWritten || wantsNewIndex || map.objectCount > durableObjectCount else { return nil }
    if hasWritten {
      let result = await data.synchronize(withMetadata: false)
      if result < 0 { return lose(result) }
      hasWritten = false
    }
    let result = wantsNewIndex ? await writeNewIndex() : await appendEntries()
    return result < 0 ? lose(result) : nil
  }

  private func lose(_ result: Int32) -> Condition {
    var condition = Condition.cartridge(errno: -result, writing: true, residual: 0)
    condition.information = nil
    condition.isDeferred = true
    failure = condition
    map.truncate(to: durableObjectCount)
    object = min(object, map.objectCount)
    return condition
  }

  private func appendEntries() async -> Int32 {
    let entries = TapeIndex.entries(of: map, from: durableObjectCount)
    return await append(entries)
  }

  /// The asynchronous way to the same end as `dropDurably`.
  private func drop(from object: UInt64) async -> Condition? {
    let result = await append([.truncate(object: object)])
    if result < 0 { return lose(result) }
    durableObjectCount = object
    if object == 0 { wantsNewIndex = true }
    return nil
  }

  private func append(_ entries: [TapeIndex.Entry]) async -> Int32 {
    guard !entries.isEmpty else { return 0 }
    var extended = index
    let bytes = entries.flatMap { extended.encode($0) }
    let offset = index.byteCount
    let descriptor = indexFile.descriptor
    let result = await ring.blocking { files in
      let written = files.write(descriptor, bytes, at: offset)
      return written == 0 ? files.synchronize(descriptor) : written
    }
    if result == 0 {
      extended.becameDurable()
      index = extended
      durableObjectCount = map.objectCount
    }
    return result
  }

  /// Says that all entries are durable, which is what proves later that one of them is damaged.
  /// It need not be durable itself: without it, only the last entries go unproven.
  func markClosed() async {
    guard !index.isClosed, index.byteCount > UInt64(TapeIndex.entryByteCount) else { return }
    let offset = index.byteCount
    let bytes = index.encode(.closed)
    let descriptor = indexFile.descriptor
    _ = await ring.blocking { $0.write(descriptor, bytes, at: offset) }
  }

  /// A new log that tells only of what is on the tape now.
  private func writeNewIndex() async -> Int32 {
    var fresh = TapeIndex(starting: format)
    let entries = [.header(format)] + TapeIndex.entries(of: map, from: 0)
    let bytes = entries.flatMap { fresh.encode($0) }
    let path = directory
    let opened: Int32 = await ring.blocking { files in
      let result = Self.replaceIndex(of: path, with: bytes, files)
      return result < 0 ? result : files.open(path + "/index", flags: O_RDWR, mode: 0)
    }
    guard opened >= 0 else { return opened }
    let old = indexFile.descriptor
    ring.forget(indexFile)
    await ring.blocking { $0.close(old) }
    indexFile = ring.know(opened)
    fresh.becameDurable()
    index = fresh
    durableObjectCount = map.objectCount
    wantsNewIndex = false
    return 0
  }
}
