import ISCSIProtocol
import SAM
import Uring

/// A session in its full feature phase, on its one connection: error recovery level 0.
///
/// Commands, their data and their answers run as a state machine over the events of the channel, the
/// shares and the router. What is not the data path runs as `async` code.
final class TargetSession: PDUChannelOwner {
  /// Commands that may be outstanding; the initiator is told by MaxCmdSN.
  static let window = 128
  /// Commands for immediate delivery, beyond the window.
  static let mostImmediate = 16
  /// An answer whose last PDU is in the channel holds its task, but not its place in the window.
  static let taskCount = window + mostImmediate + PDUChannel.slotCount
  /// Answers other than those of tasks that may wait; nothing is received while there are more.
  static let mostWaitingControls = 32

  /// Why nothing is received.
  struct Holds: OptionSet {
    let rawValue: UInt8
    /// Too many answers wait because the peer does not take them.
    static let backlog = Holds(rawValue: 1)
    /// A command needs bytes at once that are not free.
    static let buffer = Holds(rawValue: 2)
    /// Data that are echoed or text stand in bytes of the data share.
    static let text = Holds(rawValue: 4)
    /// The session ends.
    static let end = Holds(rawValue: 8)
  }

  /// What is to be sent, in this order: StatSN follows it.
  enum Outgoing {
    case task(TargetTask)
    case control(ControlPDU)
  }

  unowned let server: TargetServer
  let channel: PDUChannel
  let identity: SessionIdentity
  let handle: UInt16
  let portal: SocketAddress
  let isDiscovery: Bool
  let summary: TargetServerEvent.Session
  let parameters: SessionParameters
  let connectionID: UInt16
  /// Nil for discovery.
  let nexus: Nexus?
  let router: TaskRouter?
  var ring: Ring { server.ring }

  // MARK: Numbers

  var expCmdSN: SerialNumber
  var statSN: SerialNumber
  /// Commands of the window that have not been answered.
  var unansweredCount = 0
  var immediateCount = 0
  /// Commands that came before an earlier one, by CmdSN.
  var held: [UInt32: () -> Void] = [:]
  /// Task management functions that wait for the commands before them.
  var heldFunctions: [TaskManagementRequest] = []

  // MARK: Tasks

  var pool: [TargetTask] = []
  var freeTasks: [Int] = []
  var tasks: [UInt32: TargetTask] = [:]
  /// Tasks whose data are to come.
  var collectingCount = 0
  var lastCollectNumber: UInt64 = 0
  /// The task into whose payload the channel is receiving.
  var placing: TargetTask?
  /// For bytes of text and pings that are being received.
  var textRequest: BufferReceiver?
  var receivedTextByteCount = 0
  var client: SessionClient?

  var outgoing: [Outgoing] = []
  var firstOutgoing = 0
  var waitingControls = 0
  var isPumping = false
  var holds: Holds = []
  var text = TextExchange()
  /// Task management functions at work.
  var managing = 0

  // MARK: Life

  var silentSeconds = 0
  var hasPinged = false
  var isFinishing = false
  var isEnding = false
  var isClosed = false
  var detachment = Detachment.none
  let waiters = Waiters()
  /// Pieces of `async` code that `work` started.
  private var working = 0

  enum Detachment { case none, going, done }

  init(
    server: TargetServer, channel: PDUChannel, result: LoginResult, identity: SessionIdentity,
    handle: UInt16, admission: TargetAdmission?, portal: SocketAddress
  ) {
    self.server = server
    self.channel = channel
    self.identity = identity
    self.handle = handle
    self.portal = portal
    isDiscovery = result.sessionType == .discovery
    summary = TargetServerEvent.Session(
      initiatorName: result.initiatorName, targetName: result.targetName, peer: channel.peer,
      user: result.user)
    parameters = result.parameters
    connectionID = result.connectionID
    expCmdSN = result.cmdSN
    statSN = result.statSN
    if case .admit(_, let port, let router, _)? = admission, !isDiscovery {
      self.router = router
      nexus = Nexus(
        initiatorPort: InitiatorPort(
          name: "\(result.initiatorName)", isid: result.isid.rawValue), targetPort: port)
    } else {
      router = nil
      nexus = nil
    }
    super.init()
    client = SessionClient(self)
    if let nexus {
      pool = (0..<Self.taskCount).map { TargetTask(index: $0, command: Command(nexus: nexus)) }
      freeTasks = (0..<Self.taskCount).reversed()
      tasks.reserveCapacity(2 * Self.taskCount)
    }
  }

  /// The last response of the login is queued; everything behind it is of this session.
  func begin() {
    channel.setOwner(self)
    channel.hasHeaderDigest = parameters.headerDigest == .crc32c
    channel.hasDataDigest = parameters.dataDigest == .crc32c
    channel.maximumDataSegmentLength = Int(parameters.maxRecvDataSegmentLength)
    if let nexus { router?.attach(nexus) }
    channel.flush()
    channel.resume()
  }

  /// The last command that there is room for.
  var maxCmdSN: SerialNumber { expCmdSN.advanced(by: Self.window - unansweredCount - 1) }

  // MARK: Holding back

  /// Stops receiving for a reason, after the PDU at hand.
  func hold(_ reason: Holds) {
    holds.insert(reason)
    channel.pause()
  }

  /// Undoes `hold`.
  func unhold(_ reason: Holds) {
    guard holds.contains(reason) else { return }
    holds.remove(reason)
    if holds.isEmpty { channel.resume() }
  }

  // MARK: The channel

  override func place(_ header: BasicHeaderSegment) -> Placement {
    silentSeconds = 0
    hasPinged = false
    return isEnding || isFinishing ? .discard : placement(of: header)
  }

  override func received(
    _ header: BasicHeaderSegment, data: consuming Payload, dataDigestFails: Bool
  ) {
    silentSeconds = 0
    hasPinged = false
    take(header, data, dataDigestFails)
  }

  override func released(tag: UInt64) { giveBack(tag) }

  override func hasRoom() {
    silentSeconds = 0
    pump()
  }

  override func failed(_ error: ChannelError) {
    if !isFinishing { server.counters.failedSessions += 1 }
    end()
  }

  override func closed() {
    isClosed = true
    placing = nil
    end()
    waiters.wake()
  }

  // MARK: The end

  /// A second has passed.
  func tick() {
    server.data.retry()
    server.control.retry()
    // A session that is not listened to for want of bytes cannot answer.
    if holds.contains(.buffer) || textRequest != nil, !isFinishing { return }
    silentSeconds += 1
    let dataSeconds = secondsWithoutData()
    let configuration = server.configuration
    if isFinishing {
      if silentSeconds > configuration.answerSeconds { end() }
    } else if max(silentSeconds, dataSeconds)
      > configuration.silenceSeconds + configuration.answerSeconds
    {
      server.counters.failedSessions += 1
      end()
    } else if silentSeconds >= configuration.silenceSeconds, !hasPinged {
      hasPinged = true
      ping()
    }
  }

  /// How long the task that has held bytes longest has got no data. Those behind it may have to wait
  /// for a slow link, but each comes first in the end.
  private func secondsWithoutData() -> Int {
    let collecting = pool.lazy.filter { $0.state == .collecting }
    guard let first = collecting.min(by: { $0.collectNumber < $1.collectNumber }) else { return 0 }
    first.dataSeconds += 1
    return first.dataSeconds
  }

  /// Ends the session: nothing is answered any more, the connection is closed.
  func end() {
    guard !isEnding else { return }
    isEnding = true
    hold(.end)
    withdrawRequests()
    channel.close()
    ring.start { [self] in
      await detach()
      while !isClosed || working > 0 { await waiters.wait() }
      releaseAll()
      server.ended(self)
      waiters.wake()
    }
  }

  /// Starts what is not the data path; the session is there until it has returned.
  func work(_ body: @escaping () async -> Void) {
    working += 1
    ring.start { [self] in
      await body()
      working -= 1
      waiters.wake()
    }
  }

  /// `end`, and waits until everything is given back.
  func endAndWait() async {
    end()
    let key = ObjectIdentifier(self)
    while server.isThere(key) { await waiters.wait() }
  }

  /// I_T nexus loss: returns after the last completion of every command.
  func detach() async {
    switch detachment {
    case .done: return
    case .going: while detachment != .done { await waiters.wait() }
    case .none:
      detachment = .going
      if let nexus, let router {
        for task in pool where task.isCollecting {
          giveUp(task)
          abandon(task)
        }
        await router.detach(nexus)
      }
      detachment = .done
      waiters.wake()
    }
  }

  /// Closes the connection once everything that waits was sent.
  func finish() {
    guard !isEnding, !isFinishing else { return }
    isFinishing = true
    silentSeconds = 0
    hold(.end)
    pump()
  }

  private func withdrawRequests() {
    for task in pool {
      guard let request = task.request else { continue }
      _ = server.data.withdraw(request, tag: 0)
      task.request = nil
    }
    if let textRequest {
      _ = server.data.withdraw(textRequest, tag: 0)
      self.textRequest = nil
    }
  }

  /// Gives back what tasks hold, after the last completion of channel and router.
  private func releaseAll() {
    let left = outgoing[firstOutgoing...]
    outgoing = []
    firstOutgoing = 0
    for case .control(let control) in left where control.data != nil {
      control.data = nil
      giveBack(control.tag)
    }
    held = [:]
    heldFunctions = []
    for task in pool where task.state != .free {
      precondition(task.state != .executing, "a detached nexus has no commands")
      drop(task)
    }
    giveBackText()
    client = nil
  }
}

/// Takes the results of a session's commands.
final class SessionClient: CommandClient {
  private unowned let session: TargetSession

  init(_ session: TargetSession) {
    self.session = session
    super.init()
  }

  override func complete(_ command: Command, _ result: consuming CommandResult) {
    session.complete(command, result)
  }
}
