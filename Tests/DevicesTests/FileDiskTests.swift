import Glibc
import SCSI
import Testing
import Uring

@testable import Devices

@Suite("A file as a disk")
struct FileDiskTests {
  @Test("writes direct and buffered, grows, and reads the same bytes back")
  func roundTrip() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/disk"
      let disk = try await FileDisk.open(path, options: .destination, ring: ring)
      let content = pattern(1 << 20)
      let first = await disk.write(at: 0, from: try ring.payload(content)).status
      let tail = await disk.write(at: 1 << 20, from: try ring.payload(pattern(512, seed: 2)))
        .status
      #expect(first == .good(1 << 20) && tail == .good(512))
      #expect(await disk.flush() == .good())
      #expect(disk.counters.bufferedTransfers >= 1)
      if disk.isDirectAvailable { #expect(disk.counters.directTransfers == 1) }
      await disk.close()
      #expect(contents(path) == content + pattern(512, seed: 2))

      let again = try await FileDisk.open(path, options: FileDisk.Options(), ring: ring)
      #expect(again.blockCount == 2049 && again.blockLength == 512 && again.isReadOnly)
      var read = await again.read(at: 512, into: try ring.room(1 << 20))
      #expect(read.status == .good(1 << 20))
      #expect(read.payload.bytes() == Array(content[512...]) + pattern(512, seed: 2))
      read = await again.read(at: 4096, into: try ring.room(100))
      #expect(read.payload.bytes() == Array(content[4096..<4196]))
      await again.close()
    }
  }

  @Test("is written by one at a time, and not emptied by who has to wait; readers do not wait")
  func locked() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/disk"
      store(pattern(1024), at: path)
      let disk = try await FileDisk.open(path, options: .readWrite, ring: ring)
      await #expect(throws: DeviceError.busy(path: path)) {
        _ = try await FileDisk.open(path, options: .destination, ring: ring)
      }
      #expect(contents(path) == pattern(1024))
      let reader = try await FileDisk.open(path, options: FileDisk.Options(), ring: ring)
      await reader.close()
      await disk.close()
      let again = try await FileDisk.open(path, options: .destination, ring: ring)
      await again.close()
      #expect(contents(path) == [])
    }
  }

  @Test("may be a block device where a file would be made")
  func blockDestination() async throws {
    let files = SimulatedFileSystem()
    files.makeBlockDevice("/device", byteCount: 1 << 20, logicalBlockLength: 512)
    let plan = SimulationPlan(seed: 1)
    let error = try await CartridgePowerLossTests.simulate(files, plan) { ring -> DeviceError? in
      do throws(DeviceError) {
        await (try await FileDisk.open("/device", options: .destination, ring: ring)).close()
        return nil
      } catch { return error }
    }
    #expect(error == nil)
  }

  @Test("writes a payload of more ranges than one operation takes in several")
  func manyRanges() async throws {
    try await withProcessor { ring, directory in
      let disk = try await FileDisk.open(directory + "/disk", options: .destination, ring: ring)
      let content = pattern(512 * 1200)
      var source = try ring.payload(content)
      // Every second block first, so that no two neighbours of the payload touch in memory.
      var scattered = ring.arena.empty()
      var later = ring.arena.empty()
      for index in 0..<1200 {
        let block = source.removeFirst(512)
        if index % 2 == 0 { scattered.append(block) } else { later.append(block) }
      }
      scattered.append(later)
      let expected = scattered.bytes()
      #expect(scattered.rangeCount == 1200)
      let written = await disk.write(at: 0, from: scattered)
      #expect(written.status == .good(512 * 1200))
      #expect(written.payload.bytes() == expected)
      #expect(disk.counters.directTransfers + disk.counters.bufferedTransfers == 5)
      let read = await disk.read(at: 0, into: try ring.room(512 * 1200))
      #expect(read.payload.bytes() == expected)
      await disk.close()
    }
  }

  @Test("reports a read past the end of a file that was cut as an unrecovered read error")
  func pastTheEnd() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/disk"
      store(pattern(8192), at: path)
      let disk = try await FileDisk.open(path, options: FileDisk.Options(), ring: ring)
      unsafe truncate(path, 4096 + 700)
      let read = await disk.read(at: 4096, into: try ring.room(2048)).status
      #expect(
        read
          == .check(
            Condition(.mediumError, .unrecoveredReadError, information: 9), byteCount: 512))
      await disk.close()
    }
  }

  @Test("tells holes from data in whole blocks")
  func extents() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/disk"
      var options = FileDisk.Options.readWrite
      options.creates = true
      options.byteCount = 1 << 20
      let disk = try await FileDisk.open(path, options: options, ring: ring)
      _ = await disk.write(at: 512 << 10, from: try ring.payload(pattern(4096)))
      _ = await disk.flush()
      #expect(await disk.extent(at: 0) == Extent(isHole: true, end: 512 << 10))
      #expect(await disk.extent(at: 512 << 10) == Extent(isHole: false, end: 516 << 10))
      #expect(await disk.extent(at: 600 << 10) == Extent(isHole: true, end: 1 << 20))
      await disk.close()
    }
    #expect(
      Extent.found(at: 0, data: 1000, hole: nil, end: 4096, blockLength: 512)
        == Extent(isHole: true, end: 512))
    #expect(
      Extent.found(at: 512, data: 1000, hole: 1100, end: 4096, blockLength: 512)
        == Extent(isHole: false, end: 1536))
    #expect(
      Extent.found(at: 0, data: nil, hole: nil, end: 4096, blockLength: 512)
        == Extent(isHole: false, end: 4096))
  }

  @Test("cuts the blocks it allocated ahead")
  func cutsAtTheEnd() async throws {
    try await withProcessor { ring, directory in
      let path = directory + "/disk"
      let disk = try await FileDisk.open(path, options: .destination, ring: ring)
      _ = await disk.write(at: 0, from: try ring.payload(pattern(4096)))
      if disk.isDirectAvailable { #expect(contents(path).count == 64 << 20) }
      _ = await disk.flush()
      #expect(contents(path).count == 4096)
      await disk.close()
    }
  }

  @Test("gives every errno its condition")
  func conditions() {
    func condition(_ errno: Int32, _ writing: Bool) -> [UInt8] {
      let found = Condition.disk(errno: errno, writing: writing, block: 7)
      #expect(found.errno == errno && found.information == 7)
      return [found.key.rawValue, found.additional.code, found.additional.qualifier]
    }
    #expect(condition(ENOSPC, true) == [7, 0x27, 7])
    #expect(condition(EDQUOT, true) == [7, 0x27, 7])
    #expect(condition(EFBIG, true) == [7, 0x27, 7])
    #expect(condition(EROFS, true) == [7, 0x27, 0])
    #expect(condition(EIO, true) == [3, 0x0C, 0])
    #expect(condition(EIO, false) == [3, 0x11, 0])
    #expect(condition(ENODEV, false) == [4, 0x08, 0])
    #expect(condition(ETIMEDOUT, false) == [4, 0x08, 1])
    #expect(condition(ENOMEM, false) == [4, 0x55, 0])
    #expect(condition(ECANCELED, false) == [0xB, 0, 6])
    #expect(condition(EINVAL, false) == [4, 0x44, 0])
  }

  @Test("a full file system is a space allocation that failed")
  func fullDevice() async throws {
    try await withProcessor { ring, _ in
      // The one file that is always full is a character device: only its errno matters here.
      let file = await ring.blocking { $0.open("/dev/full", flags: O_RDWR, mode: 0) }
      let known = ring.know(file)
      var source: Payload? = try ring.payload(pattern(512))
      let result = await ring.perform {
        if let payload = source.take() { ring.write(known, at: 0, from: payload, for: $0, tag: 0) }
      }
      ring.forget(known)
      await ring.blocking { $0.close(file) }
      #expect(Condition.disk(errno: -result, writing: true, block: 0).key == .dataProtect)
    }
  }
}
