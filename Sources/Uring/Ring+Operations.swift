import CUring
import Glibc

extension Ring {
  /// Fills `payload` from `file` at byte `offset`; the result is the number of bytes read.
  @discardableResult
  public func read(
    _ file: RingFile, at offset: UInt64, into payload: consuming Payload,
    for handler: CompletionHandler, tag: UInt64
  ) -> OperationID {
    transfer(file, at: offset, payload, for: handler, tag: tag, writing: false)
  }

  /// Writes `payload` to `file` at byte `offset`; the result is the number of bytes written. With
  /// `isDurable` they are on the disk when it completes (RWF_DSYNC).
  @discardableResult
  public func write(
    _ file: RingFile, at offset: UInt64, from payload: consuming Payload, isDurable: Bool = false,
    for handler: CompletionHandler, tag: UInt64
  ) -> OperationID {
    transfer(
      file, at: offset, payload, for: handler, tag: tag, writing: true,
      flags: isDurable ? cu_rwf_dsync : 0)
  }

  private func transfer(
    _ file: RingFile, at offset: UInt64, _ payload: consuming Payload,
    for handler: CompletionHandler, tag: UInt64, writing: Bool, flags: Int32 = 0
  ) -> OperationID {
    precondition(!payload.isEmpty, "a transfer has bytes")
    var address: UnsafeMutableRawPointer?
    var length = 0
    var ranges = 0
    unsafe payload.forEachRange { range in
      if ranges == 0 {
        unsafe address = range.baseAddress
        length = range.count
      }
      ranges += 1
    }
    let arenaStart = unsafe arena.store.pointee.base
    let start = unsafe address.map { unsafe $0 - arenaStart } ?? 0
    let buffer = start / LinuxKernel.registeredBufferBytes
    let isFixed =
      ranges == 1 && arena.facts.isRegistered
      && (start + length - 1) / LinuxKernel.registeredBufferBytes == buffer
    if isFixed {
      unsafe state.pointee.counters.fixedTransfers += 1
    } else {
      unsafe state.pointee.counters.plainTransfers += 1
    }
    let descriptor = file.index.map { Int32($0) } ?? file.descriptor
    if ranges == 1 {
      let (sqe, index) = unsafe prepare(payload, handler, tag)
      switch (isFixed, writing) {
      case (true, false):
        unsafe io_uring_prep_read_fixed(
          sqe, descriptor, address, UInt32(length), offset, Int32(buffer))
      case (true, true):
        unsafe io_uring_prep_write_fixed(
          sqe, descriptor, address, UInt32(length), offset, Int32(buffer))
      case (false, false):
        unsafe io_uring_prep_read(sqe, descriptor, address, UInt32(length), offset)
      case (false, true):
        unsafe io_uring_prep_write(sqe, descriptor, address, UInt32(length), offset)
      }
      if flags != 0 { unsafe cu_sqe_set_transfer_flags(sqe, flags) }
      return unsafe finish(sqe, index, file)
    }
    let next = Int(nextEntry)
    let (vector, count) = unsafe vector(next, of: payload)
    let (sqe, index) = unsafe prepare(payload, handler, tag)
    precondition(index == next, "the table hands out the entry it showed")
    if writing {
      unsafe io_uring_prep_writev(sqe, descriptor, vector, UInt32(count), offset)
    } else {
      unsafe io_uring_prep_readv(sqe, descriptor, vector, UInt32(count), offset)
    }
    if flags != 0 { unsafe cu_sqe_set_transfer_flags(sqe, flags) }
    return unsafe finish(sqe, index, file)
  }

  func finish(
    _ sqe: UnsafeMutablePointer<io_uring_sqe>, _ index: Int, _ file: RingFile?
  ) -> OperationID {
    if let file, file.index != nil {
      unsafe sqe.pointee.flags |= UInt8(cu_sqe_fixed_file)
    }
    let name = userData(index)
    unsafe io_uring_sqe_set_data64(sqe, name)
    return OperationID(userData: name)
  }

  /// Makes what was written and has completed durable (fdatasync, or fsync with metadata).
  @discardableResult
  public func synchronize(
    _ file: RingFile, withMetadata: Bool = false, for handler: CompletionHandler, tag: UInt64
  ) -> OperationID {
    let (sqe, index) = unsafe prepare(arena.empty(), handler, tag)
    unsafe io_uring_prep_fsync(
      sqe, file.index.map { Int32($0) } ?? file.descriptor,
      withMetadata ? 0 : UInt32(IORING_FSYNC_DATASYNC))
    return unsafe finish(sqe, index, file)
  }

  /// Allocates blocks, or with `punchingHole` gives them back and leaves zeros, or with
  /// `leavingZeros` keeps them and leaves zeros; only plain allocation may lengthen the file.
  @discardableResult
  public func allocate(
    _ file: RingFile, from offset: UInt64, byteCount: UInt64, punchingHole: Bool = false,
    leavingZeros: Bool = false, for handler: CompletionHandler, tag: UInt64
  ) -> OperationID {
    let (sqe, index) = unsafe prepare(arena.empty(), handler, tag)
    let mode =
      punchingHole
      ? cu_falloc_punch_hole | cu_falloc_keep_size
      : leavingZeros ? cu_falloc_zero_range | cu_falloc_keep_size : 0
    unsafe io_uring_prep_fallocate(
      sqe, file.index.map { Int32($0) } ?? file.descriptor, mode,
      off_t(clamping: offset), off_t(clamping: byteCount))
    return unsafe finish(sqe, index, file)
  }

  /// Completes after `nanoseconds` with -ETIME, or with -ECANCELED.
  @discardableResult
  public func timeout(
    nanoseconds: UInt64, for handler: CompletionHandler, tag: UInt64
  ) -> OperationID {
    let (sqe, index) = unsafe prepare(arena.empty(), handler, tag)
    unsafe entries[index].timeout.tv_sec = Int64(nanoseconds / 1_000_000_000)
    unsafe entries[index].timeout.tv_nsec = numericCast(nanoseconds % 1_000_000_000)
    unsafe io_uring_prep_timeout(sqe, &entries[index].timeout, 0, 0)
    return unsafe finish(sqe, index, nil)
  }

  /// Asks the kernel to end an operation early. Its completion comes all the same, and only then is
  /// its payload free. Nothing happens where it has completed or was cancelled before.
  public func cancel(_ operation: OperationID) {
    let index = Int(truncatingIfNeeded: operation.userData & 0xffff_ffff)
    guard unsafe entries[index].handler != nil, userData(index) == operation.userData,
      unsafe !entries[index].isCancelled
    else { return }
    unsafe entries[index].isCancelled = true
    let sqe = unsafe nextSubmission()
    unsafe io_uring_prep_cancel64(sqe, operation.userData, 0)
    unsafe io_uring_sqe_set_data64(sqe, Self.ignored)
  }

  /// Reads the wake-up counter of the processor; completes when another thread calls.
  func listen(
    _ descriptor: Int32, into word: UnsafeMutablePointer<UInt64>, for handler: CompletionHandler
  ) -> OperationID {
    let (sqe, index) = unsafe prepare(arena.empty(), handler, 0)
    unsafe io_uring_prep_read(sqe, descriptor, word, 8, 0)
    return unsafe finish(sqe, index, nil)
  }
}
