import Glibc
import SCSI
import Testing
import Uring

@testable import Devices

@Suite("What the st driver answers")
struct LocalTapeTests {
  typealias Driver = LocalTape.DriverStatus

  @Test("to a write is done, to be done again after early warning, or failed")
  func writes() {
    func outcome(_ result: Int32, warned: Bool = false) -> LocalTape.WriteOutcome {
      LocalTape.outcome(write: 1000, result: result, warned: warned)
    }
    #expect(outcome(1000) == .written)
    #expect(outcome(-ENOSPC) == .again)
    guard case .failed(let full) = outcome(-ENOSPC, warned: true) else {
      Issue.record("a second ENOSPC is the end of the medium")
      return
    }
    #expect(full.key == .volumeOverflow && full.endOfMedium && full.errno == ENOSPC)
    guard case .failed(let short) = outcome(500), case .failed(let failed) = outcome(-EIO) else {
      Issue.record("half a record and an error are failures")
      return
    }
    #expect(short.additional == .writeError && failed.additional == .writeError)
  }

  @Test("to a read is a record, a filemark, end of data, a record too long, or an error")
  func reads() {
    func status(_ result: Int32, _ driver: Driver = Driver(), shorter: Bool = false)
      -> DeviceStatus
    {
      LocalTape.status(
        read: 1000, result: result, driver: driver, residual: 1000, acceptsShorter: shorter)
    }
    #expect(status(1000) == .good(1000))
    #expect(status(600, shorter: true) == .good(600))
    let under = status(600)
    #expect(under.byteCount == 600 && under.condition?.incorrectLength == true)
    #expect(under.condition?.information == 400)
    #expect(status(0, Driver(filemark: true)).condition?.filemark == true)
    #expect(status(0, Driver(endOfData: true)).condition?.key == .blankCheck)
    #expect(status(-EIO, Driver(endOfData: true)).condition?.additional == .endOfDataDetected)
    #expect(status(-EIO).condition?.additional == .unrecoveredReadError)
    #expect(status(-ENOMEM).condition?.incorrectLength == true)
    #expect(status(-ENOMEM, shorter: true).isSuccess == false)
  }

  @Test("to a movement tells where it stopped")
  func movements() {
    func condition(_ result: Int32, _ driver: Driver) -> Condition? {
      LocalTape.status(moving: result, driver: driver).condition
    }
    #expect(condition(0, Driver()) == nil)
    #expect(condition(-EIO, Driver(residual: 3, filemark: true))?.filemark == true)
    #expect(condition(-EIO, Driver(residual: 3, endOfData: true))?.information == 3)
    let beginning = condition(-EIO, Driver(residual: 2, beginning: true))
    #expect(beginning?.additional == .beginningOfPartitionDetected)
    #expect(beginning?.isEarlyWarning == false)
    #expect(condition(-EIO, Driver())?.key == .mediumError)
    #expect(condition(-ENOMEDIUM, Driver())?.additional == .mediumNotPresent)
    #expect(condition(-EBUSY, Driver())?.status == .busy)
    #expect(condition(-EINVAL, Driver())?.key == .illegalRequest)
  }

  @Test("is not asked of what is no drive")
  func noDrive() async throws {
    try await withProcessor { ring, directory in
      store([1], at: directory + "/file")
      for path in ["/dev/null", directory, directory + "/file"] {
        await #expect(throws: DeviceError.notATape(path: path)) {
          _ = try await LocalTape.open(path, ring: ring)
        }
      }
      await #expect(throws: DeviceError.notFound(path: "/dev/nst77")) {
        _ = try await DeviceOptions("/dev/nst77").openTape(ring: ring)
      }
    }
  }

  @Test("a device string opens what it names, in front of it what slows it down")
  func opensByString() async throws {
    try await withProcessor { ring, directory in
      store(pattern(4096), at: directory + "/disk")
      try await Cartridge.create(at: directory + "/tape", ring: ring)
      let disk = try await DeviceOptions(directory + "/disk,block=1024,fault=read-error@1")
        .openDisk(ring: ring)
      #expect(disk is FaultyDisk && disk.blockCount == 4)
      await disk.close()
      let tape = try await DeviceOptions("tape:\(directory)/tape,readonly,drive=lto-9")
        .openTape(ring: ring)
      #expect(tape is StreamingDrive && tape.isWriteProtected)
      _ = await tape.close()
      await #expect(throws: DeviceError.notATape(path: "d")) {
        _ = try await DeviceOptions("d").openTape(ring: ring)
      }
    }
  }
}
