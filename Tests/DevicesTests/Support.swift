import Glibc
import Testing
import Uring

@testable import Devices

/// Runs `body` on a processor of its own, with a directory of its own under the build's disk.
func withProcessor<Success: Sendable>(
  arenaBytes: Int = 24 << 20,
  _ body: @escaping @Sendable (Ring, String) async throws -> Success
) async throws -> Success {
  var configuration = Processor.Configuration()
  configuration.arenaBytes = arenaBytes
  let processor = try Processor(configuration)
  let directory = Folder.make()
  defer { Folder.remove(directory) }
  let result: Result<Success, any Error> = await processor.run { ring in
    do { return .success(try await body(ring, directory)) } catch { return .failure(error) }
  }
  processor.stop()
  return try result.get()
}

enum Folder {
  static func make() -> String {
    let template = (currentDirectory() + "/.build/ecopy-test-XXXXXX").utf8CString
    var bytes = Array(template)
    precondition(unsafe mkdtemp(&bytes) != nil, "tests have a build directory")
    return String(
      decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func currentDirectory() -> String {
    guard let path = unsafe getcwd(nil, 0) else { return "/tmp" }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  static func remove(_ path: String) {
    guard let directory = unsafe opendir(path) else {
      unsafe unlink(path)
      return
    }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    unsafe closedir(directory)
    for name in names { remove(path + "/" + name) }
    unsafe rmdir(path)
  }
}

/// Bytes that tell their place.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var random = Random(seed: seed)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

/// SplitMix64.
struct Random: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

struct Failed: Error {
  var what: String
  init(_ what: String) { self.what = what }
}

extension Ring {
  func payload(_ bytes: [UInt8], alignment: Int = 4096) throws -> Payload {
    guard var payload = arena.allocate(bytes.count, alignment: alignment) else {
      throw Failed("the arena is full")
    }
    payload.overwrite(with: bytes)
    return payload
  }

  func room(_ byteCount: Int) throws -> Payload {
    try payload([UInt8](repeating: 0xAA, count: byteCount))
  }
}

/// The whole of a file.
func contents(_ path: String) -> [UInt8] {
  let file = unsafe open(path, O_RDONLY)
  guard file >= 0 else { return [] }
  defer { close(file) }
  var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
  let count = unsafe pread(file, &bytes, bytes.count, 0)
  return Array(bytes.prefix(max(0, count)))
}

func store(_ bytes: [UInt8], at path: String) {
  let file = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
  _ = unsafe write(file, bytes, bytes.count)
  close(file)
}

/// Bytes of a file, by its status.
func byteCount(_ path: String) -> Int {
  var status = stat()
  guard unsafe stat(path, &status) == 0 else { return -1 }
  return Int(status.st_size)
}
