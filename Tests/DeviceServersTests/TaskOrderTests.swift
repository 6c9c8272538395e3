import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("The task set of a logical unit")
struct TaskOrderTests {
  @Test("An ordered task waits for all older ones, and all younger ones for it")
  func ordered() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      for attribute in [.simple, .untagged, .ordered, .simple, .simple] as [TaskAttribute] {
        _ = bench.hold(nexus, attribute)
      }
      #expect(unit.runningTags == [0, 1])
      unit.end(1)
      #expect(unit.runningTags == [0])
      unit.end(0)
      #expect(unit.runningTags == [2])
      unit.end(2)
      #expect(unit.runningTags == [3, 4])
      unit.end(3)
      unit.end(4)
      #expect(unit.tasks.isEmpty)
    }
  }

  @Test("A head of queue task waits for nobody, and all that has not begun for it")
  func headOfQueue() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      _ = bench.hold(nexus)
      _ = bench.hold(nexus, .ordered)
      _ = bench.hold(nexus, .headOfQueue)
      _ = bench.hold(nexus)
      _ = bench.hold(nexus, .headOfQueue)
      #expect(unit.runningTags == [0, 2, 4])
      unit.end(0)
      unit.end(2)
      #expect(unit.runningTags == [4])
      unit.end(4)
      #expect(unit.runningTags == [1])
      unit.end(1)
      #expect(unit.runningTags == [3])
      unit.end(3)
    }
  }

  @Test("Nobody hears of an ordered task's end before that of the task it waited for")
  func orderOfEnds() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      _ = bench.hold(nexus)
      let second = bench.send(PrimaryCDB.testUnitReady, from: nexus, .ordered)
      let third = bench.send(PrimaryCDB.testUnitReady, from: nexus)
      #expect(second.outcome == nil && third.outcome == nil)
      unit.end(0)
      #expect(bench.log.tags == [0, 1, 2])
    }
  }

  @Test("The task set is full at its capacity, and takes commands again afterwards")
  func full() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      for _ in 0..<LogicalUnit.taskCapacity { _ = bench.hold(nexus) }
      #expect(bench.hold(nexus).outcome?.status == .taskSetFull)
      unit.end(17)
      #expect(bench.hold(nexus).outcome == nil)
      unit.runningTags.forEach(unit.end)
      #expect(unit.tasks.isEmpty)
    }
  }

  @Test("ACA and NACA are refused: there is no auto contingent allegiance")
  func autoContingentAllegiance() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring)], ring: ring)
      let nexus = bench.join(1)
      let attribute = bench.hold(nexus, .automaticContingentAllegiance)
      #expect(attribute.outcome?.senseCodes == [5, 0x24, 0])
      let outcome = await bench.run([0, 0, 0, 0, 0, 0x04], from: nexus)
      #expect(outcome.senseCodes == [5, 0x24, 0])
      #expect(
        outcome.sense?.fieldPointer
          == SenseData.FieldPointer(offset: 5, inCommand: true, bitPointer: 2))
    }
  }

  @Test("ABORT TASK ends a waiting task silently, and the tasks behind it go on")
  func abortWaiting() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      _ = bench.hold(nexus)
      let ordered = bench.hold(nexus, .ordered)
      let younger = bench.hold(nexus)
      let answer = await bench.router.manage(.abortTask(tag: 1), logicalUnit: 0, nexus: nexus)
      #expect(answer == .functionComplete)
      #expect(ordered.outcome?.isSilent == true && ordered.endCount == 1)
      #expect(younger.outcome == nil && unit.runningTags == [0, 2])
      let again = await bench.router.manage(.abortTask(tag: 1), logicalUnit: 0, nexus: nexus)
      #expect(again == .taskDoesNotExist)
      unit.end(0)
      unit.end(2)
    }
  }

  @Test("An aborted task that runs ends once, and the function ends after it")
  func abortRunning() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      let held = bench.hold(nexus)
      ring.start { unit.end(0) }
      let answer = await bench.router.manage(.abortTaskSet, logicalUnit: 0, nexus: nexus)
      #expect(answer == .functionComplete)
      #expect(held.outcome?.isSilent == true && held.endCount == 1)
    }
  }

  @Test("Whoever's tasks another nexus clears is told by a unit attention, or with TAS by status")
  func clearTaskSet() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let (one, two) = (bench.join(1), bench.join(2))
      for answers in [false, true] {
        let outcome = await bench.run(
          PrimaryCDB.modeSelect(16), PrimaryCDB.control(answers: answers), from: one)
        #expect(outcome.status == .good)
        while unit.control.takeUnitAttention(for: two) != nil {}
        _ = bench.hold(one)
        let mine = bench.hold(one, .ordered)
        let other = bench.hold(two)
        let last = unit.runningTags.last
        ring.start { if let last { unit.end(last) } }
        let answer = await bench.router.manage(.clearTaskSet, logicalUnit: 0, nexus: one)
        #expect(answer == .functionComplete)
        #expect(mine.outcome?.isSilent == true)
        #expect(other.outcome?.isSilent == !answers)
        #expect(other.outcome?.status == .taskAborted)
        let next = await bench.run(PrimaryCDB.testUnitReady, from: two)
        #expect(next.senseCodes == (answers ? [] : [6, 0x2F, 0]))
        #expect(await bench.run(PrimaryCDB.testUnitReady, from: one).status == .good)
      }
    }
  }

  @Test("LOGICAL UNIT RESET ends all tasks, resets the mode pages and is told to everybody")
  func reset() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let (one, two) = (bench.join(1), bench.join(2))
      unit.control.mode.usesDescriptorSense = true
      let held = bench.hold(two)
      ring.start { unit.end(0) }
      let answer = await bench.router.manage(.logicalUnitReset, logicalUnit: 0, nexus: one)
      #expect(answer == .functionComplete && held.endCount == 1)
      #expect(unit.control.mode == ModeValues())
      #expect(await bench.run(PrimaryCDB.testUnitReady, from: one).senseCodes == [6, 0x29, 3])
      let lost = await bench.run(PrimaryCDB.testUnitReady, from: two)
      #expect(lost.status == .checkCondition)
    }
  }

  @Test("A nexus that goes takes only its own tasks along")
  func detach() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let (one, two) = (bench.join(1), bench.join(2))
      let gone = bench.hold(one)
      let stays = bench.hold(two)
      ring.start { unit.end(0) }
      await bench.router.detach(one)
      #expect(gone.outcome?.isSilent == true && stays.outcome == nil)
      #expect(bench.router.nexuses.count == 1)
      unit.end(1)
      #expect(stays.outcome?.status == .good)
    }
  }

  @Test("A LUN that names nothing has no tasks to manage")
  func incorrectLogicalUnit() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring)], ring: ring)
      let nexus = bench.join(1)
      let answer = await bench.router.manage(
        .logicalUnitReset, logicalUnit: LogicalUnitNumber.encode(1), nexus: nexus)
      #expect(answer == .incorrectLogicalUnit)
    }
  }
}
