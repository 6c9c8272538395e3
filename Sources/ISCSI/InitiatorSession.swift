// A session of an initiator port with one target, over one connection, at error recovery level 0.
//
// Commands stand in a table. Each is sent when the command window is open and the channel has room;
// its data follow as the target asks for them, or come to the place where they belong. A command ends
// when it is answered and the channel has dropped the last view of its bytes, so that a payload is
// given back only when the kernel has done with it.
//
// When the connection is lost the channel is closed first. Then every command that may be sent again
// waits for the next login, in its old place; the others end with the loss, because nobody knows
// whether they were executed.

public import ISCSIProtocol
import SAM
public import Uring

/// An I_T nexus of this initiator. Used on the ring's thread only.
///
/// It keeps itself alive until `close` has returned.
public final class InitiatorSession {
  enum State {
    case open
    /// The channel is closed, or is being closed, and another login follows.
    case lost(InitiatorError)
    /// A logout was sent, or is about to be.
    case closing
    /// There will be no further login.
    case failed(InitiatorError)
    case closed
  }

  /// A sequence of Data-Out PDUs.
  struct Sequence {
    var task: Int
    var offset: Int
    var end: Int
    var transferTag: UInt32
    var dataSN: UInt32 = 0
  }

  /// The ring.
  public let ring: Ring
  /// Who with whom.
  public let options: InitiatorOptions
  /// What was agreed on in the last login.
  public internal(set) var parameters: SessionParameters
  /// Logins so far. A client that was told of no loss sees it change.
  public internal(set) var loginCount = 0
  /// What to call the target in messages.
  public var label: String { options.label }

  var state = State.open
  var channel: PDUChannel?
  lazy var owner = Owner(self)
  lazy var timer = Timer(self)
  var itself: InitiatorSession?

  var cmdSN: SerialNumber
  var expStatSN: SerialNumber
  var maxCmdSN: SerialNumber
  var tasks: [InitiatorTask] = []
  var freeTasks: [Int] = []
  var nextOrder: UInt64 = 0
  /// Commands that were not sent, and sequences that were not sent in full, first to last.
  var waiting = InitiatorQueue<Int>()
  var outgoing = InitiatorQueue<Sequence>()
  /// PDUs of the session itself, which go before all others.
  var urgent: [BasicHeaderSegment] = []
  /// Ended before they were sent: told in the next turn.
  var stillborn: [(Int, InitiatorError)] = []
  var control: Payload
  var isPumping = false

  var lastArrival: UInt64 = 0
  var pingSent: UInt64?
  /// When a target that asked for a logout gets it, whatever is in flight.
  var logoutDue: UInt64?
  var logoutAnswered: InitiatorSignal?
  var channelClosed: InitiatorSignal?
  /// Fires when a loss has been mended, or not.
  var settled: InitiatorSignal?
  var ticking: OperationID?
  var tickEnded: InitiatorSignal?
  var violation: String?

  /// Logs in.
  ///
  /// - Throws: why not, with the way out. Nothing stays open then.
  public static func open(
    _ options: InitiatorOptions, ring: Ring
  ) async throws(InitiatorError) -> InitiatorSession {
    precondition(options.targetName != nil, "a session for SCSI has a target")
    guard let control = ring.arena.allocate(InitiatorExchange.fieldByteCount) else {
      throw .noMemory(target: options.label, byteCount: InitiatorExchange.fieldByteCount)
    }
    let connection = try await InitiatorConnection.open(options, ring: ring)
    let session = InitiatorSession(options, connection.result, control, ring)
    session.itself = session
    session.adopt(connection)
    session.armTick()
    return session
  }

  private init(
    _ options: InitiatorOptions, _ result: LoginResult, _ control: consuming Payload, _ ring: Ring
  ) {
    self.ring = ring
    self.options = options
    self.control = control
    parameters = result.parameters
    cmdSN = result.cmdSN
    expStatSN = result.statSN
    maxCmdSN = result.cmdSN
    for index in 0..<InitiatorTask.usualCount {
      tasks.append(InitiatorTask(index: index))
      freeTasks.append(index)
    }
  }

  /// Takes over a connection that has logged in.
  func adopt(_ connection: InitiatorConnection) {
    let result = connection.result
    parameters = result.parameters
    cmdSN = result.cmdSN
    expStatSN = result.statSN
    maxCmdSN = connection.maxCmdSN
    let channel = connection.exchange.takeChannel()
    channel.hasHeaderDigest = parameters.headerDigest == .crc32c
    channel.hasDataDigest = parameters.dataDigest == .crc32c
    channel.maximumDataSegmentLength = Int(parameters.maxRecvDataSegmentLength)
    self.channel = channel
    channel.setOwner(owner)
    state = .open
    violation = nil
    pingSent = nil
    logoutDue = nil
    lastArrival = ring.now
    loginCount += 1
    channel.resume()
  }

  /// What this connection has carried, its login included; nil while there is none.
  public var counters: ISCSICounters? { channel?.counters }

  /// Asks the target to end the commands with this operation code that it was sent (ABORT TASK).
  /// Each ends with the answer, as one that took too long.
  public func abortCommands(operationCode: UInt8) {
    for task in tasks
    where task.state == .active && !task.isAborting
      && task.command.cdb.operationCode == operationCode
    {
      task.isAborting = true
      task.deadline = ring.now + InitiatorCommand.transferTimeoutSeconds * 1_000_000_000
      sendAbort(of: task)
    }
  }

  /// Whether commands are sent now.
  public var isOpen: Bool { if case .open = state { true } else { false } }

  /// Gives a command to the target; `payload` is what it sends, or what it fills, and comes back whole.
  ///
  /// A command that may be sent again waits where the connection is lost; any other ends with the
  /// loss at once.
  public func execute(
    _ command: InitiatorCommand, _ payload: consuming Payload, for client: InitiatorClient,
    tag: UInt64
  ) {
    precondition(
      (command.direction == .none) == payload.isEmpty, "data move where there are any")
    precondition(payload.byteCount <= Int(UInt32.max), "a command moves less than 4 GiB")
    let task = takeTask()
    task.begin(command, payload, client, tag)
    task.order = nextOrder
    task.deadline = ring.now + command.timeoutSeconds * 1_000_000_000
    nextOrder += 1
    switch state {
    case .open: break
    case .lost(let error):
      guard command.recovery == .repeatable else { return refuse(task, error) }
    case .failed(let error): return refuse(task, error)
    case .closing, .closed: return refuse(task, .closed(target: label))
    }
    waiting.append(task.index)
    pump()
  }

  private func takeTask() -> InitiatorTask {
    if freeTasks.isEmpty {
      precondition(tasks.count < InitiatorTask.capacity, "callers keep to the ring's capacity")
      freeTasks.append(tasks.count)
      tasks.append(InitiatorTask(index: tasks.count))
    }
    return tasks[freeTasks.removeLast()]
  }

  /// Nothing completes inside the call that submits it.
  private func refuse(_ task: InitiatorTask, _ error: InitiatorError) {
    stillborn.append((task.index, error))
    if stillborn.count == 1 { ring.timeout(nanoseconds: 0, for: timer, tag: Timer.soon) }
  }

  /// The end of a task: it is free before its client hears of it.
  func end(_ task: InitiatorTask, _ outcome: InitiatorOutcome) {
    freeTasks.append(task.index)
    task.end(outcome)
  }

  // MARK: Who is called

  /// Hands on what the channel says.
  final class Owner: PDUChannelOwner {
    private unowned let session: InitiatorSession
    init(_ session: InitiatorSession) { self.session = session }

    override func place(_ header: BasicHeaderSegment) -> Placement { session.place(header) }
    override func received(
      _ header: BasicHeaderSegment, data: consuming Payload, dataDigestFails: Bool
    ) {
      session.received(header, data: data, dataDigestFails: dataDigestFails)
    }
    override func released(tag: UInt64) { session.released(tag) }
    override func hasRoom() { session.pump() }
    override func failed(_ error: ChannelError) { session.failed(error) }
    override func closed() { session.closed() }
  }

  /// Hands on what the ring says.
  final class Timer: CompletionHandler {
    static let tick: UInt64 = 0
    static let soon: UInt64 = 1
    private unowned let session: InitiatorSession
    init(_ session: InitiatorSession) { self.session = session }

    override func complete(_ completion: consuming Completion) {
      if completion.tag == Self.tick { session.tick() } else { session.tellStillborn() }
    }
  }

  func tellStillborn() {
    let ended = stillborn
    stillborn = []
    for (index, error) in ended { end(tasks[index], InitiatorOutcome(error)) }
  }
}

/// A queue without allocation once it has grown to what is needed.
struct InitiatorQueue<Element> {
  private var elements: [Element] = []
  private var start = 0

  var isEmpty: Bool { start == elements.count }
  var first: Element? {
    get { isEmpty ? nil : elements[start] }
    set {
      guard let newValue, !isEmpty else { preconditionFailure("there is a first element") }
      elements[start] = newValue
    }
  }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func removeFirst() -> Element {
    precondition(!isEmpty, "there is a first element")
    let element = elements[start]
    start += 1
    if start == elements.count {
      elements.removeAll(keepingCapacity: true)
      start = 0
    } else if start == Self.mostDead {
      elements.removeFirst(start)
      start = 0
    }
    return element
  }

  func contains(where isWanted: (Element) -> Bool) -> Bool {
    elements[start...].contains(where: isWanted)
  }

  mutating func removeAll(where isGone: (Element) -> Bool) {
    elements.removeFirst(start)
    start = 0
    elements.removeAll(where: isGone)
  }

  /// Elements that were taken out before their room is used again.
  private static var mostDead: Int { 64 }
}
