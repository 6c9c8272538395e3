import Devices
import Glibc
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

/// How a command ended, as an initiator sees it.
struct BlockOutcome: Equatable {
  var status: Status
  var sense: SenseData?
  var data: [UInt8]
  var transferLength: Int
  var isSilent = false

  static func sense(_ key: SenseKey, _ code: UInt8, _ qualifier: UInt8) -> [UInt8] {
    [key.rawValue, code, qualifier]
  }

  /// Key, code and qualifier; nothing where all went well.
  var senseCodes: [UInt8] {
    guard let sense else { return [] }
    return [sense.key.rawValue, sense.additional.code, sense.additional.qualifier]
  }
}

/// A disk logical unit with an initiator in front of it.
final class BlockBench {
  let ring: Ring
  let unit: BlockLogicalUnit
  let share: BufferShare
  let nexus: Nexus
  private var nextTag: UInt64 = 0

  init(
    _ disk: BlockDevice, _ options: BlockLogicalUnitOptions = .init(), ring: Ring,
    shareBytes: Int = 8 << 20
  ) {
    self.ring = ring
    share = BufferShare(of: ring.arena, byteCount: shareBytes)
    unit = BlockLogicalUnit(
      disk: disk, identity: UnitIdentity(product: "DISK", serialNumber: "1", naa: []),
      options: options, share: share, ring: ring)
    nexus = Self.nexus(1)
    join(nexus)
  }

  static func nexus(_ number: UInt64) -> Nexus {
    Nexus(
      initiatorPort: InitiatorPort(name: "iqn.2026-11.test:\(number)", isid: number),
      targetPort: TargetPort(
        name: "iqn.2026-11.test:target", portalGroupTag: 1, relativeIdentifier: 1))
  }

  /// Attaches a nexus that has seen its first unit attention.
  func join(_ nexus: Nexus) {
    unit.control.attach(nexus)
    while unit.control.takeUnitAttention(for: nexus) != nil {}
  }

  /// A thin file of `blockCount` blocks in `directory`, and a unit on it.
  static func thin(
    _ directory: String, ring: Ring, blockLength: Int = 512, blockCount: UInt64 = 8192,
    direct: Bool = true, change: (inout BlockLogicalUnitOptions) -> Void = { _ in }
  ) async throws -> BlockBench {
    var file = FileDisk.Options.readWrite
    file.creates = true
    file.blockLength = blockLength
    file.byteCount = blockCount * UInt64(blockLength)
    file.direct = direct
    let disk = try await FileDisk.open(directory + "/disk", options: file, ring: ring)
    var options = BlockLogicalUnitOptions()
    change(&options)
    return BlockBench(disk, options, ring: ring)
  }

  /// One command from its arrival to its end.
  func run(
    _ cdb: [UInt8], _ dataOut: [UInt8] = [], nexus other: Nexus? = nil
  ) async -> BlockOutcome {
    let command = Command(nexus: other ?? nexus)
    command.cdb = CommandDescriptorBlock(cdb)
    command.expectedDataOut = dataOut.count
    command.expectedDataIn = 1 << 20
    command.tag = nextTag
    nextTag += 1
    let client = BlockClient()
    switch unit.admit(command) {
    case .finished(let result): return client.outcome(of: result)
    case .execute(let wanted):
      let bytes = Array(dataOut.prefix(wanted))
      var payload = ring.arena.empty()
      if !bytes.isEmpty {
        guard let room = ring.arena.allocate(bytes.count) else {
          preconditionFailure("the arena of a test has room")
        }
        payload = room
        payload.overwrite(with: bytes)
      }
      unit.execute(command, dataOut: payload, for: client)
      return await client.wait()
    }
  }
}

/// Takes results as a transport does.
final class BlockClient: CommandClient {
  private var ended: BlockOutcome?
  private var waiter: CheckedContinuation<Void, Never>?

  override func complete(_ command: Command, _ result: consuming CommandResult) {
    end(outcome(of: result))
  }

  func end(_ outcome: BlockOutcome) {
    ended = outcome
    waiter?.resume()
    waiter = nil
  }

  var hasEnded: Bool { ended != nil }

  func outcome(of result: consuming CommandResult) -> BlockOutcome {
    let share = result.share
    let borrowed = result.borrowedByteCount
    var outcome = BlockOutcome(
      status: result.status, sense: nil, data: [], transferLength: result.transferLength,
      isSilent: result.disposition == .silent)
    if !result.sense.isEmpty { outcome.sense = try? SenseData.decode(result.sense) }
    do {
      let payload = result.takeDataIn()
      outcome.data = payload.bytes()
    }
    share?.giveBack(borrowed)
    return outcome
  }

  func wait() async -> BlockOutcome {
    if ended == nil { await withCheckedContinuation { waiter = $0 } }
    guard let ended else { preconditionFailure("a command ends before its waiter goes on") }
    return ended
  }
}

/// CDBs, as an initiator writes them.
enum BlockCDB {
  static func big(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
  }
  static func six(_ code: UInt8, _ lba: UInt64, _ count: UInt8) -> [UInt8] {
    [code] + big(lba & 0x1F_FFFF, 3) + [count, 0]
  }
  static func ten(_ code: UInt8, _ lba: UInt64, _ count: UInt64, flags: UInt8 = 0) -> [UInt8] {
    [code, flags] + big(lba, 4) + [0] + big(count, 2) + [0]
  }
  static func twelve(_ code: UInt8, _ lba: UInt64, _ count: UInt64, flags: UInt8 = 0) -> [UInt8] {
    [code, flags] + big(lba, 4) + big(count, 4) + [0, 0]
  }
  static func sixteen(_ code: UInt8, _ lba: UInt64, _ count: UInt64, flags: UInt8 = 0) -> [UInt8] {
    [code, flags] + big(lba, 8) + big(count, 4) + [0, 0]
  }
  static func read(_ lba: UInt64, _ count: UInt64) -> [UInt8] { sixteen(0x88, lba, count) }
  static func write(_ lba: UInt64, _ count: UInt64, fua: Bool = false) -> [UInt8] {
    sixteen(0x8A, lba, count, flags: fua ? 0x08 : 0)
  }
  static func compareAndWrite(_ lba: UInt64, _ count: UInt8) -> [UInt8] {
    [0x89, 0] + big(lba, 8) + [0, 0, 0, count, 0, 0]
  }
  static func atomic(_ lba: UInt64, _ count: UInt64) -> [UInt8] {
    [0x9C, 0] + big(lba, 8) + [0, 0] + big(count, 2) + [0, 0]
  }
  static func unmap(_ length: Int) -> [UInt8] {
    [0x42, 0, 0, 0, 0, 0, 0] + big(UInt64(length), 2) + [0]
  }
  static func unmapList(_ ranges: [(UInt64, UInt64)]) -> [UInt8] {
    big(UInt64(6 + ranges.count * 16), 2) + big(UInt64(ranges.count * 16), 2) + [0, 0, 0, 0]
      + ranges.flatMap { big($0.0, 8) + big($0.1, 4) + [0, 0, 0, 0] }
  }
  static func lbaStatus(_ lba: UInt64, _ length: UInt64 = 256) -> [UInt8] {
    [0x9E, 0x12] + big(lba, 8) + big(length, 4) + [0, 0]
  }
  static func capacity16(_ length: UInt64 = 32) -> [UInt8] {
    [0x9E, 0x10] + big(0, 8) + big(length, 4) + [0, 0]
  }
  static func sanitize(_ action: UInt8, _ length: Int, immediate: Bool = false) -> [UInt8] {
    [0x48, (immediate ? 0x80 : 0) | action, 0, 0, 0, 0, 0] + big(UInt64(length), 2) + [0]
  }
  static func startStop(_ last: UInt8) -> [UInt8] { [0x1B, 0, 0, 0, last, 0] }
  static func prevent(_ value: UInt8) -> [UInt8] { [0x1E, 0, 0, 0, value, 0] }
  static let testUnitReady: [UInt8] = [0, 0, 0, 0, 0, 0]
  static let synchronizeCache: [UInt8] = ten(0x35, 0, 0)
}

/// SplitMix64.
struct BlockRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func below(_ end: UInt64) -> UInt64 { next() % end }
  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}

/// Runs `body` on a processor of its own, with a directory of its own under the build's disk.
func withBlockBench<Success: Sendable>(
  arenaBytes: Int = 24 << 20,
  _ body: @escaping @Sendable (Ring, String) async throws -> Success
) async throws -> Success {
  var configuration = Processor.Configuration()
  configuration.arenaBytes = arenaBytes
  let processor = try Processor(configuration)
  let directory = BlockFolder.make()
  defer { BlockFolder.remove(directory) }
  let result: Result<Success, any Error> = await processor.run { ring in
    do { return .success(try await body(ring, directory)) } catch { return .failure(error) }
  }
  processor.stop()
  return try result.get()
}

enum BlockFolder {
  static func make() -> String {
    guard let path = unsafe getcwd(nil, 0) else { preconditionFailure("a test has a directory") }
    defer { unsafe free(path) }
    var bytes = unsafe Array((String(cString: path) + "/.build/ecopy-block-XXXXXX").utf8CString)
    precondition(unsafe mkdtemp(&bytes) != nil, "tests have a build directory")
    return String(
      decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The files that tests make in it, and itself.
  static func remove(_ path: String) {
    for name in ["disk", "disk0", "disk1"] { unsafe unlink("\(path)/\(name)") }
    unsafe rmdir(path)
  }

  /// Bytes that a file takes on its file system.
  static func allocated(_ path: String) -> Int {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return -1 }
    return Int(status.st_blocks) * 512
  }

  static func contents(_ path: String) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
    let count = unsafe pread(file, &bytes, bytes.count, 0)
    return Array(bytes.prefix(max(0, count)))
  }
}
