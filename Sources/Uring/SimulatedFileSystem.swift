import CUring
import Glibc

/// Files in plain memory, with a model of what a power loss leaves of them.
///
/// What is written, lengthened or punched is durable when a flush (`synchronize`, or FSYNC on a
/// ring) has succeeded that was *submitted after* the change completed; a name is durable when its
/// directory was flushed so. When the power fails, every other change is kept, dropped or torn at
/// 512-byte sectors, independently of the others. It then answers EIO to everything until the next
/// `SimulatedKernel` mounts it; a program that ran before must have ended by then.
///
/// Paths are absolute; `.` and `..` are understood, links are not. Safe to use from any thread.
public final class SimulatedFileSystem: FileSystem, @unchecked Sendable {
  /// What a mount adds: the plan and what is left of it.
  struct Mount: Sendable {
    var plan = SimulationPlan()
    var random = SimulatedRandom(seed: 0)
    var operationCount = 0
    var bytesWritten: UInt64 = 0
    var isDown = false
    /// Counts mounts and power losses, so that a kernel knows its own time has passed.
    var epoch = 0
    /// Writes that a ring has taken and not completed.
    var writesInFlight: [UInt64: SimulatedTransfer] = [:]
  }

  struct State: Sendable {
    var tree = SimulatedTree()
    var mount = Mount()
  }

  let state: Lock<State>
  /// Bytes that fit on the disk, in blocks of 4096.
  public let capacityBytes: UInt64
  /// Alignment of memory and of offsets and lengths for descriptors opened with O_DIRECT; 0: such
  /// opens are refused with EINVAL.
  public let directAlignment: UInt32

  /// An empty disk.
  public init(capacityBytes: UInt64 = 1 << 40, directAlignment: UInt32 = 512) {
    self.capacityBytes = capacityBytes
    self.directAlignment = directAlignment
    state = Lock(State())
  }

  /// The same files on another disk: what happens to one does not happen to the other. Descriptors
  /// are not taken along.
  public func copy() -> SimulatedFileSystem {
    let other = SimulatedFileSystem(
      capacityBytes: capacityBytes, directAlignment: directAlignment)
    var tree = state.withLock { $0.tree }
    tree.openFiles = [:]
    other.state.withLock { $0.tree = tree }
    return other
  }

  /// Calls run in place.
  public override var mayBlock: Bool { false }

  // MARK: Calls

  /// One call: counted, perhaps failing by plan, else made.
  private func call<Result>(
    _ kind: SimulatedCallFault.Call, _ path: String?, file: Int32? = nil,
    _ body: (inout State) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    try state.withLock { state throws(SystemError) in
      let path =
        path.map(SimulatedTree.normal) ?? file.flatMap { state.tree.openFiles[$0]?.path }
      guard state.countOperation() else { throw SystemError(errno: EIO) }
      try state.mount.failByPlan(kind, path)
      return try body(&state)
    }
  }

  /// The same for calls that answer 0 or -errno.
  private func answer(
    _ kind: SimulatedCallFault.Call, _ path: String?, file: Int32? = nil,
    _ body: (inout State) throws(SystemError) -> Void
  ) -> Int32 {
    do throws(SystemError) {
      try call(kind, path, file: file, body)
      return 0
    } catch {
      return -error.errno
    }
  }

  /// Opens with O_RDONLY, O_WRONLY or O_RDWR, and O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_DIRECT.
  public override func open(_ path: String, flags: Int32, mode: UInt32) -> Int32 {
    let full = SimulatedTree.normal(path)
    do throws(SystemError) {
      return try call(.open, path) { state throws(SystemError) in
        let isWritable = flags & O_ACCMODE != O_RDONLY
        if flags & cu_o_direct != 0, directAlignment == 0 { throw SystemError(errno: EINVAL) }
        let number: UInt64
        if full == "/" {
          number = SimulatedTree.root
        } else {
          let place = try state.tree.place(path)
          if let found = state.tree.file(at: place) {
            if flags & O_CREAT != 0, flags & O_EXCL != 0 { throw SystemError(errno: EEXIST) }
            number = found
          } else {
            guard flags & O_CREAT != 0 else { throw SystemError(errno: ENOENT) }
            number = state.tree.add(SimulatedFile(kind: .regular), at: place)
          }
        }
        let kind = state.tree.files[number]?.kind
        if kind == .directory, isWritable { throw SystemError(errno: EISDIR) }
        if kind != .directory, flags & O_DIRECTORY != 0 { throw SystemError(errno: ENOTDIR) }
        if flags & O_TRUNC != 0, isWritable, kind == .regular {
          state.tree.files[number]?.make(.resize(0))
        }
        return state.tree.open(
          SimulatedTree.OpenFile(
            file: number, path: full, isReadable: flags & O_ACCMODE != O_WRONLY,
            isWritable: isWritable, isDirect: flags & cu_o_direct != 0))
      }
    } catch {
      return -error.errno
    }
  }

  /// Closes a descriptor and drops its lock; never fails.
  public override func close(_ file: Int32) {
    state.withLock { $0.tree.close(file) }
  }

  /// What `file` is.
  public override func status(_ file: Int32) throws(SystemError) -> FileStatus {
    try call(.status, nil, file: file) { state throws(SystemError) in
      let (open, found) = try state.tree.opened(file)
      return FileStatus(
        kind: found.kind, byteCount: found.content.byteCount,
        logicalBlockLength: found.logicalBlockLength,
        directMemoryAlignment: found.kind == .directory ? 0 : directAlignment,
        directOffsetAlignment: found.kind == .directory ? 0 : directAlignment,
        device: found.kind == .blockDevice ? 0x700 + open.file : 1, inode: open.file)
    }
  }

  /// Cuts or lengthens.
  public override func truncate(_ file: Int32, to byteCount: UInt64) -> Int32 {
    answer(.truncate, nil, file: file) { state throws(SystemError) in
      let (open, found) = try state.tree.opened(file)
      guard open.isWritable, found.kind == .regular, byteCount <= UInt64(Int64.max) else {
        throw SystemError(errno: EINVAL)
      }
      state.tree.files[open.file]?.make(.resize(byteCount))
    }
  }

  /// SEEK_DATA and SEEK_HOLE in blocks of 4096; what was allocated and not written is a hole.
  public override func seek(_ file: Int32, from offset: UInt64, hole: Bool) -> UInt64? {
    state.withLock { state in
      guard !state.mount.isDown, let open = state.tree.openFiles[file] else { return nil }
      return state.tree.files[open.file]?.content.seek(from: offset, hole: hole)
    }
  }

  /// Reads until `count` or the end of the file.
  public override func read(_ file: Int32, count: Int, at offset: UInt64)
    throws(SystemError) -> [UInt8]
  {
    try call(.read, nil, file: file) { state throws(SystemError) in
      let (open, found) = try state.tree.opened(file)
      guard open.isReadable else { throw SystemError(errno: EBADF) }
      let end = found.content.byteCount
      guard offset < end else { return [] }
      let there = Int(min(UInt64(max(0, count)), end - offset))
      let whole = offset..<offset + UInt64(there)
      if let fault = state.mount.takeFault(.read, open.path, whole) {
        throw SystemError(errno: fault.errno)
      }
      return found.content.bytes(from: offset, count: there)
    }
  }

  /// Writes all bytes, or as many as there is room for and then fails.
  public override func write(_ file: Int32, _ bytes: [UInt8], at offset: UInt64) -> Int32 {
    answer(.write, nil, file: file) { state throws(SystemError) in
      let (open, _) = try state.tree.opened(file)
      guard open.isWritable else { throw SystemError(errno: EBADF) }
      let (end, overflows) = offset.addingReportingOverflow(UInt64(bytes.count))
      guard !overflows, end <= UInt64(Int64.max) else { throw SystemError(errno: EFBIG) }
      if let fault = state.mount.takeFault(.write, open.path, offset..<end) {
        throw SystemError(errno: fault.errno)
      }
      let fits = state.writable(open.file, offset, bytes.count, capacityBytes: capacityBytes)
      if fits > 0 {
        state.write(open.file, Array(bytes.prefix(fits)), at: offset)
      }
      if fits < bytes.count { throw SystemError(errno: ENOSPC) }
    }
  }

  /// Makes content, or the names of a directory, durable.
  public override func synchronize(_ file: Int32) -> Int32 {
    answer(.synchronize, nil, file: file) { state throws(SystemError) in
      let covers = try state.changeCount(file)
      let result = state.flush(file, upTo: covers)
      if result < 0 { throw SystemError(errno: -result) }
    }
  }

  /// Makes a directory.
  public override func makeDirectory(_ path: String, mode: UInt32) -> Int32 {
    answer(.makeDirectory, path) { state throws(SystemError) in
      if SimulatedTree.components(path).isEmpty { throw SystemError(errno: EEXIST) }
      let place = try state.tree.place(path)
      if state.tree.file(at: place) != nil { throw SystemError(errno: EEXIST) }
      _ = state.tree.add(SimulatedFile(kind: .directory), at: place)
    }
  }

  /// Renames, replacing a file that is there.
  public override func rename(_ path: String, to newPath: String) -> Int32 {
    answer(.rename, path) { state throws(SystemError) in
      let place = try state.tree.place(path)
      let target = try state.tree.place(newPath)
      guard let file = state.tree.file(at: place) else { throw SystemError(errno: ENOENT) }
      let isDirectory = state.tree.files[file]?.kind == .directory
      if let replaced = state.tree.file(at: target) {
        if replaced == file { return }
        if state.tree.files[replaced]?.kind == .directory {
          throw SystemError(errno: isDirectory ? ENOTEMPTY : EISDIR)
        }
        if isDirectory { throw SystemError(errno: ENOTDIR) }
      }
      if isDirectory,
        (SimulatedTree.normal(newPath) + "/").hasPrefix(
          SimulatedTree.normal(path) + "/")
      {
        throw SystemError(errno: EINVAL)
      }
      state.tree.move(file, from: place, to: target)
    }
  }

  /// Removes the name of a file; open descriptors keep the file.
  public override func remove(_ path: String) -> Int32 {
    answer(.remove, path) { state throws(SystemError) in
      let place = try state.tree.place(path)
      guard let file = state.tree.file(at: place) else { throw SystemError(errno: ENOENT) }
      if state.tree.files[file]?.kind == .directory { throw SystemError(errno: EISDIR) }
      state.tree.remove(place, of: file)
    }
  }

  /// Locks the file for this descriptor, until it is closed; EWOULDBLOCK where another holds it.
  public override func lock(_ file: Int32) -> Int32 {
    answer(.lock, nil, file: file) { state throws(SystemError) in
      let (open, found) = try state.tree.opened(file)
      if let holder = found.lockedBy, holder != file { throw SystemError(errno: EWOULDBLOCK) }
      state.tree.files[open.file]?.lockedBy = file
    }
  }
}

extension SimulatedTree {
  func opened(_ descriptor: Int32) throws(SystemError) -> (OpenFile, SimulatedFile) {
    guard let open = openFiles[descriptor], let file = files[open.file] else {
      throw SystemError(errno: EBADF)
    }
    return (open, file)
  }
}
