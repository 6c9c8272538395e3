import Foundation
import Testing

/// A program of Debian's libiscsi-bin.
enum Tool {
  static func isThere(_ name: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/\(name)")
  }

  /// What it says on both streams, and its exit code.
  static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/\(arguments[0])")
    process.arguments = Array(arguments.dropFirst())
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}

@Suite(
  "ecopyd with the tools of libiscsi",
  .enabled(if: Tool.isThere("iscsi-ls"), "libiscsi-bin is not installed"))
struct EndToEndTests {
  static let host = "iqn.2026-01.org.example:host"
  static let guest = "iqn.2026-01.org.example:guest"

  private func start(
    _ yaml: String, _ scratch: Scratch, _ further: String...
  ) throws -> (daemon: Daemon, address: String) {
    try scratch.write("a.yaml", yaml)
    let daemon = try Daemon(
      ["--config", "a.yaml", "--state", "s", "--listen", "127.0.0.1:0"] + further, in: scratch)
    return (daemon, try #require(try daemon.addresses().first))
  }

  private func lab() throws -> String {
    String(decoding: try Repository.bytes("examples/lab.yaml"), as: UTF8.self)
  }

  @Test("the laboratory shows three disks, and ends cleanly")
  func theLaboratoryShowsThreeDisks() throws {
    let scratch = try Scratch()
    let (daemon, address) = try start(try lab(), scratch)
    let list = try Tool.run(["iscsi-ls", "-s", "iscsi://\(address)"]).text
    #expect(list.contains("Target:iqn.2026-11.org.ecopy:disks Portal:\(address),1"), "\(list)")
    for line in ["Lun:0", "Lun:1", "Lun:2"] {
      #expect(list.contains("\(line)    Type:DIRECT_ACCESS"), "\(list)")
    }
    #expect(!list.contains("Lun:3"))
    let url = "iscsi://\(address)/iqn.2026-11.org.ecopy:disks"
    let small = try Tool.run(["iscsi-readcapacity16", "\(url)/0"]).text
    #expect(
      small.contains("LENGTH IN BYTES:512\n") && small.contains("Total size:536870912"), "\(small)")
    let large = try Tool.run(["iscsi-readcapacity16", "\(url)/1"]).text
    #expect(
      large.contains("LENGTH IN BYTES:4096\n") && large.contains("size:268435456"), "\(large)")
    let answer = daemon.end(SIGTERM)
    #expect(answer.status == 0, "\(answer.errors)")
    #expect(answer.errors.contains("ecopyd: stopped"))
  }

  @Test("names of units are the same after a restart, and differ from unit to unit")
  func namesAreTheSameAfterARestart() throws {
    let scratch = try Scratch()
    func names() throws -> [String] {
      let (daemon, address) = try start(try lab(), scratch)
      let url = "iscsi://\(address)/iqn.2026-11.org.ecopy:disks"
      var found: [String] = []
      for unit in [0, 1] {
        for page in ["128", "131"] {
          found.append(try Tool.run(["iscsi-inq", "-e", "1", "-c", page, "\(url)/\(unit)"]).text)
        }
      }
      #expect(daemon.end(SIGTERM).status == 0)
      return found
    }
    let first = try names()
    #expect(first.allSatisfy { $0.contains("Page Code") || $0.contains("Serial") }, "\(first)")
    #expect(first[0] != first[2] && first[1] != first[3])
    #expect(try names() == first)
  }

  @Test("an initiator is shown, and let into, what the rules say")
  func rulesAreKept() throws {
    let yaml = """
      portals: [127.0.0.1:3260]
      units:
        a: {file: a.img, size: 1 MiB}
        b: {file: b.img, size: 2 MiB}
      targets:
        - name: iqn.2026-11.org.example:open
          access:
            - {initiators: \(Self.host), authentication: none, units: {0: a, 7: b}}
            - {initiators: \(Self.guest), authentication: none, units: {0: b}}
        - name: iqn.2026-11.org.example:closed
          access:
            - {initiators: \(Self.host), authentication: none, units: {0: a}}
      """
    let scratch = try Scratch()
    let (daemon, address) = try start(yaml, scratch)
    func list(_ initiator: String) throws -> String {
      try Tool.run(["iscsi-ls", "-i", initiator, "-s", "iscsi://\(address)"]).text
    }
    func capacity(_ initiator: String, _ place: String) throws -> (status: Int32, text: String) {
      try Tool.run([
        "iscsi-inq", "-i", initiator, "iscsi://\(address)/iqn.2026-11.org.example:\(place)",
      ])
    }
    let host = try list(Self.host)
    #expect(host.contains(":open") && host.contains(":closed") && host.contains("Lun:7"), "\(host)")
    let guest = try list(Self.guest)
    #expect(guest.contains(":open") && !guest.contains(":closed"), "\(guest)")
    #expect(guest.contains("Lun:0") && !guest.contains("Lun:7"), "\(guest)")
    #expect(try list("iqn.2026-01.org.example:nobody").contains("Target:") == false)
    #expect(try capacity(Self.host, "closed/0").status == 0)
    let refused = try capacity(Self.guest, "closed/0")
    let unknown = try capacity(Self.guest, "nothing/0")
    #expect(refused.status != 0 && unknown.status != 0)
    #expect(
      refused.text.replacing("closed", with: "") == unknown.text.replacing("nothing", with: ""))
    #expect(daemon.tells("login refused: \(Self.guest)"))
    #expect(daemon.tells("no rule of iqn.2026-11.org.example:closed lets it in"))
    #expect(daemon.end(SIGINT).status == 0)
  }

  @Test("CHAP lets in whoever knows the secret, in both directions")
  func secretsAreAsked() throws {
    let yaml = """
      portals: [127.0.0.1:3260]
      units: {a: {file: a.img, size: 1 MiB}}
      targets:
        - name: iqn.2026-11.org.example:shut
          access:
            - initiators: any
              authentication:
                chap:
                  user: host
                  secret: abcdefghijkl
                  mutual: {user: disks, secret: lkjihgfedcba}
                  allow-legacy: true
              units: {0: a}
      """
    let scratch = try Scratch()
    let (daemon, address) = try start(yaml, scratch)
    let place = "\(address)/iqn.2026-11.org.example:shut/0"
    func status(_ account: String, _ query: String = "") throws -> Int32 {
      try Tool.run(["iscsi-inq", "iscsi://\(account)\(place)\(query)"]).status
    }
    #expect(try status("host%abcdefghijkl@") == 0)
    let mutual = "?target_user=disks&target_password=lkjihgfedcba"
    #expect(try status("host%abcdefghijkl@", mutual) == 0)
    #expect(
      try status("host%abcdefghijkl@", "?target_user=disks&target_password=lkjihgfedcbX") != 0)
    #expect(try status("host%abcdefghijkX@") != 0)
    #expect(try status("") != 0)
    #expect(!(try Tool.run(["iscsi-ls", "iscsi://\(address)"]).text.contains("Target:")))
    #expect(daemon.end(SIGTERM).status == 0)
  }

  @Test("a second daemon does not serve from the same state, and a taken port is named")
  func twoDaemonsDoNotShare() throws {
    let scratch = try Scratch()
    let (daemon, address) = try start(try lab(), scratch)
    let second = try Daemon.run(
      "--config", "a.yaml", "--state", "s", "--listen", "127.0.0.1:0", in: scratch)
    #expect(second.status == 26)
    #expect(second.errors.contains("serves from this state directory"), "\(second.errors)")
    let third = try Daemon.run(
      "--config", "a.yaml", "--state", "t", "--listen", address, in: scratch)
    #expect(third.status == 98)
    #expect(third.errors.contains("\(address): bind failed"), "\(third.errors)")
    daemon.signal(SIGTERM)
    #expect(daemon.end().status == 0)
    let (fourth, _) = try start(try lab(), scratch)
    #expect(fourth.end(SIGTERM).status == 0)
  }

  @Test("a unit that cannot be opened is named with the way out")
  func unitsAreNamed() throws {
    let scratch = try Scratch()
    func complaint(_ unit: String) throws -> String {
      let yaml = "portals: [127.0.0.1:0]\nunits: {disk: \(unit)}\n" + Sample.targets
      try scratch.write("a.yaml", yaml)
      let answer = try Daemon.run("--config", "a.yaml", "--state", "s", in: scratch)
      #expect(answer.status == 15, "\(answer.errors)")
      return answer.errors
    }
    try scratch.write("odd.img", String(repeating: "x", count: 1000))
    let odd = scratch.path("odd.img")
    #expect(try complaint("{file: \(odd)}").contains("another block-length"))
    #expect(try complaint("{file: \(odd), size: 512}").contains("more than the size"))
    #expect(try complaint("{device: \(odd), block-length: 4096}").contains("unit disk: "))
    #expect(try complaint("{file: none.img}").contains("add size"))
    #expect(try complaint("{device: /dev/null}").contains("neither a file nor a block device"))
    #expect(try Data(contentsOf: scratch.url.appending(path: "odd.img")).count == 1000)
  }
}
