import CRegion
import Glibc

extension SharedRegion {
  /// A region for the threads of this process.
  public static func anonymous(
    _ geometry: RegionGeometry = .standard, clock: (@Sendable () -> UInt64)? = nil
  ) throws(RegionError) -> SharedRegion {
    let memory = try map(-1, geometry.totalBytes)
    return try made(memory, geometry, clock)
  }

  /// A new region in a file, as in `/dev/shm/ecopy`. It appears there complete.
  ///
  /// - Throws: `system` with EEXIST where there is one already.
  public static func create(
    at path: String, _ geometry: RegionGeometry = .standard, clock: (@Sendable () -> UInt64)? = nil
  ) throws(RegionError) -> SharedRegion {
    let draft = "\(path).\(getpid())"
    let file = unsafe Glibc.open(
      draft, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .system(call: "open", errno: errno) }
    defer {
      close(file)
      unsafe unlink(draft)
    }
    // Room that is only promised would end the process when it is used and not there.
    let result = posix_fallocate(file, 0, off_t(geometry.totalBytes))
    guard result == 0 else { throw .system(call: "posix_fallocate", errno: result) }
    let region = try made(try map(file, geometry.totalBytes), geometry, clock)
    guard unsafe link(draft, path) == 0 else { throw .system(call: "link", errno: errno) }
    return region
  }

  /// The region in a file that `create` made.
  public static func open(
    at path: String, clock: (@Sendable () -> UInt64)? = nil
  ) throws(RegionError) -> SharedRegion {
    let file = unsafe Glibc.open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
    guard file >= 0 else { throw .system(call: "open", errno: errno) }
    defer { close(file) }
    let byteCount = try checkedSize(file)
    let memory = try map(file, byteCount)
    do throws(RegionError) {
      let geometry = try RegionGeometry(
        of: Record(memory: memory, offset: 0), byteCount: byteCount)
      return SharedRegion(memory: memory, geometry: geometry, clock: clock)
    } catch {
      unsafe munmap(memory.base, memory.byteCount)
      throw error
    }
  }

  /// Removes the file; those who have it mapped keep it.
  public static func remove(at path: String) { unsafe unlink(path) }

  private static func checkedSize(_ file: Int32) throws(RegionError) -> Int {
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw .system(call: "fstat", errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegion("it is no file") }
    guard status.st_uid == geteuid() else { throw .notARegion("it belongs to somebody else") }
    guard status.st_mode & 0o077 == 0 else { throw .notARegion("others may open it: chmod 600") }
    guard status.st_size >= CR_HEADER_BYTES, status.st_size <= RegionGeometry.totalBytesMaximum
    else { throw .notARegion("it has \(status.st_size) bytes") }
    return status.st_size
  }

  private static func map(_ file: Int32, _ byteCount: Int) throws(RegionError) -> RegionMemory {
    let flags = file < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED
    let base = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, file, 0)
    guard let base = unsafe base, unsafe base != MAP_FAILED else {
      throw .system(call: "mmap", errno: errno)
    }
    return unsafe RegionMemory(base: base, byteCount: byteCount)
  }

  private static func made(
    _ memory: RegionMemory, _ geometry: RegionGeometry, _ clock: (@Sendable () -> UInt64)?
  ) throws(RegionError) -> SharedRegion {
    var offsets = [CR_HEADER_MUTEX]
    for index in 0..<geometry.processorCount {
      offsets.append(geometry.processorsOffset + index * CR_PROCESSOR_BYTES + CR_PROCESSOR_LIFE)
    }
    for offset in offsets {
      let result = unsafe cr_mutex_make(memory.pointer(offset, CR_MUTEX_BYTES))
      guard result == 0 else {
        unsafe munmap(memory.base, memory.byteCount)
        throw .system(call: "pthread_mutex_init", errno: result)
      }
    }
    Arbitration(memory: memory, geometry: geometry, now: 0).format()
    return SharedRegion(memory: memory, geometry: geometry, clock: clock)
  }
}
