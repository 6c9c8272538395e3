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
  }

  /// Opens `path` as a disk; blocks.
  static func open(_ path: String, _ request: Request, _ files: FileSystem)
    -> Result<OpenedFile, DeviceError>
  {
    do throws(DeviceError) {
      let exists = try probe(path, request, files)
      var flags = request.writes ? O_RDWR : O_RDONLY
      if request.creates { flags |= O_CREAT }
      switch exists {
      case .blockDevice:
        // A disk that is mounted is not written behind its file system's back.
        if request.writes { flags |= O_EXCL }
      default:
        if request.truncates { flags |= O_TRUNC }
      }
      let buffered = files.open(path, flags: flags, mode: 0o666)
      guard buffered >= 0 else {
        throw .opening(path, errno: -buffered, writing: request.writes)
      }
      let status: FileStatus
      do throws(SystemError) {
        status = try files.status(buffered)
      } catch {
        files.close(buffered)
        throw .system(path: path, call: "stat", errno: error.errno)
      }
      var opened = OpenedFile(buffered: buffered, direct: -1, status: status)
      if request.direct, status.directOffsetAlignment > 0 {
        flags &= ~(O_CREAT | O_EXCL | O_TRUNC)
        opened.direct = max(-1, files.open(path, flags: flags | cu_o_direct, mode: 0))
      }
      return .success(opened)
    } catch {
      return .failure(error)
    }
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
