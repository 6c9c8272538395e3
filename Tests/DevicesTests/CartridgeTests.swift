import Glibc
import SCSI
import Synchronization
import Testing
import Uring

@testable import Devices

/// Submits several operations at once and keeps how they ended.
final class Collector: DeviceClient {
  var tags: [UInt64] = []
  var statuses: [DeviceStatus] = []
  var contents: [[UInt8]] = []
  override func complete(_ completion: consuming DeviceCompletion) {
    tags.append(completion.tag)
    statuses.append(completion.status)
    contents.append(completion.payload.bytes())
  }
  func wait(_ ring: Ring, until count: Int) async {
    while tags.count < count { await ring.sleep(nanoseconds: 100_000) }
  }
}

@Suite("A cartridge")
struct CartridgeTests {
  static func make(
    _ path: String, _ ring: Ring, capacity: UInt64 = .max, earlyWarning: UInt64 = 0
  ) async throws -> Cartridge {
    try await Cartridge.create(
      at: path, format: Cartridge.Format(capacity: capacity, earlyWarning: earlyWarning),
      ring: ring)
    return try await Cartridge.open(path, ring: ring)
  }

  @Test("has one run, one index entry and only direct writes for an image in equal records")
  func oneRun() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      let tape = try await Self.make(path, ring)
      let collector = Collector()
      for number in 0..<8 {
        tape.write(
          try ring.payload(pattern(1 << 20, seed: UInt64(number))), recordCount: 16,
          for: collector, tag: UInt64(number))
      }
      #expect(collector.tags.isEmpty, "nothing completes inside the call that submits")
      await collector.wait(ring, until: 8)
      #expect(collector.tags == Array(0..<8))
      #expect(collector.statuses.allSatisfy { $0 == .good(1 << 20) })
      #expect(tape.map.runs.count == 1 && tape.objectCount == 128)
      if tape.isDirectAvailable {
        #expect(tape.counters == FileCounters(directTransfers: 8, bufferedTransfers: 0))
      }
      #expect(await tape.close() == .good())
      #expect(contents(path + "/index").count == 192)
      #expect(contents(path + "/data") == (0..<8).flatMap { pattern(1 << 20, seed: $0) })
    }
  }

  @Test("delivers reads in order and aborts those behind a filemark")
  func readAhead() async throws {
    try await withProcessor { ring, directory in
      let tape = try await Self.make(directory + "/tape", ring)
      _ = await tape.write(try ring.payload(pattern(3000)), recordCount: 3)
      _ = await tape.writeFilemarks(1, immediate: true)
      _ = await tape.write(try ring.payload(pattern(1000, seed: 9)))
      _ = await tape.locate(0)
      let collector = Collector()
      for tag in 0..<6 {
        tape.read(
          into: try ring.room(1000), recordCount: 1, acceptsShorter: true, for: collector,
          tag: UInt64(tag))
      }
      await collector.wait(ring, until: 6)
      #expect(collector.tags == Array(0..<6))
      #expect(collector.statuses[..<3].allSatisfy { $0 == .good(1000) })
      #expect(Array(collector.contents[..<3].joined()) == pattern(3000))
      #expect(collector.statuses[3].condition?.filemark == true)
      #expect(collector.statuses[4...].allSatisfy { $0.condition?.isAborted == true })
      let position = try await tape.position()
      #expect(position.object == 4 && position.filemark == 1)
      let read = await tape.read(into: try ring.room(1000))
      #expect(read.payload.bytes() == pattern(1000, seed: 9))
      _ = await tape.close()
    }
  }

  @Test("writes what fits, says how much did not, and aborts what comes behind")
  func overflow() async throws {
    try await withProcessor { ring, directory in
      let tape = try await Self.make(
        directory + "/tape", ring, capacity: 10_000, earlyWarning: 3000)
      let collector = Collector()
      tape.write(try ring.payload(pattern(6000)), recordCount: 6, for: collector, tag: 0)
      tape.write(try ring.payload(pattern(2000)), recordCount: 2, for: collector, tag: 1)
      tape.write(try ring.payload(pattern(3000)), recordCount: 3, for: collector, tag: 2)
      tape.write(try ring.payload(pattern(10)), recordCount: 1, for: collector, tag: 3)
      await collector.wait(ring, until: 4)
      #expect(collector.statuses[0] == .good(6000))
      #expect(
        collector.statuses[1].isSuccess && collector.statuses[1].condition?.isEarlyWarning == true)
      #expect(collector.statuses[2].byteCount == 2000)
      #expect(collector.statuses[2].condition?.key == .volumeOverflow)
      #expect(collector.statuses[2].condition?.information == 1)
      #expect(collector.statuses[3].condition?.isAborted == true)
      #expect(tape.objectCount == 10)
      // Exactly full: no record fits, a filemark does.
      let one = await tape.write(try ring.payload([1])).status
      #expect(one.condition?.key == .volumeOverflow && one.condition?.information == 1)
      let mark = await tape.writeFilemarks(1, immediate: false)
      #expect(mark.isSuccess && mark.condition?.endOfMedium == true)
      #expect(try await tape.position().isPastEarlyWarning)
      _ = await tape.close()
    }
  }

  @Test("takes the record that fills it and the one that leaves exactly the room")
  func earlyWarningEdge() async throws {
    try await withProcessor { ring, directory in
      let tape = try await Self.make(
        directory + "/tape", ring, capacity: 1000, earlyWarning: 100)
      let leavesRoom = await tape.write(try ring.payload(pattern(900))).status
      #expect(leavesRoom == .good(900))
      let fills = await tape.write(try ring.payload(pattern(100))).status
      #expect(fills.byteCount == 100 && fills.condition?.isEarlyWarning == true)
      _ = await tape.close()
    }
  }

  @Test("takes records of 1 byte and of 16 MiB − 1")
  func extremes() async throws {
    try await withProcessor(arenaBytes: 64 << 20) { ring, directory in
      let tape = try await Self.make(directory + "/tape", ring)
      let longest = [UInt8](repeating: 0x5A, count: (1 << 24) - 1)
      #expect(tape.recordLengthMaximum == longest.count)
      let one = await tape.write(try ring.payload([7])).status
      let long = await tape.write(try ring.payload(longest)).status
      #expect(one == .good(1) && long == .good(longest.count))
      _ = await tape.locate(0)
      #expect(tape.nextRecordLength == 1)
      _ = await tape.space(.records, count: 1)
      #expect(tape.nextRecordLength == longest.count)
      let read = await tape.read(into: try ring.room(1 << 24))
      #expect(read.status == .good(longest.count))
      #expect(Array(read.payload.bytes().dropLast()) == longest)
      #expect(tape.nextRecordLength == nil)
      _ = await tape.close()
    }
  }

  @Test("refuses writes when protected by its format or opened read-only")
  func writeProtected() async throws {
    try await withProcessor { ring, directory in
      let refused = DeviceStatus.check(Condition(.dataProtect, .writeProtected))
      try await Cartridge.create(
        at: directory + "/protected", format: Cartridge.Format(isWriteProtected: true), ring: ring)
      let protected = try await Cartridge.open(directory + "/protected", ring: ring)
      #expect(protected.isWriteProtected)
      #expect(await protected.write(try ring.payload([1])).status == refused)
      #expect(await protected.writeFilemarks(1, immediate: true) == refused)
      #expect(await protected.writeFilemarks(0, immediate: false) == .good())
      _ = await protected.close()

      _ = await (try await Self.make(directory + "/tape", ring)).close()
      var options = Cartridge.Options()
      options.readOnly = true
      let tape = try await Cartridge.open(directory + "/tape", options: options, ring: ring)
      #expect(await tape.write(try ring.payload([1])).status == refused)
      _ = await tape.close()
    }
  }

  @Test("drops what is overwritten before it is overwritten, and starts a new index from the start")
  func overwriting() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      let tape = try await Self.make(path, ring)
      for seed in 1...5 {
        _ = await tape.write(try ring.payload(pattern(4096, seed: UInt64(seed))))
        _ = await tape.writeFilemarks(1, immediate: false)
      }
      _ = await tape.locate(4)
      _ = await tape.write(try ring.payload(pattern(4096, seed: 7)))
      // Not yet made durable, but what was overwritten is gone for whoever looks now.
      #expect(try Self.log(path).map.objectCount == 4)
      _ = await tape.writeFilemarks(0, immediate: false)
      #expect(try Self.log(path).map == tape.map)
      _ = await tape.locate(0)
      _ = await tape.write(try ring.payload(pattern(100, seed: 8)))
      #expect(try Self.log(path).map.objectCount == 0)
      _ = await tape.close()
      #expect(contents(path + "/index").count == 192)
      #expect(contents(path + "/data") == pattern(100, seed: 8))
    }
  }

  static func log(_ path: String) throws -> TapeIndex {
    let bytes = contents(path + "/index")
    return try TapeIndex { count, offset in
      Array(bytes.dropFirst(Int(offset)).prefix(count))
    }
  }

  @Test("opens to its last valid entry, wherever the index is torn")
  func tornIndex() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      var tape = try await Self.make(path, ring)
      for seed in 1...6 {
        _ = await tape.write(try ring.payload(pattern(500 * seed, seed: UInt64(seed))))
        _ = await tape.writeFilemarks(0, immediate: false)
      }
      _ = await tape.close()
      let whole = contents(path + "/index")
      let data = contents(path + "/data")
      #expect(whole.count == 8 * 64)
      for cut in stride(from: 64, to: whole.count, by: 13) {
        store(Array(whole.prefix(cut)), at: path + "/index")
        store(data, at: path + "/data")
        tape = try await Cartridge.open(path, ring: ring)
        #expect(tape.objectCount == UInt64(cut / 64 - 1))
        _ = await tape.close()
      }
    }
  }

  @Test("is refused where a later entry proves that a damaged one was durable")
  func damagedIndex() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      let tape = try await Self.make(path, ring)
      for seed in 1...6 {
        _ = await tape.write(try ring.payload(pattern(500 * seed, seed: UInt64(seed))))
        _ = await tape.writeFilemarks(0, immediate: false)
      }
      _ = await tape.close()
      let whole = contents(path + "/index")
      var options = Cartridge.Options()
      for position in stride(from: 64, to: 7 * 64, by: 3) {
        var damaged = whole
        damaged[position] ^= 1
        store(damaged, at: path + "/index")
        options.readOnly = position % 2 == 0
        let reason = "its index at entry \(position / 64), which was durable"
        let asked = options
        await #expect(throws: DeviceError.cartridgeDamaged(path: path, reason: reason)) {
          _ = try await Cartridge.open(path, options: asked, ring: ring)
        }
        #expect(contents(path + "/index") == damaged)
      }
      // Of the last entry nothing depends.
      var damaged = whole
      damaged[7 * 64 + 9] ^= 1
      store(damaged, at: path + "/index")
      let again = try await Cartridge.open(path, ring: ring)
      #expect(again.objectCount == 6)
      _ = await again.close()
      #expect(contents(path + "/index") == whole)
    }
  }

  @Test("cannot be opened twice, nor made twice, nor at a position it does not have")
  func opening() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      let tape = try await Self.make(path, ring)
      _ = await tape.writeFilemarks(3, immediate: false)
      await #expect(throws: DeviceError.cartridgeInUse(path: path)) {
        _ = try await Cartridge.open(path, ring: ring)
      }
      await #expect(throws: DeviceError.cartridgeExists(path: path)) {
        try await Cartridge.create(at: path, ring: ring)
      }
      _ = await tape.close()
      var options = Cartridge.Options()
      options.position = .object(4)
      await #expect(throws: DeviceError.position(path: path, position: 4, objectCount: 3)) {
        _ = try await Cartridge.open(path, options: options, ring: ring)
      }
      options.position = .endOfData
      let again = try await Cartridge.open(path, options: options, ring: ring)
      #expect(try await again.position().object == 3)
      _ = await again.close()
      await #expect(throws: DeviceError.notFound(path: directory + "/none")) {
        _ = try await Cartridge.open(directory + "/none", ring: ring)
      }
      await #expect(throws: DeviceError.notACartridge(path: directory)) {
        _ = try await Cartridge.open(directory, ring: ring)
      }
      await #expect(
        throws: DeviceError.capacity(path: "x", capacity: 5, earlyWarning: 6)
      ) {
        try await Cartridge.create(
          at: "x", format: Cartridge.Format(capacity: 5, earlyWarning: 6), ring: ring)
      }
    }
  }

  @Test("says which index it cannot use")
  func unusableIndex() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      _ = await (try await Self.make(path, ring)).close()
      let whole = contents(path + "/index")
      func error(_ bytes: [UInt8]) async -> DeviceError? {
        store(bytes, at: path + "/index")
        do throws(DeviceError) {
          _ = await (try await Cartridge.open(path, ring: ring)).close()
          return nil
        } catch { return error }
      }
      #expect(await error([]) == .notACartridge(path: path))
      #expect(await error(pattern(64)) == .notACartridge(path: path))
      var later = whole
      later[7] = 3
      #expect(await error(later) == .cartridgeVersion(path: path, version: 3))
      var damaged = whole
      damaged[8] ^= 1
      #expect(
        await error(damaged)
          == .cartridgeDamaged(path: path, reason: "the checksum of the header is wrong"))
      var log = TapeIndex(starting: Cartridge.Format())
      let impossible =
        log.encode(.header(Cartridge.Format()))
        + log.encode(.records(firstObject: 9, count: .max, length: 5, dataOffset: 1))
      #expect(
        await error(impossible)
          == .cartridgeDamaged(path: path, reason: "the run at object 9 is not possible"))
      #expect(await error(whole) == nil)
    }
  }

  @Test("has room allocated before the first write, and gives it back")
  func allocatedAhead() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      let tape = try await Self.make(path, ring)
      if tape.isDirectAvailable {
        #expect(tape.memoryAlignment % 4096 == 0)
        #expect(tape.preallocation.end >= Preallocation.smallestStep)
        #expect(byteCount(path + "/data") == Int(tape.preallocation.end))
      }
      _ = await tape.write(try ring.payload(pattern(4096)))
      _ = await tape.close()
      #expect(byteCount(path + "/data") == 4096)
    }
  }

  @Test("refuses to write behind data that is not there any more, and reads what is left")
  func missingData() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      var tape = try await Self.make(path, ring)
      _ = await tape.write(try ring.payload(pattern(8192)), recordCount: 8)
      _ = await tape.close()
      unsafe truncate(path + "/data", 4000)
      let reason =
        "its data has 4000 bytes where its index tells of 8192 (readonly reads what is left)"
      await #expect(throws: DeviceError.cartridgeDamaged(path: path, reason: reason)) {
        _ = try await Cartridge.open(path, ring: ring)
      }
      var options = Cartridge.Options()
      options.readOnly = true
      tape = try await Cartridge.open(path, options: options, ring: ring)
      let read = await tape.read(
        into: try ring.room(8192), recordCount: 8, acceptsShorter: false
      ).status
      #expect(read.byteCount == 3072 && read.condition?.additional == .unrecoveredReadError)
      #expect(read.condition?.key == .mediumError && read.condition?.information == 5)
      _ = await tape.close()
    }
  }
}
