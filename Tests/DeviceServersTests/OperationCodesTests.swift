import Devices
import SAM
import SCSI
import Testing
import Uring

@testable import DeviceServers

@Suite("What REPORT SUPPORTED OPERATION CODES says is what is done")
struct OperationCodesTests {
  /// How the unit refuses a CDB on arrival; nil where it would execute it.
  private static func refusal(_ cdb: [UInt8], _ bench: BlockBench) -> SenseData? {
    let command = Command(nexus: bench.nexus)
    command.cdb = CommandDescriptorBlock(cdb)
    switch bench.unit.admit(command) {
    case .finished(let result): return BlockClient().outcome(of: result).sense
    case .execute:
      bench.unit.withdraw(command)
      return nil
    }
  }

  /// The CDB of an entry with zeros in all fields.
  private static func plain(_ entry: CommandEntry) -> [UInt8] {
    var cdb = [UInt8](repeating: 0, count: entry.usage.count)
    cdb[0] = entry.operationCode
    if let action = entry.serviceAction { cdb[1] = UInt8(action) }
    return cdb
  }

  @Test("The list has every command once, and each command tells its CDB usage")
  func list() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let entries = bench.unit.table.entries
      for timeouts in [false, true] {
        let size = timeouts ? 20 : 8
        let all = await bench.run(PrimaryCDB.operationCodes(timeouts: timeouts)).data
        #expect(all.count == 4 + entries.count * size)
        for (index, entry) in entries.enumerated() {
          let at = 4 + index * size
          #expect(all[at] == entry.operationCode)
          #expect(Int(all[at + 3]) == Int(entry.serviceAction ?? 0))
          #expect(all[at + 5] & 1 == (entry.serviceAction == nil ? 0 : 1))
          #expect(Int(all[at + 7]) == entry.usage.count)
          let option: UInt8 = entry.serviceAction == nil ? 1 : 2
          for option in [option, 3] {
            let one = await bench.run(
              PrimaryCDB.operationCodes(
                option, entry.operationCode, entry.serviceAction ?? 0, timeouts: timeouts)
            ).data
            let length = UInt8(entry.usage.count)
            let head: [UInt8] = [0, timeouts ? 0x83 : 0x03, 0, length]
            #expect(Array(one.prefix(4 + entry.usage.count)) == head + entry.usage)
            #expect(one.count == 4 + entry.usage.count + (timeouts ? 12 : 0))
          }
        }
      }
      let names = Set(entries.map { "\($0.operationCode) \($0.serviceAction ?? 0)" })
      #expect(names.count == entries.count)
    }
  }

  @Test("A command that is not there is reported so, and a wrong option is refused")
  func absent() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let none: [UInt8] = [0, 0x01, 0, 0]
      #expect(await bench.run(PrimaryCDB.operationCodes(1, 0xFF)).data == none)
      #expect(await bench.run(PrimaryCDB.operationCodes(2, 0xA3, 0x1F)).data == none)
      #expect(await bench.run(PrimaryCDB.operationCodes(3, 0xA3, 0x1F)).data == none)
      #expect(await bench.run(PrimaryCDB.operationCodes(1, 0xA3)).senseCodes == [5, 0x24, 0])
      #expect(await bench.run(PrimaryCDB.operationCodes(2, 0x12)).senseCodes == [5, 0x24, 0])
      #expect(await bench.run(PrimaryCDB.operationCodes(4)).senseCodes == [5, 0x24, 0])
    }
  }

  @Test("Each bit outside the usage data is refused, with a pointer to it")
  func usage() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      for entry in bench.unit.table.entries {
        for index in 1..<entry.usage.count {
          for bit in 0..<8 as Range<UInt8> where entry.usage[index] & 1 << bit == 0 {
            if index == 1, entry.serviceAction != nil, bit < 5 { continue }
            var cdb = Self.plain(entry)
            cdb[index] |= 1 << bit
            let sense = Self.refusal(cdb, bench)
            #expect(sense?.additional == .invalidFieldInCDB, "\(entry.name) byte \(index)")
            #expect(
              sense?.fieldPointer
                == SenseData.FieldPointer(
                  offset: UInt16(index), inCommand: true, bitPointer: bit))
          }
        }
      }
    }
  }

  @Test("Every operation code and service action outside the table is refused")
  func unknown() async throws {
    try await withBlockBench { ring, directory in
      let bench = try await BlockBench.thin(directory, ring: ring)
      let table = bench.unit.table
      for code in 0...255 as ClosedRange<UInt8> {
        let group = table.entries(of: code)
        if group.isEmpty {
          let sense = Self.refusal([code] + [UInt8](repeating: 0, count: 15), bench)
          #expect(sense?.additional == .invalidCommandOperationCode)
        } else if group[0].serviceAction != nil {
          for action in 0..<32 as Range<UInt8>
          where !group.contains(where: { $0.serviceAction == UInt16(action) }) {
            let sense = Self.refusal([code, action] + [UInt8](repeating: 0, count: 14), bench)
            #expect(sense?.additional == .invalidFieldInCDB)
          }
        }
      }
    }
  }
}
