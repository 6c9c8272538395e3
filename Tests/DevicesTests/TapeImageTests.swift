import Glibc
import SCSI
import Testing
import Uring

@testable import Devices

@Suite("A tape image")
struct TapeImageTests {
  /// Two records, one of odd length, a filemark, a record, two filemarks.
  static let image: [UInt8] =
    [3, 0, 0, 0, 1, 2, 3, 0, 3, 0, 0, 0] + [2, 0, 0, 0, 4, 5, 2, 0, 0, 0] + [0, 0, 0, 0]
    + [1, 0, 0, 0, 6, 0, 1, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0] + [255, 255, 255, 255]

  static func cartridge(_ path: String, _ ring: Ring) async throws -> Cartridge {
    try await Cartridge.create(at: path, ring: ring)
    return try await Cartridge.open(path, ring: ring)
  }

  @Test("is read as SIMH wrote it and written as it was read")
  func roundTrip() async throws {
    try await withProcessor { ring, directory in
      store(Self.image, at: directory + "/in.tap")
      let tape = try await Self.cartridge(directory + "/tape", ring)
      let read = try await TapeImage.importImage(directory + "/in.tap", to: tape, ring: ring)
      #expect(read.recordCount == 3 && read.byteCount == 6 && read.filemarkCount == 3)
      #expect(
        tape.runs == [
          TapeRun(firstObject: 0, count: 1, recordLength: 3),
          TapeRun(firstObject: 1, count: 1, recordLength: 2),
          TapeRun(firstObject: 2, count: 1, recordLength: nil),
          TapeRun(firstObject: 3, count: 1, recordLength: 1),
          TapeRun(firstObject: 4, count: 2, recordLength: nil),
        ])
      var objects: [Int?] = []
      tape.forEachObject { objects.append($1) }
      #expect(objects == [3, 2, nil, 1, nil, nil])
      _ = await tape.locate(0)
      let written = try await TapeImage.exportImage(directory + "/out.tap", from: tape, ring: ring)
      #expect(written == read)
      #expect(contents(directory + "/out.tap") == Self.image)
      _ = await tape.close()
    }
  }

  @Test("of raw data has equal records and a shorter last one, and comes back whole")
  func raw() async throws {
    try await withProcessor { ring, directory in
      let content = pattern(2_500_001)
      store(content, at: directory + "/in")
      let tape = try await Self.cartridge(directory + "/tape", ring)
      let read = try await TapeImage.importRaw(
        directory + "/in", recordLength: 100_000, to: tape, ring: ring)
      #expect(read.recordCount == 26 && read.byteCount == 2_500_001)
      _ = await tape.writeFilemarks(1, immediate: true)
      _ = await tape.write(try ring.payload([1, 2, 3]))
      _ = await tape.locate(0)
      let first = try await TapeImage.exportRaw(directory + "/out", from: tape, ring: ring)
      #expect(first.recordCount == 26 && contents(directory + "/out") == content)
      _ = await tape.locate(0)
      _ = try await TapeImage.exportRaw(
        directory + "/out", from: tape, pastFilemarks: true, ring: ring)
      #expect(contents(directory + "/out") == content + [1, 2, 3])
      _ = await tape.close()
    }
  }

  @Test("that contradicts itself is refused at its place")
  func refused() async throws {
    try await withProcessor { ring, directory in
      let tape = try await Self.cartridge(directory + "/tape", ring)
      let path = directory + "/in.tap"
      func error(_ bytes: [UInt8]) async -> DeviceError? {
        store(bytes, at: path)
        do throws(DeviceError) {
          _ = try await TapeImage.importImage(path, to: tape, ring: ring)
          return nil
        } catch { return error }
      }
      #expect(await error([]) == nil)
      #expect(
        await error([1, 0])
          == .tapeImage(path: path, offset: 0, reason: "a length is cut short"))
      #expect(
        await error([0, 0, 0, 0, 8, 0, 0, 0, 1])
          == .tapeImage(path: path, offset: 4, reason: "the record is cut short"))
      #expect(
        await error([2, 0, 0, 0, 1, 2, 3, 0, 0, 0])
          == .tapeImage(path: path, offset: 6, reason: "the second length is not the first"))
      #expect(
        await error([2, 0, 0, 0x80, 1, 2, 2, 0, 0, 0x80])
          == .tapeImage(path: path, offset: 0, reason: "a record of length 80000002h"))
      _ = await tape.close()
    }
  }

  @Test("does not fit a full tape, and says so")
  func full() async throws {
    try await withProcessor { ring, directory in
      try await Cartridge.create(
        at: directory + "/tape", format: Cartridge.Format(capacity: 4), ring: ring)
      let tape = try await Cartridge.open(directory + "/tape", ring: ring)
      store(Self.image, at: directory + "/in.tap")
      await #expect(throws: DeviceError.self) {
        try await TapeImage.importImage(directory + "/in.tap", to: tape, ring: ring)
      }
      #expect(tape.objectCount == 1)
      _ = await tape.close()
    }
  }

  @Test("is verified record by record, and the first bad one is named")
  func verify() async throws {
    try await withProcessor { ring, directory in
      let tape = try await Self.cartridge(directory + "/tape", ring)
      for length in [1, 4096, 70_000] {
        _ = await tape.write(try ring.payload(pattern(length * 3)), recordCount: 3)
        _ = await tape.writeFilemarks(1, immediate: true)
      }
      _ = await tape.locate(2)
      var found = try await tape.verify()
      #expect(found.recordCount == 9 && found.filemarkCount == 3)
      #expect(found.byteCount == 3 * 74_097 && found.firstFailure == nil)
      #expect(try await tape.position().object == 2)
      _ = await tape.close()
      unsafe truncate(directory + "/tape/data", 16384 + 70_000 + 5)
      var options = Cartridge.Options()
      options.readOnly = true
      let damaged = try await Cartridge.open(directory + "/tape", options: options, ring: ring)
      found = try await damaged.verify()
      #expect(found.firstFailure?.object == 9 && found.recordCount == 7)
      _ = await damaged.close()
    }
  }
}
