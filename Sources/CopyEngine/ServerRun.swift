import Devices
import ExtendedCopy
import ISCSI
import ISCSIProtocol
import SCSI
import Uring

/// One EXTENDED COPY at a remote copy manager, on its processor's thread.
final class ServerRun {
  private let request: SendRequest
  private let unit: RemoteUnit
  private let context: JobContext
  /// nil where the list has none that RECEIVE COPY RESULTS could ask for.
  private let listIdentifier: UInt32?
  private let isImmediate: Bool
  private var latest: ResultsAnswer?
  private var isAborting = false
  private var isOver = false
  private var ticks = 0
  /// Commands beside the EXTENDED COPY that have not ended.
  private var asides = 0

  /// A copy takes as long as it takes: ten years.
  private static let patienceSeconds: UInt64 = 315_360_000
  private static let ticksPerQuestion = 10

  init(_ request: SendRequest, _ unit: RemoteUnit, _ context: JobContext) {
    self.request = request
    self.unit = unit
    self.context = context
    let list = try? ParameterList.decode(request.bytes, serviceAction: request.serviceAction)
    listIdentifier = list.flatMap { $0.listIDUsage == .disabled ? nil : $0.listIdentifier }
    isImmediate = list?.immediate ?? false
  }

  private var isLong: Bool { request.serviceAction == .lid4 }

  func report() async throws(InitiatorError) -> SendReport {
    let ring = context.ring
    let began = ring.now
    let counters = unit.session.counters
    let ticker = Ticker(ring, everyMilliseconds: 100) { [self] in tick() }
    context.state.update { $0.phase = .copying }
    var command = ExtendedCopyCommand(
      serviceAction: request.serviceAction, parameterListLength: UInt32(request.bytes.count))
    command.control = 0
    let (outcome, _) = await unit.execute(
      command.bytes, dataOut: request.bytes, timeoutSeconds: Self.patienceSeconds)
    var status = outcome.status
    var sense = outcome.sense
    if outcome.isGood, isImmediate { (status, sense) = await whenEnded() }
    isOver = true
    await ticker.stop()
    while asides > 0 { await ring.sleep(nanoseconds: 1_000_000) }
    if let failure = outcome.failure {
      guard isAborting, unit.session.isOpen else { throw failure }
      (status, sense) = (.taskAborted, nil)
    }
    await ask()
    var report = SendReport(
      status: status, sense: sense, sentBytes: counters?.sentBytes ?? 0,
      receivedBytes: counters?.receivedBytes ?? 0, seconds: Double(ring.now - began) / 1e9)
    (report.segmentsProcessed, report.bytesCopied) = standing
    return report
  }

  /// The end of a copy in the background.
  private func whenEnded() async -> (Status, SenseData?) {
    while true {
      await ask()
      guard case .statusLID4(let status) = latest else { return (.good, nil) }
      if ![.inProgress, .inProgressForeground, .inProgressBackground].contains(status.state) {
        return (status.completionStatus, try? SenseData.decode(status.sense))
      }
      await context.ring.sleep(nanoseconds: 250_000_000)
    }
  }

  private func tick() {
    guard !isOver else { return }
    ticks += 1
    if context.state.isCancelled, !isAborting {
      isAborting = true
      beside { [self] in await abort() }
    } else if ticks % Self.ticksPerQuestion == 0, asides == 0 {
      beside { [self] in await ask() }
    }
  }

  private func beside(_ body: @escaping () async -> Void) {
    asides += 1
    context.ring.start { [self] in
      await body()
      asides -= 1
    }
  }

  private func ask() async {
    guard let listIdentifier else { return }
    let (outcome, answer) = await unit.ask(.status(listIdentifier), isLong: isLong)
    guard outcome.isGood, let answer else { return }
    latest = answer
    let (_, bytes) = standing
    context.state.update { if let bytes { $0.bytes = bytes } }
  }

  /// COPY OPERATION ABORT; where there is no such command, or no identifier, ABORT TASK.
  private func abort() async {
    if let listIdentifier {
      let command = ExtendedCopyCommand(
        serviceAction: .copyOperationAbort, listIdentifier: listIdentifier, parameterListLength: 0)
      let (outcome, _) = await unit.execute(
        command.bytes, timeoutSeconds: Self.patienceSeconds)
      if outcome.isGood {
        context.warn("COPY OPERATION ABORT: the copy has ended")
        return
      }
    }
    if isOver { return }
    unit.session.abortCommands(operationCode: ExtendedCopyCommand.operationCode)
    context.warn("ABORT TASK was sent")
  }

  private var standing: (segments: Int?, bytes: UInt64?) {
    switch latest {
    case .status(let status): (Int(status.segmentsProcessed), status.transferCount.bytes)
    case .statusLID4(let status): (Int(status.segmentsProcessed), status.transferCount.bytes)
    default: (nil, nil)
    }
  }
}

extension TransferCount {
  /// nil where it counts in units that say no bytes.
  fileprivate var bytes: UInt64? {
    guard units <= 6, count.leadingZeroBitCount >= Int(units) * 10 else { return nil }
    return count << (UInt64(units) * 10)
  }
}

extension RemoteUnit {
  private static var shortAnswerBytes: Int { 4096 }
  private static var heldAnswerBytes: Int { 1 << 20 }

  /// RECEIVE COPY RESULTS. The answer is nil where it cannot be read, or there is none.
  func ask(
    _ question: ResultsQuestion, isLong: Bool
  ) async -> (InitiatorOutcome, ResultsAnswer?) {
    let action: ReceiveCopyResultsCommand.ServiceAction
    var identifier: UInt32 = 0
    var room = Self.shortAnswerBytes
    switch question {
    case .status(let number):
      (action, identifier) = (isLong ? .copyStatusLID4 : .copyStatus, number)
    case .data(let number):
      (action, identifier) = (isLong ? .receiveDataLID4 : .receiveData, number)
      room = Self.heldAnswerBytes
    case .failure(let number): (action, identifier) = (.failedSegmentDetails, number)
    case .limits: action = .operatingParameters
    }
    let command = ReceiveCopyResultsCommand(
      serviceAction: action, listIdentifier: identifier, allocationLength: UInt32(room))
    let (outcome, bytes) = await execute(command.bytes, dataIn: room)
    guard outcome.isGood else { return (outcome, nil) }
    return (outcome, try? Self.answer(action, bytes))
  }

  private static func answer(
    _ action: ReceiveCopyResultsCommand.ServiceAction, _ bytes: [UInt8]
  ) throws(CopyResultsError) -> ResultsAnswer {
    switch action {
    case .copyStatus: .status(try CopyStatus.decode(bytes))
    case .copyStatusLID4: .statusLID4(try CopyStatusLID4.decode(bytes))
    case .receiveData: .data(try HeldData.decode(bytes).data)
    case .receiveDataLID4: .data(try HeldDataLID4.decode(bytes).data)
    case .failedSegmentDetails: .failure(try FailedSegmentDetails.decode(bytes))
    default: .limits(try OperatingParameters.decode(bytes))
    }
  }
}

extension ISCSIURL {
  /// Of what a person named as a target.
  init(ofTarget text: String) throws(EngineError) {
    do throws(URLError) {
      try self.init(text)
    } catch {
      throw EngineError(.syntax, "\(DeviceOptions.shown(text)): \(error)")
    }
  }
}
