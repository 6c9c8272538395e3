import Glibc
import Uring

/// A file that is read or written from its start to its end, in large pieces, by helper threads.
final class ImageFile {
  private let path: String
  private let file: Int32
  private let ring: Ring
  /// Bytes of the file that are in memory: read ahead, or not yet written.
  private var window: [UInt8] = []
  private var windowOffset: UInt64 = 0

  private static let windowByteCount = 1 << 20

  static func open(_ path: String, creates: Bool, ring: Ring) async throws(DeviceError) -> ImageFile
  {
    let result: Result<Int32, DeviceError> = await ring.blocking { files in
      let flags = creates ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY
      let file = files.open(path, flags: flags, mode: 0o666)
      guard file >= 0 else { return .failure(.opening(path, errno: -file, writing: creates)) }
      guard let kind = try? files.status(file).kind, kind != .directory else {
        files.close(file)
        return .failure(.isDirectory(path: path))
      }
      return .success(file)
    }
    return ImageFile(path, try result.get(), ring)
  }

  private init(_ path: String, _ file: Int32, _ ring: Ring) {
    self.path = path
    self.file = file
    self.ring = ring
  }

  deinit { ring.kernel.files.close(file) }

  /// Up to `count` bytes at `offset`; fewer at the end of the file.
  func read(_ count: Int, at offset: UInt64) async throws(DeviceError) -> [UInt8] {
    if offset < windowOffset || offset + UInt64(count) > windowOffset + UInt64(window.count) {
      let file = self.file
      let wanted = max(count, Self.windowByteCount)
      let result: Result<[UInt8], SystemError> = await ring.blocking { files in
        do throws(SystemError) {
          return .success(try files.read(file, count: wanted, at: offset))
        } catch {
          return .failure(error)
        }
      }
      switch result {
      case .success(let bytes): window = bytes
      case .failure(let error):
        throw .system(path: path, call: "read", errno: error.errno)
      }
      windowOffset = offset
    }
    let start = Int(offset - windowOffset)
    return Array(window[start..<min(window.count, start + count)])
  }

  /// The length that stands at `offset`; nil at the end of the file.
  func length(at offset: UInt64) async throws(DeviceError) -> UInt32? {
    let bytes = try await read(4, at: offset)
    if bytes.isEmpty { return nil }
    guard bytes.count == 4 else {
      throw .tapeImage(path: path, offset: offset, reason: "a length is cut short")
    }
    return bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Writes behind what was written before.
  func append(_ bytes: [UInt8]) async throws(DeviceError) {
    window += bytes
    if window.count >= Self.windowByteCount { try await writeWindow() }
  }

  /// Makes everything durable.
  func synchronize() async throws(DeviceError) {
    try await writeWindow()
    let file = self.file
    let result = await ring.blocking { $0.synchronize(file) }
    if result < 0 { throw .system(path: path, call: "fsync", errno: -result) }
  }

  private func writeWindow() async throws(DeviceError) {
    let (file, bytes, offset) = (self.file, window, windowOffset)
    let result = await ring.blocking { $0.write(file, bytes, at: offset) }
    if result == -ENOSPC { throw .noSpace(path: path) }
    if result < 0 { throw .system(path: path, call: "write", errno: -result) }
    windowOffset += UInt64(window.count)
    window.removeAll(keepingCapacity: true)
  }
}
