import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("Unit attentions, and which LUNs there are")
struct UnitAttentionTests {
  @Test("INQUIRY and REPORT LUNS leave a unit attention pending; REQUEST SENSE takes it")
  func suppression() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring)], ring: ring)
      let nexus = bench.attach(1)
      #expect(await bench.run(PrimaryCDB.inquiry(), from: nexus).status == .good)
      #expect(await bench.run(PrimaryCDB.reportLUNs(), from: nexus).status == .good)
      let sense = await bench.run(PrimaryCDB.requestSense(), from: nexus)
      #expect(sense.status == .good)
      #expect(sense.data.count == 18 && sense.data[2] == 0x06 && sense.data[12] == 0x29)
      #expect(await bench.run(PrimaryCDB.testUnitReady, from: nexus).status == .good)
      let none = await bench.run(PrimaryCDB.requestSense(descriptor: true), from: nexus)
      #expect(none.data == [0x72, 0, 0, 0, 0, 0, 0, 0])
    }
  }

  @Test("A unit attention ends one command of its nexus, and of no other")
  func once() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring)], ring: ring)
      let (one, two) = (bench.attach(1), bench.attach(2))
      for nexus in [one, two] {
        let first = await bench.run(PrimaryCDB.testUnitReady, from: nexus)
        #expect(first.status == .checkCondition && first.senseCodes == [6, 0x29, 0])
        #expect(await bench.run(PrimaryCDB.testUnitReady, from: nexus).status == .good)
      }
    }
  }

  @Test("Unit attentions come in the order in which they were established, each once")
  func order() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.attach(1)
      unit.control.establish(.modeParametersChanged)
      unit.control.establish(.powerOnResetOccurred)
      unit.control.establish(.reportedLUNsDataHasChanged)
      var seen: [[UInt8]] = []
      for _ in 0..<4 {
        seen.append(await bench.run(PrimaryCDB.testUnitReady, from: nexus).senseCodes)
      }
      #expect(seen == [[6, 0x29, 0], [6, 0x2A, 1], [6, 0x3F, 0x0E], []])
    }
  }

  @Test("No nexus has more unit attentions than their capacity, and the oldest stay")
  func capacity() async throws {
    try await withRing { ring in
      let control = ControlBlock()
      let nexus = BlockBench.nexus(1)
      control.attach(nexus)
      for qualifier in 0..<100 as Range<UInt8> {
        control.establish(AdditionalSense(code: 0x2A, qualifier: qualifier))
      }
      #expect(control.takeUnitAttention(for: nexus) == .powerOnResetOccurred)
      var count = 1
      while control.takeUnitAttention(for: nexus) != nil { count += 1 }
      #expect(count == ControlBlock.attentionCapacity)
    }
  }

  @Test("Mode parameters that change are told to the others only")
  func modeParameters() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring)], ring: ring)
      let (one, two) = (bench.join(1), bench.join(2))
      let select = PrimaryCDB.modeSelect(16)
      #expect(await bench.run(select, PrimaryCDB.control(), from: one).status == .good)
      #expect(await bench.run(PrimaryCDB.testUnitReady, from: two).status == .good)
      let changed = await bench.run(select, PrimaryCDB.control(descriptor: true), from: one)
      #expect(changed.status == .good)
      #expect(await bench.run(PrimaryCDB.testUnitReady, from: one).status == .good)
      #expect(await bench.run(PrimaryCDB.testUnitReady, from: two).senseCodes == [6, 0x2A, 1])
    }
  }

  @Test("A map that changes is told to its nexuses, until they have asked for their LUNs")
  func reportedLUNs() async throws {
    try await withRing { ring in
      let (old, new) = (HeldUnit(ring: ring), HeldUnit(ring: ring))
      let bench = CoreBench([old], ring: ring)
      let nexus = bench.join(1)
      let held = bench.hold(nexus)
      bench.map.units = [(LogicalUnitNumber.encode(300), new)]
      bench.router.mapHasChanged()
      #expect(await bench.run(PrimaryCDB.testUnitReady, from: nexus).senseCodes == [5, 0x25, 0])
      let luns = await bench.run(PrimaryCDB.reportLUNs(), from: nexus)
      #expect(luns.data == [0, 0, 0, 8, 0, 0, 0, 0, 0x41, 0x2C, 0, 0, 0, 0, 0, 0])
      let first = await bench.run(
        PrimaryCDB.testUnitReady, lun: LogicalUnitNumber.encode(300), from: nexus)
      #expect(first.senseCodes == [6, 0x29, 0])
      let next = await bench.run(
        PrimaryCDB.testUnitReady, lun: LogicalUnitNumber.encode(300), from: nexus)
      #expect(next.status == .good)
      old.end(0)
      #expect(held.outcome?.status == .good)
      await bench.router.detach(nexus)
      #expect(old.control.nexuses.isEmpty && new.control.nexuses.isEmpty)
    }
  }

  @Test("A LUN that names nothing says so, and is never a unit")
  func absent() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring)], ring: ring)
      let nexus = bench.attach(1)
      let luns = [
        LogicalUnitNumber.encode(1), LogicalUnitNumber.encode(16_383), 0x0000_0001_0000_0000,
        0x0100 << 48, 0xC102 << 48, 0xFFFF_FFFF_FFFF_FFFF,
      ]
      for lun in luns as [UInt64] {
        let inquiry = await bench.run(PrimaryCDB.inquiry(), lun: lun, from: nexus)
        #expect(inquiry.data.first == 0x7F)
        let ready = await bench.run(PrimaryCDB.testUnitReady, lun: lun, from: nexus)
        #expect(ready.senseCodes == [5, 0x25, 0])
        let sense = await bench.run(PrimaryCDB.requestSense(), lun: lun, from: nexus)
        #expect(sense.status == .good && sense.data[2] == 5 && sense.data[12] == 0x25)
      }
      let known = await bench.run(
        PrimaryCDB.inquiry(), lun: LogicalUnitNumber.reportLUNs, from: nexus)
      #expect(known.data.first == 0x1E)
    }
  }

  @Test("REPORT LUNS answers at any LUN, by SELECT REPORT")
  func selectReport() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring), HeldUnit(ring: ring)], ring: ring)
      let nexus = bench.attach(1)
      let (units, known) = ([0, 1 << 48] as [UInt64], [LogicalUnitNumber.reportLUNs])
      let expected: [(UInt8, [UInt64])] = [
        (0x00, units), (0x01, known), (0x02, units + known), (0x10, []), (0x11, []), (0x12, []),
      ]
      for (select, luns) in expected {
        var writer = ByteWriter()
        writer.uint32(UInt32(luns.count * 8))
        writer.zeros(4)
        for lun in luns { writer.uint64(lun) }
        for lun in [0, 7 << 48, LogicalUnitNumber.reportLUNs] as [UInt64] {
          let outcome = await bench.run(PrimaryCDB.reportLUNs(select), lun: lun, from: nexus)
          #expect(outcome.data == writer.bytes)
        }
      }
      let unknown = await bench.run(PrimaryCDB.reportLUNs(0x03), from: nexus)
      #expect(unknown.senseCodes == [5, 0x24, 0])
      let short = await bench.run(PrimaryCDB.reportLUNs(length: 15), from: nexus)
      #expect(short.senseCodes == [5, 0x24, 0])
    }
  }

  @Test("A number has three forms; everything else names nothing")
  func forms() {
    #expect(LogicalUnitNumber.decode(0x0005_0000_0000_0000) == 5)
    #expect(LogicalUnitNumber.decode(0x4005_0000_0000_0000) == 5)
    #expect(LogicalUnitNumber.decode(0x7FFF_0000_0000_0000) == 16_383)
    #expect(LogicalUnitNumber.decode(0xD200_0005_0000_0000) == 5)
    #expect(LogicalUnitNumber.decode(0xD2FF_FFFF_0000_0000) == 0xFF_FFFF)
    for lun in [
      0x0105_0000_0000_0000, 0x0005_0001_0000_0000, 0x8005_0000_0000_0000,
      0xD100_0005_0000_0000, 0xD200_0005_0000_0001, 0xC101_0000_0000_0000,
    ] as [UInt64] {
      #expect(LogicalUnitNumber.decode(lun) == nil)
    }
  }
}
