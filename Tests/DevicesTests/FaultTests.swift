import SCSI
import Testing
import Uring

@testable import Devices

@Suite("A device that goes wrong on purpose")
struct FaultTests {
  static func disk(
    _ path: String, _ ring: Ring, _ change: (inout Misbehaviour) -> Void
  ) async throws -> FaultyDisk {
    store(pattern(64 << 10), at: path)
    var misbehaviour = Misbehaviour()
    change(&misbehaviour)
    let disk = try await FileDisk.open(path, options: .readWrite, ring: ring)
    return FaultyDisk(disk, misbehaviour, ring: ring)
  }

  @Test("reads up to the bad block, once or always")
  func readError() async throws {
    try await withProcessor { ring, directory in
      let disk = try await Self.disk(directory + "/disk", ring) {
        $0.faults = [Fault(.readError, at: 10, once: true), Fault(.readError, at: 20)]
      }
      let bad = DeviceStatus.check(
        Condition(.mediumError, .unrecoveredReadError, information: 10), byteCount: 1024)
      let first = await disk.read(at: 4096, into: try ring.room(4096))
      #expect(first.status == bad)
      #expect(Array(first.payload.bytes().prefix(1024)) == Array(pattern(64 << 10)[4096..<5120]))
      let second = await disk.read(at: 4096, into: try ring.room(4096))
      #expect(second.status == .good(4096))
      for _ in 0..<2 {
        let always = await disk.read(at: 10240, into: try ring.room(512)).status
        #expect(always.byteCount == 0 && always.condition?.information == 20)
      }
      await disk.close()
    }
  }

  @Test("writes short, torn, not at all, or fails later")
  func writes() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/disk"
      let disk = try await Self.disk(path, ring) {
        $0.faults = [
          Fault(.shortWrite, at: 2), Fault(.tornWrite, at: 16), Fault(.droppedWrite, at: 32),
          Fault(.deferredError, at: 48), Fault(.writeError, at: 65),
        ]
      }
      let new = [UInt8](repeating: 0xEE, count: 2048)
      func write(_ block: UInt64) async throws -> DeviceStatus {
        await disk.write(at: block * 512, from: try ring.payload(new)).status
      }
      #expect(try await write(0) == .good(1024))
      #expect(try await write(16).condition?.key == .mediumError)
      #expect(try await write(32) == .good(2048))
      #expect(try await write(48) == .good(2048))
      #expect(try await write(0).condition?.isDeferred == true)
      let failed = try await write(64)
      #expect(failed.byteCount == 512 && failed.condition?.information == 65)
      _ = await disk.flush()
      await disk.close()
      var expected = pattern(64 << 10)
      for range in [0..<2, 16..<18, 48..<52, 64..<65] {
        for byte in range.lowerBound * 512..<range.upperBound * 512 { expected[byte] = 0xEE }
      }
      #expect(contents(path) == expected)
    }
  }

  @Test("takes the time it is told to take")
  func slow() async throws {
    try await withProcessor { ring, directory in
      let disk = try await Self.disk(directory + "/disk", ring) { $0.delayNanoseconds = 30_000_000 }
      let start = ring.now
      let collector = Collector()
      for tag in 0..<4 {
        disk.read(at: 0, into: try ring.room(512), for: collector, tag: UInt64(tag))
      }
      await collector.wait(ring, until: 4)
      #expect(ring.now - start >= 30_000_000)
      await disk.close()
    }
    var misbehaviour = Misbehaviour()
    misbehaviour.bytesPerSecond = 1000
    misbehaviour.stallNanoseconds = 2_000_000_000
    misbehaviour.stallPeriodNanoseconds = 10_000_000_000
    var pace = Pace(misbehaviour, start: 0)
    #expect(pace.due(500, now: 0) == 500_000_000)
    #expect(pace.due(500, now: 0) == 1_000_000_000)
    #expect(pace.due(1000, now: 7_500_000_000) == 10_000_000_000)
    #expect(pace.due(1000, now: 9_000_000_000) == 11_000_000_000)
  }

  static func tape(
    _ path: String, _ ring: Ring, _ faults: [Fault], lies: Bool = false
  ) async throws -> FaultyTape {
    var misbehaviour = Misbehaviour()
    misbehaviour.faults = faults
    misbehaviour.liesAboutFlush = lies
    try await Cartridge.create(at: path, ring: ring)
    return FaultyTape(
      try await Cartridge.open(path, ring: ring), misbehaviour, ring: ring)
  }

  @Test("leaves a tape behind its last good record and aborts what was in flight")
  func tapeWriteError() async throws {
    try await withProcessor { ring, directory in
      let tape = try await Self.tape(
        directory + "/tape", ring, [Fault(.writeError, at: 5, once: true)])
      let collector = Collector()
      for tag in 0..<4 {
        tape.write(
          try ring.payload(pattern(4096, seed: UInt64(tag))), recordCount: 2, for: collector,
          tag: UInt64(tag))
      }
      await collector.wait(ring, until: 4)
      #expect(collector.tags == [0, 1, 2, 3])
      #expect(collector.statuses[2].byteCount == 2048)
      #expect(collector.statuses[2].condition?.additional == .writeError)
      #expect(collector.statuses[2].condition?.information == 1)
      #expect(collector.statuses[3].condition?.isAborted == true)
      #expect(try await tape.position().object == 5)
      let again = await tape.write(try ring.payload(pattern(2048))).status
      #expect(again == .good(2048))
      _ = await tape.close()
    }
  }

  @Test("lies about filemarks, so that nothing is on the medium")
  func lyingTape() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/tape"
      let tape = try await Self.tape(path, ring, [Fault(.deferredError, at: 1)], lies: true)
      let first = await tape.write(try ring.payload(pattern(100))).status
      #expect(first == .good(100))
      #expect(await tape.writeFilemarks(0, immediate: false) == .good())
      #expect(contents(path + "/index").count == 64)
      let second = await tape.write(try ring.payload(pattern(100))).status
      #expect(second == .good(100))
      #expect(await tape.writeFilemarks(0, immediate: false).condition?.isDeferred == true)
      _ = await tape.close()
    }
  }

  @Test("counts how often a drive runs dry, and not that it stops at the end")
  func streaming() {
    let model = StreamingDrive.Model(
      nativeBytesPerSecond: 400_000_000, slowestBytesPerSecond: 177_000_000,
      bufferByteCount: 200_000_000, repositioningNanoseconds: 4_000_000_000)
    /// A host that writes 1 MB every `interval` ns for 20 s, except in the last 2 s of each 10 s.
    func repositionings(interval: UInt64, stalls: Bool) -> Int {
      var motion = StreamingDrive.Motion(model, now: 0)
      var now: UInt64 = 0
      while now < 20_000_000_000 {
        if stalls, now % 10_000_000_000 >= 8_000_000_000 {
          now += 2_000_000_000
          continue
        }
        now = max(now + interval, motion.write(1_000_000, now))
      }
      _ = motion.empty(now)
      return motion.repositioningCount
    }
    #expect(repositionings(interval: 2_500_000, stalls: false) == 0)
    #expect(repositionings(interval: 5_000_000, stalls: false) == 0)
    #expect(repositionings(interval: 2_500_000, stalls: true) >= 1)
    #expect(repositionings(interval: 20_000_000, stalls: false) >= 1)
    // A host that pauses: each time the buffer runs dry and is filled again is one.
    var small = model
    small.bufferByteCount = 32_000_000
    var pausing = StreamingDrive.Motion(small, now: 0)
    for second in 0..<4 {
      _ = pausing.write(24_000_000, UInt64(second) * 10_000_000_000)
      #expect(pausing.repositioningCount == second)
    }
    var motion = StreamingDrive.Motion(model, now: 0)
    #expect(motion.write(200_000_000, 0) == 0)
    #expect(motion.write(4_000_000, 0) == 10_000_000, "a full buffer drains at full speed")
    #expect(motion.empty(0) == 510_000_000)
  }
}
