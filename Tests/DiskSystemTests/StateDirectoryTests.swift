import Glibc
import Testing
import Uring

@testable import DiskSystem

@Suite("The state directory")
struct StateDirectoryTests {
  private func open(_ path: String) throws(DiskSystemError) -> StateDirectory {
    try StateDirectory.open(path, LinuxFileSystem()).get()
  }

  @Test("what names units are made of is made once, and differs from directory to directory")
  func namesAreStable() throws {
    let scratch = try Scratch()
    let first = try open(scratch.path("a"))
    let numbers = [first.number(of: "disk"), first.number(of: "tape")]
    first.close()
    let second = try open(scratch.path("a"))
    #expect([second.number(of: "disk"), second.number(of: "tape")] == numbers)
    #expect(numbers[0] != numbers[1])
    second.close()
    let other = try open(scratch.path("b"))
    #expect(other.number(of: "disk") != numbers[0])
    other.close()
  }

  @Test("two processes never share one, and the second is told which is the first")
  func theLockIsExclusive() throws {
    let scratch = try Scratch()
    let first = try open(scratch.path("a"))
    let error = #expect(throws: DiskSystemError.self) { try open(scratch.path("a")) }
    #expect(try #require(error).description.contains("process \(getpid()) serves"))
    first.close()
    try open(scratch.path("a")).close()
  }

  @Test("what cannot be used is named with the way out")
  func whatCannotBeUsedIsNamed() throws {
    let scratch = try Scratch()
    let files = LinuxFileSystem()
    func write(_ name: String, _ text: String) {
      let file = files.open(scratch.path(name), flags: O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
      _ = files.write(file, Array(text.utf8), at: 0)
      files.close(file)
    }
    func complaint(_ name: String) -> String {
      do throws(DiskSystemError) {
        try open(scratch.path(name)).close()
        return ""
      } catch {
        return error.description
      }
    }
    #expect(complaint("no/such/place").contains("make that first"))
    write("file", "")
    #expect(complaint("file").contains("name another --state"))
    #expect(complaint("a") == "")
    for text in ["", "0", "zz\n", String(repeating: "0", count: 33)] {
      write("a/identity", text)
      #expect(complaint("a").contains("32 hexadecimal digits"), "\(text)")
    }
    write("a/identity", String(repeating: "0a", count: 16) + "\n")
    #expect(complaint("a") == "")
  }

  @Test("reservations are kept for each unit, replaced and removed")
  func reservationsAreKept() throws {
    let scratch = try Scratch()
    let state = try open(scratch.path("a"))
    #expect(try state.reservations(of: "disk") == nil)
    #expect(state.store(reservations: nil, of: "disk"))
    #expect(state.store(reservations: [1, 2, 3], of: "disk"))
    #expect(state.store(reservations: [4], of: "other"))
    state.close()
    let again = try open(scratch.path("a"))
    #expect(try again.reservations(of: "disk") == [1, 2, 3])
    #expect(again.store(reservations: nil, of: "disk"))
    #expect(try again.reservations(of: "disk") == nil)
    #expect(try again.reservations(of: "other") == [4])
    again.close()
  }
}

@Suite("The file of a unit")
struct UnitFileTests {
  private let files = LinuxFileSystem()

  private func size(_ path: String) -> UInt64? {
    let file = files.open(path, flags: O_RDONLY, mode: 0)
    guard file >= 0 else { return nil }
    defer { files.close(file) }
    return try? files.status(file).byteCount
  }

  @Test("it is made once, and never cut")
  func itIsMadeOnce() throws {
    let scratch = try Scratch()
    let path = scratch.path("a.img")
    #expect(UnitFile.prepare(path, byteCount: 1 << 20, unit: "a", files) == nil)
    #expect(size(path) == 1 << 20)
    #expect(UnitFile.prepare(path, byteCount: 1 << 20, unit: "a", files) == nil)
    #expect(UnitFile.prepare(path, byteCount: nil, unit: "a", files) == nil)
    let error = UnitFile.prepare(path, byteCount: 1 << 19, unit: "a", files)
    #expect(error?.description.contains("write size: 1 MiB") == true)
    #expect(size(path) == 1 << 20)
  }

  @Test("without a size nothing is made, and a missing directory is named")
  func withoutASizeNothingIsMade() throws {
    let scratch = try Scratch()
    let path = scratch.path("a.img")
    let error = UnitFile.prepare(path, byteCount: nil, unit: "a", files)
    #expect(error?.description.contains("unit a: there is no file") == true)
    #expect(size(path) == nil)
    let missing = UnitFile.prepare(scratch.path("no/a.img"), byteCount: 512, unit: "a", files)
    #expect(missing?.description.contains("make that first") == true)
  }
}
