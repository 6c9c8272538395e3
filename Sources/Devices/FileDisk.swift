import Glibc
import SCSI
public import Uring

/// A regular file or a raw block device as a disk.
///
/// Transfers go past the page cache where alignment allows it; `counters` tells how many did. A
/// short read at the end of the file is an unrecovered read error: the file is shorter than it was
/// when it was opened.
public final class FileDisk: BlockDevice {
  /// How a disk is opened.
  public struct Options: Sendable, Equatable {
    /// Bytes of a block; nil: 512 for files, the logical block of a block device.
    public var blockLength: Int?
    /// Whether it is opened for writing too.
    public var writes = false
    /// Makes the file where there is none.
    public var creates = false
    /// Empties a regular file.
    public var truncates = false
    /// Lets a regular file grow as it is written; cut to what was written at `flush` and `close`.
    public var grows = false
    /// Lengthens a regular file that is shorter, with a hole.
    public var byteCount: UInt64?
    /// Whether direct I/O is used where it is possible.
    public var direct = true

    /// A disk to read.
    public init() {}

    /// A disk to read and write.
    public static var readWrite: Options {
      var options = Options()
      options.writes = true
      return options
    }

    /// A file that receives a copy, whatever was in it.
    public static var destination: Options {
      var options = readWrite
      options.creates = true
      options.truncates = true
      options.grows = true
      return options
    }
  }

  struct Operation: ~Copyable {
    let client: ClientReference
    let tag: UInt64
    let offset: UInt64
    let length: Int
    let writing: Bool
    let isDurable: Bool
  }

  /// Blocks are not longer than this.
  public static let blockLengthMaximum = 1 << 24

  let file: OpenFile
  private let transfers: Transfers
  private let preallocation: Preallocation?
  /// The end of the file, as the writes submitted so far make it.
  private var end: UInt64
  private let endWhenOpened: UInt64
  private var flushFailure: Condition?
  /// What the next flush reports, and none after it.
  private var doubt: Condition?
  private var begunFlushes: UInt64 = 0, endedFlushes: UInt64 = 0
  private var isFlushing = false
  private var flushWaiters: [CheckedContinuation<Void, Never>] = []
  /// Told each failure once, on the ring's thread, before the client hears of it; nil: nobody is.
  public var failed: ((DiskFailure) -> Void)? {
    didSet { transfers.failed = failed }
  }
  /// How zeros are made: whatever the file system refused is not tried again.
  var zeroing = Zeroing()

  /// Opens the file or device at `path`. While a regular file is open for writing, it cannot be
  /// opened so again.
  ///
  /// - Throws: what kept it from being used, with the way out.
  public static func open(_ path: String, options: Options, ring: Ring)
    async throws(DeviceError) -> FileDisk
  {
    var request = OpenedFile.Request()
    request.writes = options.writes
    request.creates = options.creates && options.writes
    request.truncates = options.truncates && options.writes
    request.direct = options.direct
    request.locks = options.writes
    let asked = request
    let lengthened = options.writes ? options.byteCount : nil
    var result: Result<OpenedFile, DeviceError>
    var attempts = 0
    repeat {
      // The files of a ring that has just ended, and their locks with them, may live a moment on.
      if attempts > 0 { await ring.sleep(nanoseconds: 50_000_000) }
      result = await ring.blocking { files in
        open(path, asked, lengthened: lengthened, files)
      }
      attempts += 1
    } while result.isBusy && attempts < 5
    let opened = try result.get()
    let geometry: Geometry
    do throws(DeviceError) {
      geometry = try Geometry(path, opened.status, options)
    } catch {
      await OpenFile(opened, path: path, ring: ring).close()
      throw error
    }
    let disk = FileDisk(
      OpenFile(opened, path: path, ring: ring), geometry, options: options)
    await disk.preallocation?.prepare(from: disk.end)
    return disk
  }

  private static func open(
    _ path: String, _ request: OpenedFile.Request, lengthened: UInt64?, _ files: FileSystem
  ) -> Result<OpenedFile, DeviceError> {
    let result = OpenedFile.open(path, request, files)
    guard case .success(var opened) = result, let lengthened, opened.status.kind == .regular,
      lengthened > opened.status.byteCount
    else { return result }
    let status = files.truncate(opened.buffered, to: lengthened)
    if status < 0 {
      files.close(opened.buffered)
      files.close(opened.direct)
      return .failure(.system(path: path, call: "ftruncate", errno: -status))
    }
    opened.status.byteCount = lengthened
    return .success(opened)
  }

  private init(_ file: OpenFile, _ geometry: Geometry, options: Options) {
    self.file = file
    transfers = Transfers()
    endWhenOpened = file.status.byteCount
    end = endWhenOpened
    preallocation = geometry.grows ? Preallocation(file, end: endWhenOpened) : nil
    super.init(
      name: file.path, blockLength: geometry.blockLength, blockCount: geometry.blockCount,
      isReadOnly: !options.writes,
      identity: DeviceIdentity(
        device: file.status.device,
        inode: file.status.kind == .blockDevice ? 0 : file.status.inode),
      memoryAlignment: file.memoryAlignment)
    transfers.blockLength = geometry.blockLength
    transfers.durableWriteFailed = { [unowned self] in durableWriteFailed($0) }
  }

  /// Whether the file takes direct I/O.
  public var isDirectAvailable: Bool { file.isDirectAvailable }
  /// Transfers that went direct, and others.
  public var counters: FileCounters { file.counters }

  /// Reads; direct where offset, length and memory are multiples of the direct alignment.
  public override func read(
    at offset: UInt64, into payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    let index = transfers.begin(
      Operation(
        client: ClientReference(client), tag: tag, offset: offset, length: payload.byteCount,
        writing: false, isDurable: false))
    file.read(at: offset, into: payload, for: transfers, tag: index)
  }

  /// Writes; direct where offset and length are multiples of 4096 too.
  public override func write(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    write(at: offset, payload, isDurable: false, client, tag)
  }

  /// Writes with O_DSYNC semantics.
  public override func writeThrough(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    write(at: offset, payload, isDurable: true, client, tag)
  }

  private func write(
    at offset: UInt64, _ payload: consuming Payload, isDurable: Bool, _ client: DeviceClient,
    _ tag: UInt64
  ) {
    precondition(!isReadOnly, "the caller has seen that the disk is read-only")
    let writeEnd = offset + UInt64(payload.byteCount)
    if let preallocation {
      end = max(end, writeEnd)
      preallocation.reach(writeEnd)
    }
    let index = transfers.begin(
      Operation(
        client: ClientReference(client), tag: tag, offset: offset, length: payload.byteCount,
        writing: true, isDurable: isDurable))
    file.write(at: offset, from: payload, isDurable: isDurable, for: transfers, tag: index)
  }

  /// A hole where the file system can make one, else zeros.
  public override func discard(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    await punch(at: offset, byteCount: byteCount)
  }

  /// Extents that read as zeros where the file system knows them, else zeros.
  public override func writeZeros(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    await zero(at: offset, byteCount: byteCount)
  }

  /// fdatasync; fsync where the file grew. What was lost once stays reported.
  public override func flush() async -> DeviceStatus {
    if isReadOnly { return .good() }
    // One flush is in flight, however many ask; only one that begins from now on covers this caller.
    let needed = begunFlushes + 1
    while endedFlushes < needed, flushFailure == nil {
      if isFlushing {
        await withCheckedContinuation { flushWaiters.append($0) }
        continue
      }
      isFlushing = true
      begunFlushes += 1
      let number = begunFlushes
      var result = await preallocation?.cut(to: end) ?? 0
      if result == 0 { result = await file.synchronize(withMetadata: end > endWhenOpened) }
      if result < 0 {
        flushFailure = .disk(errno: -result, writing: true, block: nil)
        failed?(DiskFailure(.flush, block: nil, errno: -result))
      }
      endedFlushes = number
      isFlushing = false
      let waiters = flushWaiters
      flushWaiters = []
      for waiter in waiters { waiter.resume() }
    }
    return (flushFailure ?? doubt.take()).map { .check($0) } ?? .good()
  }

  /// A write that was to be durable flushes too, and may have met, and so used up, the report that what
  /// others wrote before is lost: the next flush says so. Where there was no room it is most often the
  /// write's own; the flushes after that go by what the kernel says.
  private func durableWriteFailed(_ errno: Int32) {
    let condition = Condition.disk(errno: errno, writing: true, block: nil)
    if errno == ENOSPC || errno == EDQUOT {
      doubt = condition
    } else {
      flushFailure = flushFailure ?? condition
    }
  }

  /// Ends the use; a file that grew ends where the writes ended.
  public override func close() async {
    _ = await preallocation?.cut(to: end)
    await file.close()
  }

  /// By SEEK_DATA and SEEK_HOLE; block devices are one run of data.
  public override func extent(at offset: UInt64) async -> Extent {
    let whole = Extent(isHole: false, end: max(file.status.byteCount, end))
    guard file.status.kind == .regular else { return whole }
    let descriptor = file.descriptor
    let data = await file.ring.blocking { $0.seek(descriptor, from: offset, hole: false) }
    let search = max(offset, data ?? offset)
    let hole = await file.ring.blocking { $0.seek(descriptor, from: search, hole: true) }
    return Extent.found(
      at: offset, data: data, hole: hole, end: whole.end, blockLength: UInt64(blockLength))
  }
}

extension Result where Success == OpenedFile, Failure == DeviceError {
  fileprivate var isBusy: Bool {
    if case .failure(.busy) = self { true } else { false }
  }
}

extension Extent {
  /// The run at `offset` of a file that ends at `end`, from the next data at or behind `offset` and
  /// the next hole at or behind that (at `offset`, where there is no data). Runs are whole blocks:
  /// one that holds any data is data.
  static func found(
    at offset: UInt64, data: UInt64?, hole: UInt64?, end: UInt64, blockLength: UInt64
  ) -> Extent {
    guard let data else {
      // No data behind: a hole to the end, unless the file system knows no holes at all.
      return Extent(isHole: hole != nil, end: end)
    }
    let firstData = data / blockLength * blockLength
    if firstData > offset { return Extent(isHole: true, end: min(end, firstData)) }
    guard let hole, hole < end else { return Extent(isHole: false, end: end) }
    let (rounded, overflow) = hole.addingReportingOverflow(blockLength - 1)
    return Extent(
      isHole: false, end: overflow ? end : min(end, rounded / blockLength * blockLength))
  }
}
