import Devices
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("INQUIRY, mode pages and reports, byte by byte")
struct PrimaryBytesTests {
  private static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// A name string with its terminating zero, in whole words.
  private static func name(_ text: String) -> [UInt8] {
    var bytes = ascii(text) + [0]
    while bytes.count % 4 != 0 { bytes.append(0) }
    return bytes
  }

  @Test("Standard INQUIRY data of a disk is as SPC-4 6.6.2 lays it out")
  func standard() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let outcome = await bench.run(PrimaryCDB.inquiry())
      var expected: [UInt8] = [0x00, 0x00, 0x06, 0x12, 91, 0x18, 0x10, 0x02]
      expected += Self.ascii("ECOPY   DISK            0001")
      expected += [UInt8](repeating: 0, count: 22)
      expected += [0x00, 0xA0, 0x04, 0x60, 0x04, 0xC0, 0x09, 0x60]
      expected += [UInt8](repeating: 0, count: 30)
      #expect(outcome.status == .good && outcome.data == expected)
      for length in [0, 1, 5, 36, 95] as [UInt16] {
        let cut = await bench.run(PrimaryCDB.inquiry(length: length))
        #expect(cut.status == .good && cut.data == Array(expected.prefix(Int(length))))
      }
    }
  }

  @Test("Vital product data pages name the unit, then the port that was asked")
  func vitalProductData() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring)], ring: ring)
      let nexus = bench.join(1)
      let serial = await bench.run(PrimaryCDB.inquiry(page: 0x80), from: nexus)
      #expect(serial.data == [0, 0x80, 0, 2, 0x34, 0x32])
      let target = "iqn.2026-11.test:target"
      let (port, device) = (Self.name(target + ",t,0x0001"), Self.name(target))
      var body: [UInt8] = [0x01, 0x03, 0, 8, 0x31, 2, 3, 4, 5, 6, 7, 8]
      body += [0x02, 0x01, 0, 10] + Self.ascii("ECOPY   42")
      body += [0x51, 0x94, 0, 4, 0, 0, 0, 1]
      body += [0x51, 0x95, 0, 4, 0, 0, 0, 1]
      body += [0x53, 0x98, 0, UInt8(port.count)] + port
      body += [0x53, 0xA8, 0, UInt8(device.count)] + device
      let names = await bench.run(PrimaryCDB.inquiry(page: 0x83), from: nexus)
      #expect(names.data == [0, 0x83, 0, UInt8(body.count)] + body)
      let extended = await bench.run(PrimaryCDB.inquiry(page: 0x86), from: nexus)
      #expect(extended.data.count == 64)
      #expect(Array(extended.data.prefix(6)) == [0, 0x86, 0, 60, 0, 0x07])
    }
  }

  @Test("Every page that page 00h lists is there, in ascending order, and no other")
  func listedPages() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let list = await bench.run(PrimaryCDB.inquiry(page: 0x00)).data
      let pages = Array(list.dropFirst(4))
      #expect(list.count == 4 + Int(list[3]) && pages == pages.sorted())
      #expect(Set(pages).isSuperset(of: [0x00, 0x80, 0x83, 0x86, 0xB0, 0xB1, 0xB2]))
      for code in 0...255 as ClosedRange<UInt8> {
        let page = await bench.run(PrimaryCDB.inquiry(page: code, length: 4096))
        if pages.contains(code) {
          #expect(page.data.count == 4 + Int(page.data[2]) << 8 + Int(page.data[3]))
          #expect(page.data[1] == code)
        } else {
          #expect(page.senseCodes == [5, 0x24, 0])
        }
      }
      let code = await bench.run([0x12, 0, 0x80, 0, 255, 0])
      #expect(code.senseCodes == [5, 0x24, 0])
    }
  }

  @Test("Mode pages have their current, changeable and default values; saved ones are refused")
  func modePages() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      unit.control.mode.usesDescriptorSense = true
      let zeros = [UInt8](repeating: 0, count: 20)
      let header: [UInt8] = [15, 0, 0x10, 0]
      let expected: [(UInt8, UInt8, [UInt8])] = [
        (0x0A, 0, header + [0x0A, 0x0A, 0x04, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]),
        (0x0A, 1, header + [0x0A, 0x0A, 0x04, 0, 0x08, 0x40, 0, 0, 0, 0, 0, 0]),
        (0x0A, 2, header + [0x0A, 0x0A, 0, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]),
        (0x08, 0, [23, 0, 0x10, 0, 0x08, 0x12, 0x04] + zeros.prefix(17)),
        (0x08, 1, [23, 0, 0x10, 0, 0x08, 0x12, 0x04] + zeros.prefix(17)),
        (0x01, 0, header + [0x01, 0x0A] + zeros.prefix(10)),
        (0x1C, 0, header + [0x1C, 0x0A, 0x08] + zeros.prefix(9)),
        (0x1C, 1, header + [0x1C, 0x0A] + zeros.prefix(10)),
      ]
      for (page, values, bytes) in expected {
        let outcome = await bench.run(PrimaryCDB.modeSense(page, values), from: nexus)
        #expect(outcome.status == .good && outcome.data == bytes, "page \(page) PC \(values)")
      }
      let saved = await bench.run(PrimaryCDB.modeSense(0x0A, 3), from: nexus)
      #expect(saved.senseCodes == [5, 0x39, 0])
      let unknown = await bench.run(PrimaryCDB.modeSense(0x02), from: nexus)
      #expect(unknown.senseCodes == [5, 0x24, 0])
      let all = await bench.run(PrimaryCDB.modeSense(0x3F), from: nexus)
      #expect(all.data.count == 4 + 12 + 20 + 12 + 12 && Int(all.data[0]) == all.data.count - 1)
    }
  }

  @Test("D_SENSE chooses the format of sense data")
  func senseFormat() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let client = Sent(Command(nexus: BlockBench.nexus(1)), EndLog())
      for (usesDescriptors, code) in [(false, 0x70), (true, 0x72)] as [(Bool, UInt8)] {
        unit.control.mode.usesDescriptorSense = usesDescriptors
        let result = unit.checkCondition(.illegalRequest(.invalidFieldInCDB, field: 1))
        #expect(result.sense.first == code)
        client.end(result)
      }
    }
  }

  @Test("MODE SELECT changes what may change, all or nothing")
  func modeSelect() async throws {
    try await withRing { ring in
      let unit = HeldUnit(ring: ring)
      let bench = CoreBench([unit], ring: ring)
      let nexus = bench.join(1)
      let control = PrimaryCDB.control(descriptor: true, protected: true)
      func select(_ list: [UInt8], _ cdb: [UInt8]? = nil) async -> [UInt8] {
        await bench.run(cdb ?? PrimaryCDB.modeSelect(list.count), list, from: nexus).senseCodes
      }
      #expect(await select(control) == [])
      #expect(unit.control.mode.usesDescriptorSense && unit.control.mode.isWriteProtected)
      let kept = unit.control.mode
      // QUEUE ALGORITHM MODIFIER may not change, and then nothing of the list does.
      var fixed = PrimaryCDB.control()
      fixed[7] = 0
      #expect(await select(fixed) == [5, 0x26, 0])
      let caching = [UInt8]([0x08, 0x12] + [UInt8](repeating: 0, count: 18))
      #expect(await select([0, 0, 0, 0] + caching + fixed.dropFirst(4)) == [5, 0x26, 0])
      for count in [1, 3, 5, 15] {
        #expect(await select(Array(control.prefix(count))) == [5, 0x1A, 0])
      }
      #expect(await select([0, 0, 0, 0, 0x02, 0]) == [5, 0x26, 0])
      #expect(await select([0, 0, 0, 8] + control.dropFirst(4)) == [5, 0x26, 0])
      #expect(await select(control, [0x15, 0x00, 0, 0, 16, 0]) == [5, 0x24, 0])
      #expect(await select(control, [0x15, 0x11, 0, 0, 16, 0]) == [5, 0x24, 0])
      #expect(unit.control.mode == kept)
      #expect(await select([], [0x15, 0x10, 0, 0, 0, 0]) == [])
      #expect(await select([0, 0, 0, 0] + caching) == [])
      #expect(!unit.control.mode.hasWriteCache)
    }
  }

  @Test("REPORT TARGET PORT GROUPS shows one group, active and optimized")
  func targetPortGroups() async throws {
    try await withRing { ring in
      let bench = CoreBench([HeldUnit(ring: ring)], ring: ring)
      let nexus = bench.join(1)
      let group: [UInt8] = [0x00, 0x01, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]
      let plain = await bench.run([0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0], from: nexus)
      #expect(plain.data == [0, 0, 0, 12] + group)
      let extended = await bench.run([0xA3, 0x2A, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0], from: nexus)
      #expect(extended.data == [0, 0, 0, 16, 0x10, 0, 0, 0] + group)
    }
  }
}
