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
    try state.store(reservations: [1, 2, 3], of: "disk")
    try state.store(reservations: [4], of: "other")
    state.close()
    let again = try open(scratch.path("a"))
    #expect(try again.reservations(of: "disk") == [1, 2, 3])
    try again.store(reservations: [5], of: "disk")
    #expect(try again.reservations(of: "disk") == [5])
    #expect(try again.reservations(of: "other") == [4])
    again.close()
  }

  @Test("a port keeps its identifier when others come, go, or change their places")
  func portsKeepTheirIdentifiers() throws {
    let scratch = try Scratch()
    func identifiers(_ targets: [String], _ portals: [String]) throws -> [[UInt16]] {
      let state = try open(scratch.path("a"))
      defer { state.close() }
      return try state.portIdentifiers(
        targets: targets, portals: portals.map { try #require(SocketAddress(portal: $0)) })
    }
    #expect(try identifiers(["a", "b"], ["127.0.0.1", "127.0.0.2"]) == [[1, 2], [3, 4]])
    #expect(try identifiers(["a", "b"], ["127.0.0.2"]) == [[2], [4]])
    #expect(try identifiers(["b", "c"], ["127.0.0.3", "127.0.0.2"]) == [[5, 4], [6, 7]])
    #expect(try identifiers(["a", "b"], ["127.0.0.1", "127.0.0.2"]) == [[1, 2], [3, 4]])
    #expect(try identifiers(["a"], ["127.0.0.1:0", "127.0.0.1:0"]) == [[8, 9]])
    #expect(try identifiers(["a"], ["127.0.0.1:0"]) == [[8]])
    for text in [
      "x", "1 a\n", "0 a b\n", "1 a b\n1 a c\n", "1 a b\n2 a b\n", "65536 a b\n", "1 a b",
    ] {
      try scratch.write("a/ports", text)
      let error = #expect(throws: DiskSystemError.self) { try identifiers(["a"], ["127.0.0.1"]) }
      #expect(try #require(error).description.contains("ports: is damaged"), "\(text)")
    }
    try scratch.write("a/ports", "65535 a 127.0.0.1:3260\n")
    #expect(try identifiers(["a"], ["127.0.0.1"]) == [[65535]])
    let full = #expect(throws: DiskSystemError.self) { try identifiers(["b"], ["127.0.0.1"]) }
    #expect(try #require(full).description.contains("identifiers of ports are given"))
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

  private func complaint(
    _ state: StateDirectory, _ file: String, _ byteCount: UInt64? = 1 << 20
  ) -> String? {
    do throws(DiskSystemError) {
      try UnitFile.prepare(file, byteCount: byteCount, unit: "a", in: state)
      try UnitFile.remember(file, unit: "a", in: state)
      return nil
    } catch {
      return error.description
    }
  }

  @Test("it is made once, and never cut")
  func itIsMadeOnce() throws {
    let scratch = try Scratch()
    let state = try StateDirectory.open(scratch.path("s"), files).get()
    defer { state.close() }
    #expect(complaint(state, "a.img") == nil)
    #expect(size(scratch.path("s/a.img")) == 1 << 20)
    #expect(complaint(state, "a.img") == nil)
    #expect(complaint(state, "a.img", nil) == nil)
    #expect(complaint(state, "a.img", 1 << 19)?.contains("write size: 1 MiB") == true)
    #expect(size(scratch.path("s/a.img")) == 1 << 20)
  }

  @Test("without a size nothing is made, and a missing directory is named")
  func withoutASizeNothingIsMade() throws {
    let scratch = try Scratch()
    let state = try StateDirectory.open(scratch.path("s"), files).get()
    defer { state.close() }
    #expect(complaint(state, "a.img", nil)?.contains("unit a: there is no file") == true)
    #expect(size(scratch.path("s/a.img")) == nil)
    #expect(complaint(state, scratch.path("no/a.img"))?.contains("make that first") == true)
    #expect(complaint(state, "ports")?.contains("keeps the name ports for itself") == true)
    #expect(complaint(state, "./units/a")?.contains("keeps the name units") == true)
  }

  @Test("one that was served and is gone is not made anew, until the state directory forgets it")
  func whatIsGoneIsNotMadeAnew() throws {
    let scratch = try Scratch()
    let state = try StateDirectory.open(scratch.path("s"), files).get()
    defer { state.close() }
    #expect(complaint(state, "a.img") == nil)
    #expect(files.remove(scratch.path("s/a.img")) == 0)
    let gone = try #require(complaint(state, "a.img"))
    #expect(gone.contains("a.img was served before and is missing; mount its file system"))
    #expect(gone.contains("or remove \(scratch.path("s"))/units/a to have an empty one made"))
    #expect(complaint(state, "b.img")?.contains("there is no \(scratch.path("s/b.img"))") == true)
    #expect(size(scratch.path("s/a.img")) == nil && size(scratch.path("s/b.img")) == nil)
    #expect(files.remove(scratch.path("s/units/a")) == 0)
    #expect(complaint(state, "a.img") == nil)
    // A file that somebody else made, or that has moved, is remembered too.
    #expect(files.rename(scratch.path("s/a.img"), to: scratch.path("c.img")) == 0)
    #expect(complaint(state, scratch.path("c.img")) == nil)
    #expect(try state.servedFile(of: "a") == scratch.path("c.img"))
  }
}
