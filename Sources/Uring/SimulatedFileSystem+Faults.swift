import Glibc

extension SimulatedFileSystem.Mount {
  /// Throws where the plan says that this call fails.
  mutating func failByPlan(_ call: SimulatedCallFault.Call, _ path: String?)
    throws(SystemError)
  {
    for index in plan.callFaults.indices {
      let fault = plan.callFaults[index]
      if let only = fault.call, only != call { continue }
      if let only = fault.path, SimulatedTree.normal(only) != path { continue }
      if fault.skipping > 0 {
        plan.callFaults[index].skipping -= 1
        continue
      }
      if fault.isOnce { plan.callFaults.remove(at: index) }
      throw SystemError(errno: fault.errno)
    }
  }

  /// The fault that an operation meets, and takes away where it heals.
  mutating func takeFault(
    _ operation: SimulatedFault.Operation, _ path: String, _ bytes: Range<UInt64>?
  ) -> SimulatedFault? {
    guard let index = faultIndex(operation, path, bytes) else { return nil }
    return plan.faults[index].isOnce ? plan.faults.remove(at: index) : plan.faults[index]
  }

  func faultIndex(
    _ operation: SimulatedFault.Operation, _ path: String, _ bytes: Range<UInt64>?
  ) -> Int? {
    plan.faults.firstIndex { fault in
      fault.operations.contains(operation)
        && (fault.path.map { SimulatedTree.normal($0) == path } ?? true)
        && (bytes.map { $0.overlaps(fault.bytes) } ?? true)
    }
  }
}

extension SimulatedFileSystem.State {
  /// Counts an operation; false where the power has failed, perhaps just now.
  mutating func countOperation() -> Bool {
    if mount.isDown { return false }
    mount.operationCount += 1
    if mount.operationCount == mount.plan.powerLossAtOperation { losePower() }
    return !mount.isDown
  }

  mutating func losePower() {
    guard !mount.isDown else { return }
    mount.isDown = true
    mount.epoch += 1
    for token in mount.writesInFlight.keys.sorted() {
      guard let transfer = mount.writesInFlight[token],
        let open = tree.openFiles[transfer.descriptor]
      else { continue }
      let inside = fitting(open.file, transfer.offset, transfer.byteCount)
      if inside > 0 { write(open.file, transfer.bytes(inside), at: transfer.offset) }
    }
    mount.writesInFlight = [:]
    tree.losePower(random: &mount.random)
  }

  // MARK: Content

  /// How many bytes a file may hold from `offset`: a block device does not grow.
  private func fitting(_ file: UInt64, _ offset: UInt64, _ count: Int) -> Int {
    let isDevice = tree.files[file]?.kind == .blockDevice
    let end = isDevice ? tree.files[file]?.content.byteCount ?? 0 : UInt64(Int64.max)
    return Int(min(UInt64(count), end - min(end, offset)))
  }

  /// How many of the bytes may be written now.
  func writable(_ file: UInt64, _ offset: UInt64, _ count: Int, capacityBytes: UInt64) -> Int {
    guard let found = tree.files[file] else { return 0 }
    var fits = fitting(file, offset, count)
    if let limit = mount.plan.bytesUntilNoSpace {
      fits = Int(min(UInt64(fits), limit - min(limit, mount.bytesWritten)))
    }
    if found.kind == .blockDevice { return fits }
    let blocks = capacityBytes / SimulatedBytes.blockLength
    let used = tree.usedBlockCount
    return found.content.writable(
      from: offset, count: fits, room: blocks - min(blocks, used))
  }

  mutating func write(_ file: UInt64, _ bytes: [UInt8], at offset: UInt64) {
    mount.bytesWritten += UInt64(bytes.count)
    tree.files[file]?.make(.write(offset: offset, bytes: bytes))
  }

  /// What a flush submitted now covers.
  func changeCount(_ descriptor: Int32) throws(SystemError) -> Int {
    let (_, file) = try tree.opened(descriptor)
    return file.kind == .directory ? tree.nameChangeCount : file.changeCount
  }

  /// A flush ends: 0 or -errno.
  mutating func flush(_ descriptor: Int32, upTo covered: Int) -> Int32 {
    guard let open = tree.openFiles[descriptor], let file = tree.files[open.file] else {
      return -EBADF
    }
    let fault = mount.takeFault(.flush, open.path, nil)
    if fault != nil || mount.random.happens(mount.plan.failedFlushes) {
      if file.kind != .directory {
        tree.files[open.file]?.failFlush(upTo: covered, random: &mount.random)
      }
      return -(fault?.errno ?? EIO)
    }
    if file.kind == .directory {
      tree.flushNames(of: open.file, upTo: covered)
    } else {
      tree.files[open.file]?.flush(upTo: covered)
    }
    return 0
  }
}
