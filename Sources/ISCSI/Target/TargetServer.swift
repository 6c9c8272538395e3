import ISCSIProtocol
public import Uring

/// The target end of iSCSI on one ring: portals that listen, connections that log in, sessions.
///
/// One ticker of a second serves all deadlines. Used on the ring's thread.
public final class TargetServer {
  /// The ring.
  public let ring: Ring
  /// What was done.
  public let counters = ISCSICounters()
  /// How it behaves.
  public let configuration: TargetServerConfiguration

  let directory: TargetDirectory
  /// Data of commands.
  let data: BufferShare
  /// Blocks of connections, and the text of logins.
  let control: BufferShare

  private var portals: [TargetPortal] = []
  private var logins: [ObjectIdentifier: TargetConnection] = [:]
  private var sessions: [ObjectIdentifier: TargetSession] = [:]
  private var ticker: Ticker?
  private var lastHandle: UInt16 = 0
  private(set) var isStopping = false
  private let waiters = Waiters()

  /// A server that does not listen yet.
  ///
  /// - Parameters:
  ///   - data: where the data of commands are put. Not smaller than the longest write a logical unit
  ///     admits, and `FirstBurstLength`.
  ///   - control: for the connections themselves: `PDUChannel.blockByteCount` for each, and 16 KiB for
  ///     each that is not logged in.
  public init(
    ring: Ring, directory: TargetDirectory, data: BufferShare, control: BufferShare,
    configuration: TargetServerConfiguration = TargetServerConfiguration()
  ) {
    self.ring = ring
    self.directory = directory
    self.data = data
    self.control = control
    self.configuration = configuration
  }

  /// Listens on an address; port 0 takes a free one.
  ///
  /// - Returns: the address with its port.
  @discardableResult
  public func listen(on address: SocketAddress) throws(NetworkError) -> SocketAddress {
    precondition(!isStopping, "a server that was stopped stays so")
    let descriptor = try Socket.listen(on: address)
    let portal = TargetPortal(descriptor, server: self)
    portals.append(portal)
    if ticker == nil { ticker = Ticker(self) }
    portal.start()
    return Socket.localAddress(of: descriptor) ?? address
  }

  /// Sessions, discovery included.
  public var sessionCount: Int { sessions.count }

  /// Connections that are not logged in.
  public var loginCount: Int { logins.count }

  /// Stops listening, asks initiators to log out, and after `drainSeconds` ends what is left. Returns
  /// when every buffer is given back and every socket closed. Called once.
  public func stop() async {
    precondition(!isStopping, "a server is stopped once")
    isStopping = true
    for portal in portals { portal.stop() }
    for login in Array(logins.values) { login.end() }
    for session in Array(sessions.values) { session.askForLogout(seconds: drainSeconds) }
    let deadline = ring.now + UInt64(configuration.drainSeconds) * 1_000_000_000
    while !sessions.isEmpty, ring.now < deadline {
      await ring.sleep(nanoseconds: Self.drainStepNanoseconds)
    }
    for session in Array(sessions.values) { session.drop() }
    if !sessions.isEmpty { await ring.sleep(nanoseconds: Self.dropNanoseconds) }
    for session in Array(sessions.values) { session.end() }
    ticker?.stop()
    while !isIdle { await waiters.wait() }
  }

  private var drainSeconds: UInt16 { UInt16(clamping: configuration.drainSeconds) }
  private static let drainStepNanoseconds: UInt64 = 20_000_000
  /// What a last message has to leave the socket.
  private static let dropNanoseconds: UInt64 = 200_000_000

  private var isIdle: Bool {
    logins.isEmpty && sessions.isEmpty && portals.isEmpty && ticker == nil
  }

  private func wakeIfIdle() {
    if isStopping, isIdle { waiters.wake() }
  }

  // MARK: Connections

  /// Takes over an accepted socket, or closes it where there are too many.
  func accept(_ descriptor: Int32) {
    guard !isStopping, logins.count < configuration.mostLogins,
      logins.count + sessions.count < configuration.mostConnections,
      ring.room > ring.capacity / Self.operationParts,
      let portal = Socket.localAddress(of: descriptor),
      let peer = Socket.peerAddress(of: descriptor),
      let block = control.takeNow(PDUChannel.blockByteCount)
    else {
      counters.refusedConnections += 1
      return Socket.close(descriptor)
    }
    Socket.tune(descriptor)
    counters.connections += 1
    counters.openConnections += 1
    let connection = TargetConnection(server: self, portal: portal, peer: peer)
    logins[ObjectIdentifier(connection)] = connection
    connection.start(
      PDUChannel(descriptor, ring: ring, block: block, owner: connection, counters: counters))
  }

  /// One of so many parts of the ring is left to disks and timers.
  private static let operationParts = 8

  /// A connection ended before it was logged in.
  func ended(_ connection: TargetConnection) {
    logins[ObjectIdentifier(connection)] = nil
    connectionClosed()
    wakeIfIdle()
  }

  private func connectionClosed() {
    control.giveBack(PDUChannel.blockByteCount)
    counters.openConnections -= 1
  }

  func portalEnded(_ portal: TargetPortal) {
    portals.removeAll { $0 === portal }
    wakeIfIdle()
  }

  func tickerEnded() {
    ticker = nil
    wakeIfIdle()
  }

  /// A second has passed.
  func tick() {
    for login in Array(logins.values) { login.tick() }
    for session in Array(sessions.values) { session.tick() }
    for portal in portals { portal.tick() }
  }

  // MARK: Sessions

  /// The session of the same ports: a new login of theirs ends it. RFC 7143 6.3.5.
  func session(like identity: SessionIdentity) -> TargetSession? {
    sessions.values.first { $0.identity == identity }
  }

  func session(withHandle handle: UInt16) -> TargetSession? {
    sessions.values.first { $0.handle == handle }
  }

  func sessions(of targetName: ISCSIName?) -> [TargetSession] {
    sessions.values.filter { $0.identity.targetName == targetName }
  }

  /// Whether a session has not given everything back.
  func isThere(_ session: ObjectIdentifier) -> Bool { sessions[session] != nil }

  /// A connection has become a session.
  func began(_ session: TargetSession, instead connection: TargetConnection) {
    logins[ObjectIdentifier(connection)] = nil
    sessions[ObjectIdentifier(session)] = session
    counters.logins += 1
    directory.report(.began(session.summary))
  }

  func ended(_ session: TargetSession) {
    directory.report(.ended(session.summary, byLogout: session.isFinishing))
    sessions[ObjectIdentifier(session)] = nil
    connectionClosed()
    wakeIfIdle()
  }

  /// A TSIH that no session has, not 0.
  func makeHandle() -> UInt16 {
    repeat {
      lastHandle = lastHandle == .max ? 1 : lastHandle + 1
    } while session(withHandle: lastHandle) != nil
    return lastHandle
  }
}

/// Gives what it asked a share for to a closure.
final class BufferReceiver: BufferClient {
  private let body: (consuming Payload) -> Void

  init(_ body: @escaping (consuming Payload) -> Void) {
    self.body = body
    super.init()
  }

  override func receive(_ payload: consuming Payload, tag: UInt64) { body(payload) }
}

/// Calls the server every second.
private final class Ticker: CompletionHandler {
  private unowned let server: TargetServer
  private var operation: OperationID?
  private var hasStopped = false

  init(_ server: TargetServer) {
    self.server = server
    super.init()
    arm()
  }

  private func arm() {
    operation = server.ring.timeout(nanoseconds: 1_000_000_000, for: self, tag: 0)
  }

  func stop() {
    hasStopped = true
    if let operation { server.ring.cancel(operation) }
  }

  override func complete(_ completion: consuming Completion) {
    if hasStopped { return server.tickerEnded() }
    arm()
    server.tick()
  }
}
