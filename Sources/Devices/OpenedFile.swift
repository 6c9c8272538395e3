import CUring
import Glibc
import Uring

/// Descriptors fresh from the operating system, on their way to a ring.
struct OpenedFile: Sendable {
  var buffered: Int32
  /// -1 where direct I/O is not possible or not wanted.
  var direct: Int32
  var status: FileStatus

  /// What is asked of the operating system.
  struct Request: Sendable {
    var writes = false
    var creates = false
    var truncates = false
    var direct = true
    /// Keeps other processes from writing a regular file meanwhile.
    var locks = false
  }

  /// Opens `path` as a disk; blocks.
  static func open(_ path: String, _ request: Request, _ files: FileSystem)
    -> Result<OpenedFile, DeviceError>
  {
    do throws(DeviceError) {
      let exists = try probe(path, request, files)
      var flags = request.writes ? O_RDWR : O_RDONLY
      if exists == .blockDevice {
        // A disk that is mounted is not written behind its file system's back. With O_CREAT, O_EXCL
        // would ask for a name that is not there.
        if request.writes { flags |= O_EXCL }
      } else if request.creates {
        flags |= O_CREAT
      }
      let buffered = files.open(path, flags: flags, mode: 0o666)
      guard buffered >= 0 else {
        throw .opening(path, errno: -buffered, writing: request.writes)
      }
      let status: FileStatus
      do throws(DeviceError) {
        status = try settle(buffered, path, request, files)
      } catch {
        files.close(buffered)
        throw error
      }
      var opened = OpenedFile(buffered: buffered, direct: -1, status: status)
      if request.direct, status.directOffsetAlignment > 0 {
        flags &= ~(O_CREAT | O_EXCL)
        opened.direct = max(-1, files.open(path, flags: flags | cu_o_direct, mode: 0))
      }
      return .success(opened)
    } catch {
      return .failure(error)
    }
  }

  /// Locks and empties a file as it was asked for; it is not emptied under another's hands.
  private static func settle(
    _ file: Int32, _ path: String, _ request: Request, _ files: FileSystem
  ) throws(DeviceError) -> FileStatus {
    func status() throws(DeviceError) -> FileStatus {
      do throws(SystemError) {
        return try files.status(file)
      } catch {
        throw .system(path: path, call: "stat", errno: error.errno)
      }
    }
    let found = try status()
    guard found.kind == .regular, request.writes else { return found }
    if request.locks {
      let locked = files.lock(file)
      if locked == -EWOULDBLOCK { throw .busy(path: path) }
      guard locked == 0 else { throw .system(path: path, call: "flock", errno: -locked) }
    }
    guard request.truncates else { return found }
    let truncated = files.truncate(file, to: 0)
    guard truncated == 0 else { throw .system(path: path, call: "ftruncate", errno: -truncated) }
    return try status()
  }

  /// Looks what is at `path` before it is opened for good; nil where nothing is and may be made.
  private static func probe(_ path: String, _ request: Request, _ files: FileSystem)
    throws(DeviceError) -> FileStatus.Kind?
  {
    let file = files.open(path, flags: O_RDONLY | O_NONBLOCK, mode: 0)
    if file == -ENOENT, request.creates { return nil }
    guard file >= 0 else {
      throw .opening(path, errno: -file, writing: false)
    }
    defer { files.close(file) }
    let kind: FileStatus.Kind
    do throws(SystemError) {
      kind = try files.status(file).kind
    } catch {
      throw .system(path: path, call: "stat", errno: error.errno)
    }
    switch kind {
    case .regular, .blockDevice: return kind
    case .directory: throw .isDirectory(path: path)
    default: throw .notADisk(path: path)
    }
  }
}
