import Devices
import ExtendedCopy
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Copies wait, run, end and are reported")
struct CopyLifeTests {
  /// Answers of copies that were started and not waited for.
  private final class Answers {
    var all: [CopyAnswer] = []
    var order: [UInt32] = []
  }

  /// Starts a copy of `list` and goes on.
  private static func start(
    _ list: CopyList, _ bench: CopyBench, _ answers: Answers, command: Command? = nil,
    _ action: ExtendedCopyCommand.ServiceAction = .lid1, from nexus: Nexus? = nil
  ) {
    let bytes = action == .lid4 ? list.longBytes : list.bytes
    let command = command ?? bench.command(list: bytes, action, nexus)
    bench.ring.start {
      let answer = await bench.commands.execute(
        command, at: bench.source, list: bytes, units: bench.units)
      answers.all.append(answer)
      answers.order.append(list.identifier)
    }
  }

  private static func wait(_ bench: CopyBench, until isDone: () -> Bool) async {
    while !isDone() { await bench.ring.sleep(nanoseconds: 500_000) }
  }

  /// A list that takes a while.
  private static func long(_ bench: CopyBench, _ identifier: UInt32 = 1, priority: UInt8 = 0)
    -> CopyList
  {
    bench.source.delayNanoseconds = 3_000_000
    var list = bench.list(identifier: identifier, priority: priority)
    list.segments = (0..<16).map { CopyList.blocks(128, from: $0 * 128, to: $0 * 128) }
    return list
  }

  @Test("an abort in the middle answers after the last completion, and gives everything back")
  func abort() async throws {
    try await withCopyBench { bench in
      let answers = Answers()
      let list = Self.long(bench)
      let command = bench.command(list: list.bytes)
      bench.source.stallsAfterReads = 3
      Self.start(list, bench, answers, command: command)
      await Self.wait(bench) { bench.destination.writes > 0 && bench.destination.inFlight == 0 }
      bench.commands.abort(command)
      await bench.ring.sleep(nanoseconds: 5_000_000)
      #expect(answers.all.isEmpty && bench.source.inFlight > 0)
      bench.source.isStalled = false
      await Self.wait(bench) { !answers.all.isEmpty }
      #expect(answers.all == [CopyAnswer(.taskAborted)])
      #expect(bench.source.inFlight == 0 && bench.destination.inFlight == 0)
      #expect(!bench.isCopied(2048))
      let status = try CopyStatusLID4.decode(bench.receive(.copyStatusLID4))
      #expect(status.state == .aborted && status.completionStatus == .taskAborted)
      #expect(await bench.copy(list).short == "GOOD")
      #expect(bench.isCopied(2048))
    }
  }

  @Test("the loss of the nexus ends its copies and forgets its results, and no others")
  func detach() async throws {
    try await withCopyBench { bench in
      let other = CopyBench.nexus(2)
      let short = bench.list(CopyList.blocks(1, from: 0, to: 0), identifier: 7)
      #expect(await bench.copy(short).short == "GOOD")
      #expect(await bench.copy(short.bytes, from: other).short == "GOOD")
      let answers = Answers()
      Self.start(Self.long(bench), bench, answers)
      await Self.wait(bench) { bench.destination.writes > 2 }
      bench.commands.forget(bench.nexus)
      #expect(bench.refusal(.copyStatus, 7) != nil)
      await Self.wait(bench) { bench.commands.operations.isEmpty }
      #expect(bench.source.inFlight == 0 && bench.destination.inFlight == 0)
      #expect(bench.refusal(.copyStatus) != nil)
      #expect(bench.refusal(.copyStatus, 7) != nil)
      #expect(bench.refusal(.copyStatus, 7, from: other) == nil)
      await Self.wait(bench) { !answers.all.isEmpty }
      #expect(answers.all == [CopyAnswer(.taskAborted)])
    }
  }

  @Test("a reset of the unit that got the command, likewise")
  func reset() async throws {
    try await withCopyBench { bench in
      let answers = Answers()
      Self.start(Self.long(bench), bench, answers)
      await Self.wait(bench) { bench.destination.writes > 0 }
      bench.commands.forget(commandsTo: bench.destination)
      #expect(bench.commands.operations.first?.isCancelled == false)
      bench.commands.forget(commandsTo: bench.source)
      await Self.wait(bench) { bench.commands.operations.isEmpty }
      #expect(bench.refusal(.copyStatus) != nil)
      await Self.wait(bench) { !answers.all.isEmpty }
    }
  }

  @Test("a list identifier is in use until its copy ends, for its nexus alone")
  func identifierInUse() async throws {
    try await withCopyBench { bench in
      let answers = Answers()
      Self.start(Self.long(bench), bench, answers)
      await Self.wait(bench) { bench.destination.writes > 0 }
      let short = bench.list(CopyList.blocks(1, from: 0, to: 0))
      #expect(await bench.copy(short).short == "5/00/16")
      #expect(await bench.copy(short.bytes, from: CopyBench.nexus(2)).short == "GOOD")
      var unnamed = short
      unnamed.usage = 0b11
      unnamed.identifier = 0
      #expect(await bench.copy(unnamed).short == "GOOD")
      await Self.wait(bench) { !answers.all.isEmpty }
      #expect(answers.all == [CopyAnswer(.good)])
      #expect(await bench.copy(short).short == "GOOD")
    }
  }

  @Test("while it runs COPY STATUS tells how far it came, and nothing else is told")
  func statusInProgress() async throws {
    try await withCopyBench { bench in
      let answers = Answers()
      Self.start(Self.long(bench), bench, answers)
      await Self.wait(bench) { bench.destination.writes > 3 }
      let status = try CopyStatus.decode(bench.receive(.copyStatus))
      #expect(status.state == .inProgress && status.segmentsProcessed > 0)
      let long = try CopyStatusLID4.decode(bench.receive(.copyStatusLID4))
      #expect(long.state == .inProgressForeground)
      #expect(bench.refusal(.receiveData)?.additional == .invalidFieldInCDB)
      #expect(bench.refusal(.failedSegmentDetails)?.additional == .invalidFieldInCDB)
      await Self.wait(bench) { !answers.all.isEmpty }
      #expect(try CopyStatus.decode(bench.receive(.copyStatus)).segmentsProcessed == 16)
    }
  }

  @Test("with memory for one, one copy moves data; the others wait in the order of their priority")
  func turns() async throws {
    try await withCopyBench(memoryBytes: 4 << 20) { bench in
      let answers = Answers()
      bench.source.isStalled = true
      Self.start(Self.long(bench, 1), bench, answers)
      for (identifier, priority) in [(11, 5), (12, 1), (13, 1), (14, 0)] as [(UInt32, UInt8)] {
        Self.start(Self.long(bench, identifier, priority: priority), bench, answers)
        await Self.wait(bench) { bench.commands.operations.last?.key.listIdentifier == identifier }
        #expect(bench.commands.operations.last?.isWaiting == true)
      }
      let status = try CopyStatus.decode(bench.receive(.copyStatus, 13))
      #expect(status.state == .inProgress && status.segmentsProcessed == 0)
      bench.source.isStalled = false
      await Self.wait(bench) { answers.all.count == 5 }
      #expect(answers.order == [1, 14, 12, 13, 11])
      #expect(answers.all.allSatisfy { $0.status == .good })
    }
  }

  @Test("a copy that waits for its turn is aborted at once")
  func abortWaiting() async throws {
    try await withCopyBench { bench in
      let answers = Answers()
      bench.source.isStalled = true
      for identifier in 1...UInt32(bench.commands.mostActive) {
        Self.start(Self.long(bench, identifier), bench, answers)
      }
      let list = Self.long(bench, 50)
      let command = bench.command(list: list.bytes)
      Self.start(list, bench, answers, command: command)
      await Self.wait(bench) { bench.commands.operations.last?.isWaiting == true }
      bench.commands.abort(command)
      await Self.wait(bench) { !answers.all.isEmpty }
      #expect(answers.order == [50] && answers.all == [CopyAnswer(.taskAborted)])
      bench.source.isStalled = false
      await Self.wait(bench) { bench.commands.operations.isEmpty }
    }
  }

  @Test("more copies than are taken on are answered BUSY")
  func busy() async throws {
    try await withCopyBench { bench in
      let answers = Answers()
      bench.source.isStalled = true
      for identifier in 1...UInt32(CopyLimits.copies) {
        Self.start(Self.long(bench, identifier), bench, answers)
      }
      await Self.wait(bench) { bench.commands.operations.count == CopyLimits.copies }
      let other = bench.list(CopyList.blocks(1, from: 0, to: 0), identifier: 0)
      #expect(await bench.copy(other) == CopyAnswer(.busy))
      bench.source.isStalled = false
      await bench.commands.stop()
      await Self.wait(bench) { answers.all.count == CopyLimits.copies }
      #expect(answers.all.allSatisfy { $0.status == .taskAborted })
    }
  }

  @Test("EXTENDED COPY(LID4) in the background ends by itself, or by COPY OPERATION ABORT")
  func background() async throws {
    try await withCopyBench { bench in
      var list = Self.long(bench, 0x1234_5678)
      list.immediate = true
      #expect(await bench.copy(list.longBytes, .lid4).short == "GOOD")
      #expect(!bench.isCopied(2048))
      let running = try CopyStatusLID4.decode(bench.receive(.copyStatusLID4, 0x1234_5678))
      #expect(running.state == .inProgressBackground)
      await Self.wait(bench) { bench.commands.operations.isEmpty }
      #expect(bench.isCopied(2048))
      let ended = try CopyStatusLID4.decode(bench.receive(.copyStatusLID4, 0x1234_5678))
      #expect(ended.state == .completed && ended.segmentsProcessed == 16)
      #expect(ended.transferCount.count == 16 * 128 * 512)

      #expect(await bench.copy(list.longBytes, .lid4).short == "GOOD")
      let abort = ExtendedCopyCommand(
        serviceAction: .copyOperationAbort, listIdentifier: 0x1234_5678, parameterListLength: 0)
      let answer = await bench.commands.execute(
        bench.command(abort.bytes), at: bench.source, list: [], units: bench.units)
      #expect(answer == CopyAnswer(.good))
      #expect(bench.commands.operations.isEmpty)
      let aborted = try CopyStatusLID4.decode(bench.receive(.copyStatusLID4, 0x1234_5678))
      #expect(aborted.state == .aborted)
      let unknown = await bench.commands.execute(
        bench.command(abort.bytes), at: bench.source, list: [], units: bench.units)
      #expect(unknown.short == "5/24/00")
    }
  }

  @Test("service actions that there are not, and lists that are too long, are refused by their CDB")
  func commandBlocks() async throws {
    try await withCopyBench { bench in
      func refusal(_ cdb: [UInt8]) -> SenseData? {
        do throws(CopyRefusal) {
          _ = try bench.commands.parameterListLength(CommandDescriptorBlock(cdb))
          return nil
        } catch {
          return error.sense
        }
      }
      let token = ExtendedCopyCommand(serviceAction: .populateToken, parameterListLength: 32)
      #expect(refusal(token.bytes)?.additional == .invalidFieldInCDB)
      #expect(refusal(token.bytes)?.fieldPointer?.offset == 1)
      let long = ExtendedCopyCommand(parameterListLength: .max)
      #expect(refusal(long.bytes)?.additional == .parameterListLengthError)
      let longest = ExtendedCopyCommand(
        parameterListLength: UInt32(CopyLimits.parameterListBytes))
      #expect(refusal(longest.bytes) == nil)
      #expect(refusal([0x83]) != nil)
      #expect(bench.refusal(.rodTokenInformation)?.fieldPointer?.offset == 1)
    }
  }
}
