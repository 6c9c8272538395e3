import Glibc
import SCSI
import Testing
import Uring

@testable import Devices

@Suite("A device that cannot be used")
struct DeviceErrorTests {
  static func opening(_ path: String, _ options: FileDisk.Options, _ ring: Ring)
    async -> DeviceError?
  {
    do throws(DeviceError) {
      await (try FileDisk.open(path, options: options, ring: ring)).close()
      return nil
    } catch {
      return error
    }
  }

  @Test("is told by its kind")
  func kinds() async throws {
    try await withProcessor { ring, directory in
      let read = FileDisk.Options()
      #expect(await Self.opening("/nowhere/x", read, ring) == .notFound(path: "/nowhere/x"))
      #expect(await Self.opening(directory, read, ring) == .isDirectory(path: directory))
      #expect(
        await Self.opening(directory, .destination, ring) == .isDirectory(path: directory))
      #expect(await Self.opening("/dev/null", read, ring) == .notADisk(path: "/dev/null"))
      let path = directory + "/odd"
      store(pattern(1000), at: path)
      #expect(
        await Self.opening(path, read, ring)
          == .sizeNotMultiple(path: path, byteCount: 1000, blockLength: 512))
      var odd = read
      odd.blockLength = 0
      #expect(
        await Self.opening(path, odd, ring)
          == .blockLength(path: path, blockLength: 0, smallest: 1))
      odd.blockLength = 1
      #expect(await Self.opening(path, odd, ring) == nil)
    }
  }

  @Test("is told from every errno of open")
  func errnos() {
    func error(_ errno: Int32) -> DeviceError { .opening("p", errno: errno, writing: true) }
    #expect(error(ENOENT) == .notFound(path: "p"))
    #expect(error(EACCES) == .permissionDenied(path: "p", writing: true))
    #expect(error(EISDIR) == .isDirectory(path: "p"))
    #expect(error(EBUSY) == .busy(path: "p"))
    #expect(error(ETXTBSY) == .busy(path: "p"))
    #expect(error(EROFS) == .readOnlyFileSystem(path: "p"))
    #expect(error(ENOSPC) == .noSpace(path: "p"))
    #expect(error(ENOMEDIUM) == .noMedium(path: "p"))
    #expect(error(EMFILE) == .system(path: "p", call: "open", errno: EMFILE))
  }

  @Test("keeps to the geometry of a block device")
  func geometry() throws {
    let disk = FileStatus(kind: .blockDevice, byteCount: 1 << 20, logicalBlockLength: 4096)
    var options = FileDisk.Options.destination
    let found = try FileDisk.Geometry("d", disk, options)
    #expect(found.blockLength == 4096 && found.blockCount == 256 && !found.grows)
    options.blockLength = 512
    #expect(throws: DeviceError.blockLength(path: "d", blockLength: 512, smallest: 4096)) {
      try FileDisk.Geometry("d", disk, options)
    }
  }

  static let all: [DeviceError] = [
    .notFound(path: "/p"), .isDirectory(path: "/p"), .notADisk(path: "/p"),
    .permissionDenied(path: "/p", writing: false), .permissionDenied(path: "/p", writing: true),
    .readOnlyFileSystem(path: "/p"), .busy(path: "/p"), .noSpace(path: "/p"),
    .sizeNotMultiple(path: "/p", byteCount: 1000, blockLength: 512),
    .blockLength(path: "/p", blockLength: 0, smallest: 1), .cartridgeExists(path: "/p"),
    .notACartridge(path: "/p"), .cartridgeVersion(path: "/p", version: 9),
    .cartridgeDamaged(path: "/p", reason: "a run of no records"), .cartridgeInUse(path: "/p"),
    .capacity(path: "/p", capacity: 0, earlyWarning: 1),
    .position(path: "/p", position: 9, objectCount: 3), .notATape(path: "/p"),
    .noMedium(path: "/p"), .tapeImage(path: "/p", offset: 4, reason: "cut short"),
    .transfer(path: "/p", condition: Condition(.mediumError, .writeError)),
    .option(device: "/p", option: "block=x", reason: "not a number"),
    .noMemory(path: "/p", byteCount: 5), .system(path: "/p", call: "stat", errno: EIO),
  ]

  @Test("says in one line what and where it is and what to do", arguments: all)
  func oneLine(error: DeviceError) {
    let text = error.description
    #expect(text.hasPrefix("/p: ") && !text.contains("\n") && text.count < 200)
  }
}
