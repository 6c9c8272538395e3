import SCSI
import Testing
import Uring

@testable import Devices

@Suite("A cartridge against a naive tape")
struct CartridgePropertyTests {
  static let lengths = [1, 2, 511, 512, 513, 1000, 2048, 4096, 4097, 8192, 10240, 65536]

  @Test(
    "does what a list of objects does, whatever is asked of it and however often it is reopened",
    arguments: 0..<24)
  func sameAsNaive(seed: Int) async throws {
    try await withProcessor { ring, directory in
      var random = Random(seed: UInt64(seed))
      let path = directory + "/tape"
      var naive = NaiveTape()
      if seed % 3 == 0 {
        naive.capacity = 300_000
        naive.earlyWarning = 50_000
      }
      try await Cartridge.create(
        at: path,
        format: Cartridge.Format(
          capacity: naive.capacity == .max ? .max : UInt64(naive.capacity),
          earlyWarning: UInt64(naive.earlyWarning)), ring: ring)
      var tape = try await Cartridge.open(path, ring: ring)
      for step in 0..<200 {
        let action = try await Self.step(&tape, &naive, &random, path, ring)
        let position = try await tape.position()
        let marks = naive.objects[..<naive.position].count { $0 == .filemark }
        guard position.object == UInt64(naive.position), position.filemark == UInt64(marks),
          position.isEndOfData == (naive.position == naive.objects.count),
          tape.objectCount == UInt64(naive.objects.count)
        else {
          Issue.record("seed \(seed) step \(step): \(action): \(position) \(naive.position)")
          break
        }
      }
      _ = await tape.close()
    }
  }

  /// One random action on both; what differs is an issue.
  static func step(
    _ tape: inout Cartridge, _ naive: inout NaiveTape, _ random: inout Random, _ path: String,
    _ ring: Ring
  ) async throws -> String {
    let length = lengths.randomElement(using: &random) ?? 1
    let count = Int.random(in: 1...4, using: &random)
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<40:
      let bytes = pattern(length * count, seed: random.next())
      let done = await tape.write(try ring.payload(bytes), recordCount: count)
      let expected = naive.write(bytes, recordCount: count)
      #expect(done.status == expected)
      #expect(done.payload.byteCount == bytes.count)
      return "write \(count) × \(length)"
    case 40..<60:
      let shorter = count == 1 && Bool.random(using: &random)
      let real = tape.nextRecordLength ?? length
      let asked = Bool.random(using: &random) ? real : length
      let done = await tape.read(
        into: try ring.room(asked * count), recordCount: count, acceptsShorter: shorter)
      let expected = naive.read(asked * count, recordCount: count, acceptsShorter: shorter)
      #expect(done.status == expected.0)
      #expect(done.payload.byteCount == asked * count)
      #expect(Array(done.payload.bytes().prefix(expected.1.count)) == expected.1)
      return "read \(count) × \(asked)"
    case 60..<70:
      let marks = Int.random(in: 0...2, using: &random)
      let status = await tape.writeFilemarks(marks, immediate: Bool.random(using: &random))
      #expect(status == naive.writeFilemarks(marks))
      return "filemarks \(marks)"
    case 70..<82:
      let kind = [SpaceKind.records, .filemarks, .endOfData].randomElement(using: &random)
      let distance = Int.random(in: -8...8, using: &random)
      let status = await tape.space(kind ?? .records, count: distance)
      #expect(status == naive.space(kind ?? .records, count: distance))
      return "space \(distance)"
    case 82..<94:
      let object = Int.random(in: 0...naive.objects.count + 1, using: &random)
      #expect(await tape.locate(UInt64(object)) == naive.locate(object))
      return "locate \(object)"
    default:
      #expect(await tape.close() == .good())
      var options = Cartridge.Options()
      options.position = .object(UInt64(naive.position))
      tape = try await Cartridge.open(path, options: options, ring: ring)
      return "reopen"
    }
  }
}
