import ISCSIProtocol
import SAM
import SCSI
import Testing
import Uring

@testable import ISCSI

/// Runs `body` against a fake target on a processor of its own; all memory is free again afterwards.
func withFakeTarget(
  _ body: @escaping @Sendable (FakeTarget) async throws -> Void
) async throws {
  var configuration = Processor.Configuration()
  configuration.arenaBytes = 8 << 20
  let processor = try Processor(configuration)
  let result: Result<Void, any Error> = await processor.run { ring in
    let free = ring.arena.freeByteCount
    do {
      let target = try FakeTarget(ring)
      try await body(target)
      target.close()
      #expect(ring.arena.freeByteCount == free, "every byte of the arena is free again")
      return .success(())
    } catch {
      return .failure(error)
    }
  }
  processor.stop()
  try result.get()
}

/// Collects how commands end.
final class Collector: InitiatorClient {
  private(set) var outcomes: [UInt64: InitiatorOutcome] = [:]
  private(set) var bytes: [UInt64: [UInt8]] = [:]
  private(set) var order: [UInt64] = []
  private var waited: (count: Int, signal: InitiatorSignal)?

  override func complete(_ completion: consuming InitiatorCompletion) {
    let tag = completion.tag
    outcomes[tag] = completion.outcome
    bytes[tag] = completion.takePayload().bytes()
    order.append(tag)
    if let waited, order.count >= waited.count { waited.signal.fire() }
  }

  func wait(for count: Int) async {
    guard order.count < count else { return }
    let signal = InitiatorSignal()
    waited = (count, signal)
    await signal.wait()
  }
}

extension InitiatorSession {
  /// A read of `count` bytes by an invented command.
  func read(
    _ count: Int, for client: InitiatorClient, tag: UInt64 = 0,
    recovery: InitiatorCommand.Recovery = .none, timeoutSeconds: UInt64 = 60
  ) throws {
    let payload = try ring.room(count)
    let cdb = CommandDescriptorBlock([0x88] + [UInt8](repeating: 0, count: 15))
    execute(
      InitiatorCommand(
        cdb, logicalUnit: 0, direction: .read, recovery: recovery, timeoutSeconds: timeoutSeconds),
      payload, for: client, tag: tag)
  }

  /// A write of `bytes`.
  func write(_ bytes: [UInt8], for client: InitiatorClient, tag: UInt64 = 0) throws {
    var payload = try ring.room(bytes.count)
    payload.overwrite(with: bytes)
    let cdb = CommandDescriptorBlock([0x8A] + [UInt8](repeating: 0, count: 15))
    execute(
      InitiatorCommand(cdb, logicalUnit: 0, direction: .write), payload, for: client, tag: tag)
  }
}

/// Bytes that tell their place.
func counting(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
}

/// Fixed-format sense data.
func sense(
  _ key: SenseKey, _ code: UInt8, _ qualifier: UInt8, information: UInt64? = nil,
  filemark: Bool = false, endOfMedium: Bool = false, incorrectLength: Bool = false
) -> [UInt8] {
  SenseData(
    key: key, additional: AdditionalSense(code: code, qualifier: qualifier),
    information: information, filemark: filemark, endOfMedium: endOfMedium,
    incorrectLength: incorrectLength
  ).fixedBytes()
}

extension Ring {
  /// Bytes of the arena.
  func room(_ byteCount: Int) throws -> Payload {
    guard let payload = arena.allocate(byteCount) else { throw Wrong() }
    return payload
  }
}

/// `#expect` for what is waited for.
func check(_ isTrue: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(isTrue, sourceLocation: sourceLocation)
}
