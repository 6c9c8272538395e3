public import ExtendedCopy
import ISCSI
import ISCSIProtocol
public import SCSI
import Uring

/// A parameter list of EXTENDED COPY, to be executed by the copy manager of another machine.
public struct SendRequest: Sendable, Equatable {
  /// The list.
  public var bytes: [UInt8]
  /// Which EXTENDED COPY it belongs to.
  public var serviceAction: ServiceAction
  /// The logical unit that gets it: `iscsi://[user%password@]host[:port]/target/lun`.
  public var target: String

  /// All three said.
  public init(_ bytes: [UInt8], serviceAction: ServiceAction = .lid1, to target: String) {
    self.bytes = bytes
    self.serviceAction = serviceAction
    self.target = target
  }
}

/// How an EXTENDED COPY that was sent has ended.
public struct SendReport: Sendable, Equatable {
  /// SAM status; TASK ABORTED where it ended because the job was cancelled.
  public var status: Status
  /// Why it ended early; nil with GOOD.
  public var sense: SenseData?
  /// SEGMENTS PROCESSED, as RECEIVE COPY RESULTS said last; nil where it said nothing.
  public var segmentsProcessed: Int?
  /// Bytes copied, as RECEIVE COPY RESULTS said last; nil where it said nothing it can be told from.
  public var bytesCopied: UInt64?
  /// Bytes this connection has carried towards the target, up to the logout.
  public var sentBytes: Int
  /// Bytes this connection has carried towards this machine, up to the logout.
  public var receivedBytes: Int
  /// Seconds from the command to its answer.
  public var seconds: Double
}

/// What RECEIVE COPY RESULTS is asked.
public enum ResultsQuestion: Sendable, Equatable {
  /// How the copy with this list identifier is getting on.
  case status(UInt32)
  /// The data it held.
  case data(UInt32)
  /// How it failed. There is no such question for EXTENDED COPY(LID4): its status tells it.
  case failure(UInt32)
  /// What the copy manager can do.
  case limits
}

/// What RECEIVE COPY RESULTS answers.
public enum ResultsAnswer: Sendable, Equatable {
  /// COPY STATUS(LID1).
  case status(CopyStatus)
  /// COPY STATUS(LID4).
  case statusLID4(CopyStatusLID4)
  /// The data that were held.
  case data([UInt8])
  /// FAILED SEGMENT DETAILS; nil where no segment has failed.
  case failure(FailedSegmentDetails?)
  /// OPERATING PARAMETERS.
  case limits(OperatingParameters)
}

extension Engine {
  /// Sends a list as a backup server does, and waits for as long as it takes.
  ///
  /// Cancelling the job sends COPY OPERATION ABORT, or ABORT TASK where that is not possible.
  public func send(_ request: SendRequest) -> CopyJob<SendReport> {
    start { context throws(EngineError) in
      let unit = try await remoteUnit(request.target, context)
      let run = ServerRun(request, unit, context)
      do throws(InitiatorError) {
        let report = try await run.report()
        await unit.session.close()
        return report
      } catch {
        await unit.session.close()
        throw EngineError(error)
      }
    }
  }

  /// Asks a copy manager for results. They belong to the initiator port that sent the list, and most
  /// copy managers forget them with its session.
  public func results(
    of target: String, _ question: ResultsQuestion, serviceAction: ServiceAction = .lid1
  ) -> CopyJob<ResultsAnswer> {
    start { context throws(EngineError) in
      let unit = try await remoteUnit(target, context)
      let (outcome, answer) = await unit.ask(question, isLong: serviceAction == .lid4)
      let name = unit.name
      await unit.session.close()
      if let failure = outcome.failure { throw EngineError(failure) }
      guard outcome.isGood else {
        throw EngineError(
          EngineError.Kind(outcome.status, outcome.sense?.key ?? .noSense),
          "\(name): RECEIVE COPY RESULTS: "
            + (outcome.sense.map { "\($0)" } ?? "\(outcome.status)"))
      }
      guard let answer else {
        throw EngineError(.other, "\(name): RECEIVE COPY RESULTS: the answer is too short")
      }
      return answer
    }
  }
}

private func remoteUnit(
  _ target: String, _ context: JobContext
) async throws(EngineError) -> RemoteUnit {
  let url = try ISCSIURL(ofTarget: target)
  let options = try DeviceOpener(context).initiatorOptions(url)
  do throws(InitiatorError) {
    return try await RemoteUnit.open(url, options, ring: context.ring)
  } catch {
    throw EngineError(error)
  }
}
