import ISCSIProtocol
import SAM
import Synchronization
import Uring

@testable import ISCSI

/// A target server with one RAM disk on a processor of its own.
final class TargetFixture: @unchecked Sendable {
  static let targetName = "iqn.2026-11.org.ecopy:ram"
  static let arenaByteCount = 8 << 20

  let processor: Processor
  private(set) var port: UInt16 = 0
  private(set) var server: TargetServer?
  private(set) var disk: RAMDisk?
  private(set) var freeAtStart = 0

  /// What a test may change.
  struct Options: Sendable {
    /// Nothing ends for being slow: the tests share few processors.
    var configuration = {
      var configuration = TargetServerConfiguration()
      configuration.loginSeconds = 600
      configuration.silenceSeconds = 600
      return configuration
    }()
    var dataByteCount = 4 << 20
    var chap: TargetCHAP?
    var port: UInt16 = 0
    var diskByteCount = 1 << 20
    var arenaByteCount = TargetFixture.arenaByteCount
  }

  private init(_ options: Options) throws {
    var configuration = Processor.Configuration()
    configuration.arenaBytes = options.arenaByteCount
    processor = try Processor(configuration)
  }

  /// A test that fails before it stops its fixture leaves it running.
  private static let running = Mutex<[ObjectIdentifier: TargetFixture]>([:])

  static func start(_ options: Options = Options()) async throws -> TargetFixture {
    let fixture = try TargetFixture(options)
    running.withLock { $0[ObjectIdentifier(fixture)] = fixture }
    try await fixture.processor.run { ring in
      let data = BufferShare(of: ring.arena, byteCount: options.dataByteCount)
      let control = BufferShare(of: ring.arena, byteCount: 1 << 20)
      let disk = RAMDisk(ring, data: data, byteCount: options.diskByteCount)
      fixture.freeAtStart = ring.arena.freeByteCount
      let directory = OneTarget(disk, chap: options.chap)
      let server = TargetServer(
        ring: ring, directory: directory, data: data, control: control,
        configuration: options.configuration)
      guard
        let address = try SocketAddress.resolve(host: "127.0.0.1", port: options.port).first
      else { return }
      fixture.port = try server.listen(on: address).port
      directory.port = fixture.port
      fixture.server = server
      fixture.disk = disk
    }
    return fixture
  }

  /// Runs on the ring's thread.
  func look<Value: Sendable>(
    _ body: @escaping @Sendable (TargetServer, RAMDisk) -> Value
  ) async -> Value? {
    await processor.run { _ in
      guard let server = self.server, let disk = self.disk else { return nil }
      return body(server, disk)
    }
  }

  /// Bytes of the arena that sessions and logins hold.
  func heldByteCount() async -> Int {
    await processor.run { self.freeAtStart - $0.arena.freeByteCount }
  }

  /// Waits until a condition on the ring's thread holds; whether it came to that in ten seconds.
  func wait(
    until condition: @escaping @Sendable (TargetServer, RAMDisk) -> Bool
  ) async -> Bool {
    await processor.run { ring in
      let deadline = ring.now + 10_000_000_000
      while ring.now < deadline {
        if let server = self.server, let disk = self.disk, condition(server, disk) { return true }
        await ring.sleep(nanoseconds: 2_000_000)
      }
      return false
    }
  }

  /// Begins to stop the server; not on a thread that tests share, which may all be waiting for it.
  func beginToStop() -> Task<Void, Never> {
    processor.start { _ in await self.server?.stop() }
  }

  /// Ends the processor of a server that was stopped. Returns what `stop` returns.
  func end() async -> Int {
    let held = await processor.run { ring in
      let held = self.freeAtStart - ring.arena.freeByteCount
      self.disk?.drop()
      self.server = nil
      self.disk = nil
      return held
    }
    processor.stop()
    Self.running.withLock { $0[ObjectIdentifier(self)] = nil }
    return held
  }

  /// Stops the server. Returns the bytes of the arena that are still held then: none.
  @discardableResult
  func stop() async -> Int {
    await beginToStop().value
    return await end()
  }
}

/// A directory of one target that everybody may see, and that `forbidden` initiators may not.
final class OneTarget: TargetDirectory {
  private let disk: RAMDisk
  private let chap: TargetCHAP?
  var port: UInt16 = 0

  init(_ disk: RAMDisk, chap: TargetCHAP?) {
    self.disk = disk
    self.chap = chap
    super.init()
  }

  private var policy: AuthenticationPolicy { chap.map { .chap($0) } ?? .none }

  override func admission(
    of identity: LoginIdentity, at portal: SocketAddress, from peer: SocketAddress
  ) async -> TargetAdmission {
    guard !"\(identity.initiatorName)".hasSuffix("forbidden") else {
      return .refuse(.authorizationFailure)
    }
    guard identity.sessionType == .normal else { return .discover(policy) }
    guard let name = identity.targetName, "\(name)" == TargetFixture.targetName else {
      return .refuse(.notFound)
    }
    return .admit(
      policy,
      port: TargetPort(name: "\(name)", portalGroupTag: 1, relativeIdentifier: 1),
      router: disk, alias: nil)
  }

  override func visibleTargets(
    for initiatorName: ISCSIName, at portal: SocketAddress
  ) async -> [DiscoveredTarget] {
    guard let name = try? ISCSIName(TargetFixture.targetName),
      let address = PortalAddress(host: "127.0.0.1", port: port, portalGroupTag: 1)
    else { return [] }
    return [DiscoveredTarget(name: name, addresses: [address])]
  }
}
