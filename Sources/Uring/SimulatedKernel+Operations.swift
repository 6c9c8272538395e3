import CUring
import Glibc

extension SimulatedKernel {
  // MARK: Taking

  /// Takes one submission entry.
  func accept(_ entry: inout io_uring_sqe) {
    let code = io_uring_op(rawValue: UInt32(entry.opcode))
    let userData = entry.user_data
    if code == IORING_OP_ASYNC_CANCEL {
      unsafe cancel(cu_sqe_address(&entry), for: userData)
      return
    }
    let descriptor = descriptor(of: entry)
    if isWakeUp(entry) {
      unsafe wakeUp = WakeUp(
        userData: userData, descriptor: entry.fd, address: UInt(cu_sqe_address(&entry)))
      return
    }
    let kind = kind(of: code, &entry, descriptor)
    var operation = unsafe Operation(
      kind: kind, name: Self.name(of: code), userData: userData, descriptor: descriptor,
      offset: cu_sqe_offset(&entry), byteCount: 0, due: 0, number: nextNumber)
    nextNumber += 1
    switch kind {
    case .transfer(let transfer):
      operation.byteCount = UInt64(transfer.byteCount)
      if transfer.isWrite, !simulatedFiles.isOver(epoch) {
        simulatedFiles.begin(write: transfer, token: token(operation))
      }
    case .allocate: unsafe operation.byteCount = cu_sqe_address(&entry)
    default: break
    }
    operation.due = due(kind, &entry)
    operations.append(operation)
  }

  /// Whether this is the read of the processor's wake-up, the one real descriptor.
  func isWakeUp(_ entry: io_uring_sqe) -> Bool {
    UInt32(entry.opcode) == IORING_OP_READ.rawValue
      && entry.flags & UInt8(cu_sqe_fixed_file) == 0
      && entry.fd >= 0 && entry.fd < SimulatedTree.firstDescriptor
  }

  private static func name(of code: io_uring_op) -> String {
    switch code {
    case IORING_OP_NOP: "NOP"
    case IORING_OP_READ: "READ"
    case IORING_OP_READ_FIXED: "READ_FIXED"
    case IORING_OP_READV: "READV"
    case IORING_OP_WRITE: "WRITE"
    case IORING_OP_WRITE_FIXED: "WRITE_FIXED"
    case IORING_OP_WRITEV: "WRITEV"
    case IORING_OP_FSYNC: "FSYNC"
    case IORING_OP_FALLOCATE: "FALLOCATE"
    case IORING_OP_TIMEOUT: "TIMEOUT"
    default: "operation \(code.rawValue)"
    }
  }

  private func descriptor(of entry: io_uring_sqe) -> Int32 {
    let number = entry.fd
    guard entry.flags & UInt8(cu_sqe_fixed_file) != 0 else { return number }
    return registered.indices.contains(Int(number)) ? registered[Int(number)] : -1
  }

  private func kind(of code: io_uring_op, _ entry: inout io_uring_sqe, _ descriptor: Int32)
    -> Operation.Kind
  {
    switch code {
    case IORING_OP_NOP: return .nop
    case IORING_OP_TIMEOUT: return .timeout
    case IORING_OP_FSYNC: return .flush(covering: simulatedFiles.begin(flush: descriptor))
    case IORING_OP_FALLOCATE: return .allocate(mode: Int32(bitPattern: entry.len))
    case IORING_OP_READ, IORING_OP_READ_FIXED, IORING_OP_READV, IORING_OP_WRITE,
      IORING_OP_WRITE_FIXED, IORING_OP_WRITEV:
      return transfer(code, &entry, descriptor)
    default: return .refused(EINVAL)
    }
  }

  private func transfer(_ code: io_uring_op, _ entry: inout io_uring_sqe, _ descriptor: Int32)
    -> Operation.Kind
  {
    let address = unsafe UInt(cu_sqe_address(&entry))
    let length = Int(entry.len)
    var ranges: [SimulatedTransfer.Range] = []
    if code == IORING_OP_READV || code == IORING_OP_WRITEV {
      guard length <= 1024 else { return .refused(EINVAL) }
      let vectors = unsafe UnsafePointer<iovec>(bitPattern: address)
      for index in 0..<length {
        guard let vector = unsafe vectors?[index] else { return .refused(EFAULT) }
        unsafe ranges.append(
          SimulatedTransfer.Range(
            address: UInt(bitPattern: vector.iov_base), length: vector.iov_len))
      }
    } else {
      ranges.append(SimulatedTransfer.Range(address: address, length: length))
    }
    if code == IORING_OP_READ_FIXED || code == IORING_OP_WRITE_FIXED {
      let buffer = unsafe Int(cu_sqe_buffer(&entry))
      guard arenaPieces.indices.contains(buffer), arenaPieces[buffer].lowerBound <= address,
        address + UInt(length) <= arenaPieces[buffer].upperBound
      else { return .refused(EFAULT) }
    }
    let isWrite =
      code == IORING_OP_WRITE || code == IORING_OP_WRITE_FIXED || code == IORING_OP_WRITEV
    return unsafe .transfer(
      SimulatedTransfer(
        descriptor: descriptor, isWrite: isWrite, offset: cu_sqe_offset(&entry), ranges: ranges,
        isDurable: cu_sqe_transfer_flags(&entry) & cu_rwf_dsync != 0))
  }

  private func due(_ kind: Operation.Kind, _ entry: inout io_uring_sqe) -> UInt64 {
    if case .timeout = kind {
      guard
        let time = unsafe UnsafePointer<__kernel_timespec>(
          bitPattern: UInt(cu_sqe_address(&entry)))?.pointee
      else { return clock }
      let wait = UInt64(clamping: time.tv_sec)
        .multipliedReportingOverflow(by: 1_000_000_000)
      let end = clock.addingReportingOverflow(
        wait.overflow ? .max : wait.partialValue + UInt64(clamping: time.tv_nsec))
      return end.overflow ? .max : end.partialValue
    }
    let own = clock + random.number(in: plan.latencyNanoseconds)
    let due = random.happens(plan.reordering) ? own : max(own, latestDue + 1)
    latestDue = max(latestDue, due)
    return due
  }

  private func token(_ operation: Operation) -> UInt64 {
    UInt64(truncatingIfNeeded: epoch) << 40 | operation.number
  }

  // MARK: Completing

  /// Makes an operation happen, or fail as planned.
  func complete(_ index: Int) {
    let operation = operations[index]
    if case .timeout = operation.kind { return finish(index, -ETIME) }
    guard simulatedFiles.countOperation() else { return failAll() }
    finish(index, result(of: operation))
  }

  private func finish(_ index: Int, _ result: Int32) {
    let operation = operations.remove(at: index)
    if case .transfer(let transfer) = operation.kind, transfer.isWrite {
      simulatedFiles.end(write: token(operation))
    }
    record(operation, result)
    post(operation.userData, result)
  }

  private func result(of operation: Operation) -> Int32 {
    switch operation.kind {
    case .nop: return 0
    case .timeout: return -ETIME
    case .refused(let errno): return -errno
    case .flush(let covering):
      return simulatedFiles.state.withLock { $0.flush(operation.descriptor, upTo: covering) }
    case .allocate(let mode):
      return simulatedFiles.allocate(
        operation.descriptor, from: operation.offset, count: operation.byteCount,
        keepsSize: mode & cu_falloc_keep_size != 0, punches: mode & cu_falloc_punch_hole != 0,
        leavesZeros: mode & cu_falloc_zero_range != 0)
    case .transfer(let transfer):
      if random.happens(plan.again) { return -EAGAIN }
      if random.happens(plan.interruption) { return -EINTR }
      var limit = transfer.byteCount
      let unit = simulatedFiles.unit(of: transfer.descriptor)
      if limit > unit, random.happens(plan.shortTransfers) {
        limit = unit * Int(random.number(in: 1...UInt64((limit - 1) / unit)))
      }
      let result = simulatedFiles.transfer(transfer, limit: limit)
      guard transfer.isWrite, transfer.isDurable, result > 0 else { return result }
      let covering = simulatedFiles.begin(flush: transfer.descriptor)
      let flushed = simulatedFiles.state.withLock {
        $0.flush(transfer.descriptor, upTo: covering)
      }
      return flushed < 0 ? flushed : result
    }
  }

  /// A cancel request meets its operation before, after, or in the midst of its work.
  private func cancel(_ target: UInt64, for userData: UInt64) {
    if wakeUp?.userData == target {
      wakeUp = nil
      post(target, -ECANCELED)
      return post(userData, 0)
    }
    guard let index = operations.firstIndex(where: { $0.userData == target }) else {
      return post(userData, -ENOENT)
    }
    let chance = Double(random.next() >> 11) * 0x1p-53
    if case .timeout = operations[index].kind {
      finish(index, -ECANCELED)
      post(userData, 0)
    } else if chance < plan.cancelWins {
      finish(index, -ECANCELED)
      post(userData, 0)
    } else if chance < plan.cancelWins + plan.cancelTooLate {
      complete(index)
      post(userData, -ENOENT)
    } else {
      post(userData, -EALREADY)
    }
  }

  /// The power has failed: everything in flight ends, in any order.
  func failAll() {
    while !operations.isEmpty {
      let index = Int(random.next() % UInt64(operations.count))
      let isTimeout = if case .timeout = operations[index].kind { true } else { false }
      finish(index, isTimeout || random.happens(0.5) ? -ECANCELED : -EIO)
    }
  }
}
