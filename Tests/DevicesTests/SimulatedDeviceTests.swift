import Glibc
import SCSI
import Testing
import Uring

@testable import Devices

@Suite("Devices on a simulated kernel")
struct SimulatedDeviceTests {
  @Test("continue short transfers, EAGAIN and EINTR to the last byte", arguments: 0..<10)
  func rough(seed: Int) async throws {
    let files = SimulatedFileSystem()
    var plan = SimulationPlan.rough(seed: UInt64(seed))
    plan.shortTransfers = 0.5
    plan.again = 0.2
    let complaint: String? = try await CartridgePowerLossTests.simulate(files, plan) { ring in
      do {
        let disk = try await FileDisk.open("/disk", options: .destination, ring: ring)
        let content = pattern(200_192, seed: UInt64(seed))
        let written = await disk.write(at: 0, from: try ring.payload(content))
        guard written.status == .good(content.count) else { return "\(written.status)" }
        guard written.payload.bytes() == content else { return "the payload has changed" }
        let read = await disk.read(at: 0, into: try ring.room(content.count))
        guard read.status == .good(content.count) else { return "\(read.status)" }
        guard read.payload.bytes() == content else { return "other bytes" }
        let flushed = await disk.flush()
        await disk.close()
        return flushed == .good() ? nil : "\(flushed)"
      } catch { return "\(error)" }
    }
    #expect(complaint == nil)
    #expect(files.openDescriptorCount == 0)
    #expect(files.durableContent(of: "/disk") == pattern(200_192, seed: UInt64(seed)))
  }

  @Test("name the block of an error and keep what came before it")
  func errorAtABlock() async throws {
    let files = SimulatedFileSystem()
    files.setContent(of: "/disk", pattern(65536))
    var plan = SimulationPlan()
    plan.faults = [SimulatedFault([.read], bytes: 8192..<8193, errno: EIO)]
    let status = try await CartridgePowerLossTests.simulate(files, plan) { ring in
      do {
        let disk = try await FileDisk.open("/disk", options: FileDisk.Options(), ring: ring)
        let status = await disk.read(at: 8192, into: try ring.room(512)).status
        await disk.close()
        return status
      } catch { return DeviceStatus.good() }
    }
    #expect(status.condition?.key == .mediumError && status.condition?.information == 16)
    #expect(status.condition?.errno == EIO)
  }

  @Test("end a tape behind its last good record where the disk is full")
  func fullDisk() async throws {
    let files = SimulatedFileSystem(capacityBytes: 64 << 10)
    let found = try await CartridgePowerLossTests.simulate(files, SimulationPlan()) { ring in
      do {
        try await Cartridge.create(at: "/tape", ring: ring)
        let tape = try await Cartridge.open("/tape", ring: ring)
        let collector = Collector()
        for tag in 0..<12 {
          tape.write(
            try ring.payload(pattern(8192, seed: UInt64(tag))), recordCount: 2, for: collector,
            tag: UInt64(tag))
        }
        await collector.wait(ring, until: 12)
        let count = tape.objectCount
        _ = await tape.close()
        return (collector.statuses, count)
      } catch { return ([], 0) }
    }
    let (statuses, count) = found
    let failed = statuses.firstIndex { !$0.isSuccess } ?? 0
    #expect(failed > 0 && statuses.count == 12)
    #expect(statuses[failed].condition?.key == .volumeOverflow)
    #expect(statuses[failed].condition?.errno == ENOSPC)
    #expect(statuses[(failed + 1)...].allSatisfy { $0.condition?.isAborted == true })
    #expect(Int(count) == failed * 2 + statuses[failed].byteCount / 4096)
  }

  @Test("report a flush that failed, and go on reporting it")
  func failedFlush() async throws {
    let files = SimulatedFileSystem()
    var plan = SimulationPlan()
    plan.faults = [SimulatedFault([.flush], path: "/tape/data", errno: EIO, isOnce: true)]
    let made = try await CartridgePowerLossTests.simulate(files, SimulationPlan()) { ring in
      (try? await Cartridge.create(at: "/tape", ring: ring)) != nil
    }
    #expect(made)
    let statuses = try await CartridgePowerLossTests.simulate(files, plan) { ring in
      do {
        let tape = try await Cartridge.open("/tape", ring: ring)
        _ = await tape.write(try ring.payload(pattern(4096)))
        let first = await tape.writeFilemarks(1, immediate: false)
        let second = await tape.write(try ring.payload(pattern(4096))).status
        return [first, second, await tape.close()]
      } catch { return [] }
    }
    #expect(statuses.count == 3 && statuses.allSatisfy { $0.condition?.key == .mediumError })
    #expect(statuses.first?.condition?.isDeferred == true)
  }
}
