import Glibc
import Testing

@testable import Uring

/// Runs `body` on a processor over a simulated kernel, which is returned for inspection.
func simulate<Success: Sendable>(
  _ files: SimulatedFileSystem, _ plan: SimulationPlan, arenaBytes: Int = 4 << 20,
  _ body: @escaping @Sendable (Ring) async -> Success
) async throws -> (Success, SimulatedKernel) {
  let kernel = SimulatedKernel(files: files, plan: plan)
  var configuration = Processor.Configuration()
  configuration.arenaBytes = arenaBytes
  configuration.kernel = { kernel }
  let processor = try Processor(configuration)
  let result = await processor.run(body)
  processor.stop()
  return (result, kernel)
}

extension Ring {
  /// Writes `bytes` and returns the kernel's answer.
  func put(_ file: RingFile, _ bytes: [UInt8], at offset: UInt64) async -> Int32 {
    guard var payload = arena.allocate(bytes.count) else { return -ENOMEM }
    payload.overwrite(with: bytes)
    var parked: Payload? = consume payload
    return await perform {
      if let payload = parked.take() { write(file, at: offset, from: payload, for: $0, tag: 0) }
    }
  }

  /// Reads up to `count` bytes: the kernel's answer and the bytes of the whole payload.
  func get(_ file: RingFile, _ count: Int, at offset: UInt64) async -> (Int32, [UInt8]) {
    var parked: Payload? = arena.allocate(count)
    let completion = await performWithPayload {
      if let payload = parked.take() { read(file, at: offset, into: payload, for: $0, tag: 0) }
    }
    let result = completion.result
    return (result, Array(completion.payload.bytes().prefix(Int(max(0, result)))))
  }

  /// FSYNC of a file or a directory.
  func flush(_ file: RingFile) async -> Int32 {
    await perform { synchronize(file, for: $0, tag: 0) }
  }

  /// Opens a file in place and makes it known.
  func openNow(_ path: String, _ flags: Int32) -> RingFile {
    know(kernel.files.open(path, flags: flags, mode: 0o600))
  }
}

/// Bytes that tell where they come from: a window on one table of chance, at most 64 KiB long.
func pattern(_ count: Int, _ salt: Int = 0) -> [UInt8] {
  let start = salt &* 257 % 65_536
  return Array(chance[start..<start + count])
}

private let chance: [UInt8] = {
  var random = SimulatedRandom(seed: 0)
  return (0..<2 * 65_536).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}()

/// Collects the completions of several operations in flight together.
final class Collector: CompletionHandler {
  /// Tag and result of each, in the order of completion.
  private(set) var results: [(tag: UInt64, result: Int32)] = []
  private var wanted = Int.max
  private var continuation: CheckedContinuation<Void, Never>?
  /// Called with each completion's tag and result.
  var next: ((UInt64, Int32) -> Void)?

  override func complete(_ completion: consuming Completion) {
    results.append((completion.tag, completion.result))
    next?(completion.tag, completion.result)
    if results.count >= wanted { continuation.take()?.resume() }
  }

  /// Waits until `count` have completed in all.
  func wait(for count: Int) async {
    guard results.count < count else { return }
    wanted = count
    await withCheckedContinuation { continuation = $0 }
  }
}

/// Writes a range of a file, over short writes, EAGAIN and EINTR: a small state machine as the data
/// path has it.
final class Writer: CompletionHandler {
  private let ring: Ring
  private let file: RingFile
  private let bytes: [UInt8]
  private let offset: UInt64
  private var done = 0
  private let ended: (Int32) -> Void

  init(
    _ ring: Ring, _ file: RingFile, _ bytes: [UInt8], at offset: UInt64,
    ended: @escaping (Int32) -> Void
  ) {
    self.ring = ring
    self.file = file
    self.bytes = bytes
    self.offset = offset
    self.ended = ended
  }

  func start() {
    guard var payload = ring.arena.allocate(bytes.count) else { return ended(-ENOMEM) }
    payload.overwrite(with: bytes)
    ring.write(file, at: offset, from: payload, for: self, tag: 0)
  }

  override func complete(_ completion: consuming Completion) {
    let result = completion.result
    var payload = completion.takePayload()
    if result < 0, result != -EAGAIN, result != -EINTR { return ended(result) }
    let moved = Int(max(0, result))
    done += moved
    _ = payload.removeFirst(moved)
    if payload.isEmpty { return ended(0) }
    ring.write(file, at: offset + UInt64(done), from: payload, for: self, tag: 0)
  }
}
