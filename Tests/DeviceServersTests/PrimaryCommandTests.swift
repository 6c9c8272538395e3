import SAM
import SCSI
import Testing

@testable import DeviceServers

@Suite("The commands of SPC")
struct PrimaryCommandTests {
  private static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("standard INQUIRY data, byte by byte")
  func inquiry() async throws {
    try await withUnitBench { bench in
      let nexus = bench.join(1)
      var expected: [UInt8] = [0x00, 0x00, 0x06, 0x12, 91, 0x18, 0x10, 0x02]
      expected += Self.ascii("ECOPY   UNIT            0001")
      expected += [UInt8](repeating: 0, count: 22)
      expected += [0x00, 0xA0, 0x04, 0x60, 0x04, 0xC0, 0x09, 0x60]
      expected += [UInt8](repeating: 0, count: 30)
      #expect(await bench.run([0x12, 0, 0, 0, 255, 0], from: nexus).data == expected)
      #expect(
        await bench.run([0x12, 0, 0, 0, 5, 0], from: nexus).data == Array(expected.prefix(5)))
      #expect(await bench.run([0x12, 0, 0x83, 0, 255, 0], from: nexus).senseCodes == [5, 0x24, 0])
      #expect(await bench.run([0x12, 1, 0x7F, 0, 255, 0], from: nexus).senseCodes == [5, 0x24, 0])
    }
  }

  @Test("the lists of vital product data pages, serial number and designators")
  func vitalProductData() async throws {
    try await withUnitBench { bench in
      let nexus = bench.join(1, port: 2)
      func page(_ code: UInt8) async -> [UInt8] {
        await bench.run([0x12, 1, code, 2, 0, 0], from: nexus).data
      }
      #expect(await page(0) == [0, 0, 0, 4, 0x00, 0x80, 0x83, 0x86])
      #expect(await page(0x80) == [0, 0x80, 0, 6] + Self.ascii("SERIAL"))
      let name = Self.ascii("iqn.2026-11.test:target")
      var list: [UInt8] = [0x01, 0x03, 0, 8, 0x30, 1, 2, 3, 4, 5, 6, 7]
      list += [0x02, 0x01, 0, 14] + Self.ascii("ECOPY   SERIAL")
      list += [0x51, 0x94, 0, 4, 0, 0, 0, 2]
      list += [0x51, 0x95, 0, 4, 0, 0, 0, 2]
      list += [0x53, 0x98, 0, 36] + name + Self.ascii(",t,0x0002") + [0, 0, 0, 0]
      list += [0x53, 0xA8, 0, 24] + name + [0]
      #expect(await page(0x83) == [0, 0x83, 0, UInt8(list.count)] + list)
    }
  }

  @Test("REPORT LUNS lists the unit, whichever LUN is asked")
  func reportLUNs() async throws {
    try await withUnitBench { bench in
      let nexus = bench.join(1)
      func report(_ select: UInt8, _ length: UInt8, lun: UInt64 = 0) async -> BlockOutcome {
        await bench.run(
          [0xA0, 0, select, 0, 0, 0, 0, 0, 0, length, 0, 0], from: nexus, lun: lun)
      }
      let one: [UInt8] = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
      #expect(await report(0, 64).data == one)
      #expect(await report(0, 64, lun: 5 << 48).data == one)
      #expect(
        await report(2, 64).data
          == [0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xC1, 0x01, 0, 0, 0, 0, 0, 0])
      #expect(await report(0, 15).senseCodes == [5, 0x24, 0])
      #expect(await report(3, 64).senseCodes == [5, 0x24, 0])
    }
  }

  @Test("a LUN that names nothing answers INQUIRY with 7Fh and refuses the rest")
  func absent() async throws {
    try await withUnitBench { bench in
      let nexus = bench.join(1)
      let lun: UInt64 = 7 << 48
      #expect(await bench.run([0x12, 0, 0, 0, 36, 0], from: nexus, lun: lun).data.first == 0x7F)
      #expect(
        await bench.run([0, 0, 0, 0, 0, 0], from: nexus, lun: lun).senseCodes == [5, 0x25, 0])
    }
  }

  @Test("REPORT SUPPORTED OPERATION CODES agrees with the table, one and all")
  func supportedOperationCodes() async throws {
    try await withUnitBench { bench in
      let nexus = bench.join(1)
      func report(_ options: UInt8, _ code: UInt8 = 0, _ action: UInt16 = 0) async -> BlockOutcome {
        await bench.run(
          [0xA3, 0x0C, options, code] + BlockCDB.big(UInt64(action), 2) + [0, 0, 0x10, 0, 0, 0],
          from: nexus)
      }
      let entries = bench.unit.table.entries
      let all = await report(0).data
      #expect(all.count == 4 + 8 * entries.count)
      #expect(Array(all.prefix(4)) == BlockCDB.big(UInt64(8 * entries.count), 4))
      for (index, entry) in entries.enumerated() {
        let line = Array(all[(4 + 8 * index)..<(12 + 8 * index)])
        let action = entry.serviceAction
        #expect(
          line == [entry.operationCode, 0] + BlockCDB.big(UInt64(action ?? 0), 2)
            + [0, action == nil ? 0 : 1, 0, UInt8(entry.usage.count)])
        let one = await report(action == nil ? 1 : 2, entry.operationCode, action ?? 0).data
        #expect(one == [0, 3, 0, UInt8(entry.usage.count)] + entry.usage)
        #expect(entry.usage.count == Self.length(entry.operationCode), "\(entry.name)")
      }
      #expect(await report(1, 0xFF).data == [0, 1, 0, 0])
      #expect(await report(2, 0x5F, 9).data == [0, 1, 0, 0])
      #expect(await report(1, 0x5F).senseCodes == [5, 0x24, 0])
      #expect(await report(2, 0x12).senseCodes == [5, 0x24, 0])
    }
  }

  /// Bytes of a CDB by the group of its operation code. SPC-4 4.2.5.1.
  private static func length(_ code: UInt8) -> Int {
    switch code >> 5 {
    case 0: 6
    case 1, 2: 10
    case 4: 16
    case 5: 12
    default: 6
    }
  }

  @Test("bits where a command does not look are refused, each of them")
  func reservedBits() async throws {
    try await withUnitBench { bench in
      let nexus = bench.join(1)
      for entry in bench.unit.table.entries {
        var base = [UInt8](repeating: 0, count: entry.usage.count)
        base[0] = entry.operationCode
        if let action = entry.serviceAction { base[1] = UInt8(action) }
        for index in 1..<base.count {
          for bit in 0..<8 as Range<UInt8> {
            // A service action names another command, not another field.
            if entry.serviceAction != nil, index == 1, bit < 5 { continue }
            let mask: UInt8 = 1 << bit
            guard entry.usage[index] & mask == 0 else { continue }
            var cdb = base
            cdb[index] |= mask
            let outcome = await bench.run(cdb, from: nexus)
            if index == base.count - 1 { continue }
            #expect(outcome.senseCodes == [5, 0x24, 0], "\(entry.name), byte \(index), bit \(bit)")
          }
        }
      }
    }
  }
}
