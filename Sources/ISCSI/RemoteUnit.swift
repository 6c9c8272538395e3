public import ISCSIProtocol
import Devices
import SAM
import SCSI
public import Uring

/// A logical unit behind a session of its own, and the rules by which commands to it are tried again.
public final class RemoteUnit {
  /// Its session.
  public let session: InitiatorSession
  /// LUN: the eight bytes of SAM.
  public let logicalUnit: UInt64
  /// What to call it in messages: a URL without secrets.
  public let name: String
  /// PERIPHERAL DEVICE TYPE: 0 a disk, 1 a tape drive. SPC-4 table 170.
  public private(set) var deviceType: UInt8 = 0x1F
  /// Vendor, product and revision, as INQUIRY tells them.
  public private(set) var product = ""

  /// The last unit attention that told of another medium, and that nobody has looked at.
  private var mediumChange: Condition?
  /// The last one after which what was in a cache may be gone.
  var cacheLoss: Condition?

  /// Disks with direct access.
  public static let diskType: UInt8 = 0x00
  /// Sequential access: tape drives.
  public static let tapeType: UInt8 = 0x01

  private init(_ session: InitiatorSession, _ number: UInt16, _ name: String) {
    self.session = session
    logicalUnit = Self.address(of: number)
    self.name = name
  }

  var ring: Ring { session.ring }

  /// Peripheral addressing for the first 256 numbers, flat space behind them. SAM-5 4.7.7.
  static func address(of number: UInt16) -> UInt64 {
    number < 256 ? UInt64(number) << 48 : UInt64(0x4000 | number & 0x3FFF) << 48
  }

  /// Logs in to the target of `url` and asks what the logical unit is.
  ///
  /// - Parameter options: its target and portal are those of the URL.
  /// - Throws: why it cannot be used; nothing stays open then.
  public static func open(
    _ url: ISCSIURL, _ options: InitiatorOptions, ring: Ring
  ) async throws(InitiatorError) -> RemoteUnit {
    let session = try await InitiatorSession.open(options, ring: ring)
    let unit = RemoteUnit(session, url.logicalUnit, url.plainDescription)
    do throws(InitiatorError) {
      try await unit.identify(url.logicalUnit)
    } catch {
      await session.close()
      throw error
    }
    return unit
  }

  private func identify(_ number: UInt16) async throws(InitiatorError) {
    let (outcome, data) = await perform(
      .inquiry(allocationLength: 96), dataIn: 96)
    if let failure = outcome.failure { throw failure }
    let none = InitiatorError.noLogicalUnit(target: name, number: UInt64(number))
    guard outcome.isGood, data.count >= 36 else {
      if outcome.sense?.additional == .logicalUnitNotSupported { throw none }
      throw .unusable(
        target: name,
        reason: "INQUIRY: \(outcome.condition.map { "\($0)" } ?? "too short"); see the target's log"
      )
    }
    // PERIPHERAL QUALIFIER 1 and 3: nothing is connected there.
    guard data[0] >> 5 == 0 else { throw none }
    deviceType = data[0] & 0x1F
    product = String(
      decoding: data[8..<36].map { 0x20...0x7E ~= $0 ? $0 : 0x20 }, as: UTF8.self)
  }

  // MARK: Commands of the control path

  /// Times a command is given again after UNIT ATTENTION: each tells of one event, and few are due.
  static let mostAttentions = 16
  /// Times it is given again to a logical unit that is busy or becoming ready, a pause apart.
  static let mostPauses = 120
  static let pauseNanoseconds: UInt64 = 500_000_000

  /// Executes a command given by its bytes; tried again after unit attentions, and while the logical
  /// unit is busy. Returns how it ended, and the bytes of its answer.
  public func execute(
    _ cdb: [UInt8], dataIn count: Int = 0, dataOut: [UInt8] = [],
    timeoutSeconds: UInt64 = InitiatorCommand.transferTimeoutSeconds
  ) async -> (InitiatorOutcome, [UInt8]) {
    await perform(
      CommandDescriptorBlock(cdb), dataIn: count, dataOut: dataOut, timeoutSeconds: timeoutSeconds)
  }

  /// One command that moves data in, tried again where that is due.
  func perform(
    _ cdb: CommandDescriptorBlock, dataIn count: Int = 0, dataOut: [UInt8] = [],
    timeoutSeconds: UInt64 = InitiatorCommand.transferTimeoutSeconds
  ) async -> (InitiatorOutcome, [UInt8]) {
    var attentions = 0
    var pauses = 0
    while true {
      let (outcome, data) = await once(cdb, dataIn: count, dataOut: dataOut, timeoutSeconds)
      guard let condition = outcome.condition, outcome.failure == nil else {
        return (outcome, data)
      }
      note(condition)
      switch condition.again {
      case .atOnce where attentions < Self.mostAttentions: attentions += 1
      case .later where pauses < Self.mostPauses:
        pauses += 1
        await ring.sleep(nanoseconds: Self.pauseNanoseconds)
      default: return (outcome, data)
      }
    }
  }

  /// Keeps what a unit attention tells before its command is given again.
  func note(_ condition: Condition) {
    if condition.isMediumChange { mediumChange = condition }
    if condition.losesCache { cacheLoss = condition }
  }

  /// Whether a command that was given again was told of another medium.
  var hasOtherMedium: Bool { mediumChange != nil }

  /// The same, once.
  func takeMediumChange() -> Condition? { mediumChange.take() }

  /// One command, given once. `outcome.byteCount` bytes of the answer are returned.
  func once(
    _ cdb: CommandDescriptorBlock, dataIn count: Int = 0, dataOut: [UInt8] = [],
    _ timeoutSeconds: UInt64 = InitiatorCommand.transferTimeoutSeconds
  ) async -> (InitiatorOutcome, [UInt8]) {
    let byteCount = max(count, dataOut.count)
    var payload = ring.arena.empty()
    if byteCount > 0 {
      guard let bytes = ring.arena.allocate(byteCount) else {
        return (InitiatorOutcome(.noMemory(target: name, byteCount: byteCount)), [])
      }
      payload = bytes
      payload.overwrite(with: dataOut)
    }
    let command = InitiatorCommand(
      cdb, logicalUnit: logicalUnit,
      direction: count > 0 ? .read : dataOut.isEmpty ? .none : .write,
      timeoutSeconds: timeoutSeconds)
    let completion = await execute(command, payload)
    let outcome = completion.outcome
    let answer = completion.takePayload()
    return (outcome, count > 0 ? Array(answer.bytes().prefix(outcome.byteCount)) : [])
  }

  /// One command with a payload of the caller's, given once.
  func execute(
    _ command: InitiatorCommand, _ payload: consuming Payload
  ) async -> InitiatorCompletion {
    await RemoteWaiter().wait(command, payload, session)
  }

  /// Waits until the logical unit is ready, and takes the unit attentions that are due.
  ///
  /// - Returns: why it is not.
  func becomeReady() async -> InitiatorOutcome? {
    let (outcome, _) = await perform(.testUnitReady)
    return outcome.isGood ? nil : outcome
  }
}

/// Waits for one command.
@safe
private final class RemoteWaiter: InitiatorClient {
  private let signal = InitiatorSignal()
  private var completion: InitiatorCompletion?

  override func complete(_ completion: consuming InitiatorCompletion) {
    self.completion = consume completion
    signal.fire()
  }

  func wait(
    _ command: InitiatorCommand, _ payload: consuming Payload, _ session: InitiatorSession
  ) async -> InitiatorCompletion {
    session.execute(command, payload, for: self, tag: 0)
    await signal.wait()
    guard let completion = completion.take() else {
      preconditionFailure("a command that has ended has its completion")
    }
    return completion
  }
}
