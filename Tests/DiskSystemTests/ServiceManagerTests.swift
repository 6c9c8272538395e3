import Foundation
import Glibc
import Testing

/// The socket of a service manager.
private final class NotifySocket {
  private let descriptor: Int32
  /// As NOTIFY_SOCKET names it.
  let name: String

  init(_ name: String) throws {
    self.name = name
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var wait = timeval(tv_sec: 30, tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(name.utf8)
    if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let length = socklen_t(2 + bytes.count)
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length)
      }
    }
    try #require(bound == 0)
  }

  deinit { close(descriptor) }

  /// The next message; nil where none comes in time.
  func next() -> [String]? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { return nil }
    return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// What is there already.
  func rest() -> [[String]] {
    var found: [[String]] = []
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
      guard count >= 0 else { return found }
      found.append(
        String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init))
    }
  }
}

@Suite("ecopyd as a service")
struct ServiceManagerTests {
  private static let arguments = [
    "--config", "a.yaml", "--state", "s", "--listen", "127.0.0.1:0",
  ]

  @Test("tells when it is ready, that it lives, and that it stops", arguments: [true, false])
  func itTells(isAbstract: Bool) throws {
    let scratch = try Scratch()
    try scratch.write("a.yaml", Sample.whole)
    let socket = try NotifySocket(
      isAbstract ? "@ecopyd-\(UUID().uuidString)" : scratch.path("notify"))
    let daemon = try Daemon(
      Self.arguments, in: scratch,
      environment: ["NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "100000"])
    let address = try #require(try daemon.addresses().first)
    #expect(socket.next() == ["READY=1", "STATUS=serving 1 unit at \(address)"])
    for _ in 0..<3 {
      #expect(
        socket.next() == ["WATCHDOG=1", "STATUS=serving 1 unit at \(address), 0 sessions"])
    }
    daemon.signal(SIGTERM)
    var last = socket.next()
    while last?.first == "WATCHDOG=1" { last = socket.next() }
    #expect(last?.first == "STOPPING=1")
    #expect(daemon.end().status == 0)
  }

  @Test("a watchdog of another process is not answered, and nobody need listen")
  func otherWatchdogs() throws {
    let scratch = try Scratch()
    try scratch.write("a.yaml", Sample.whole)
    let socket = try NotifySocket("@ecopyd-\(UUID().uuidString)")
    let daemon = try Daemon(
      Self.arguments, in: scratch,
      environment: [
        "NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "\(getpid())",
      ])
    _ = try daemon.addresses()
    #expect(socket.next()?.first == "READY=1")
    #expect(daemon.end(SIGTERM).status == 0)
    #expect(socket.rest().map(\.first) == ["STOPPING=1"])
    for name in ["/no/such/socket", "relative", "@", String(repeating: "/", count: 200)] {
      let other = try Daemon(Self.arguments, in: scratch, environment: ["NOTIFY_SOCKET": name])
      _ = try other.addresses()
      #expect(other.end(SIGTERM).status == 0)
    }
  }

  @Test("says why it does not start")
  func itSaysWhy() throws {
    let scratch = try Scratch()
    try scratch.write("a.yaml", Sample.whole)
    try scratch.write("s", "no directory")
    let socket = try NotifySocket("@ecopyd-\(UUID().uuidString)")
    let daemon = try Daemon(
      Self.arguments, in: scratch, environment: ["NOTIFY_SOCKET": socket.name])
    #expect(daemon.end().status == 15)
    let told = socket.rest()
    #expect(told.count == 1 && told.first?.first?.hasPrefix("STATUS=s") == true, "\(told)")
  }

  @Test("a configuration is checked while another process serves from it")
  func checkedWhileServed() throws {
    let scratch = try Scratch()
    try scratch.write("a.yaml", Sample.whole)
    let daemon = try Daemon(Self.arguments, in: scratch)
    let address = try #require(try daemon.addresses().first)
    let check = ["--config", "a.yaml", "--state", "s", "--listen", address, "--check"]
    #expect(try Daemon(check, in: scratch).end().status == 0)
    try scratch.write("a.yaml", Sample.whole + "tapes: 1\n")
    let answer = try Daemon(check, in: scratch).end()
    #expect(answer.status == 1 && answer.errors.contains("a.yaml:9:1: "), "\(answer.errors)")
    #expect(daemon.end(SIGTERM).status == 0)
  }

  @Test(
    "the example of a unit file is what systemd takes",
    .enabled(if: Tool.isThere("systemd-analyze"), "systemd-analyze is not here"))
  func unitFile() throws {
    let scratch = try Scratch()
    let text = String(decoding: try Repository.bytes("examples/ecopyd.service"), as: UTF8.self)
    #expect(text.contains("/usr/bin/ecopyd"))
    func verify(_ text: String) throws -> (status: Int32, text: String) {
      try scratch.write(
        "ecopyd.service", text.replacing("/usr/bin/ecopyd", with: Daemon.path), mode: 0o644)
      return try Tool.run([
        "systemd-analyze", "verify", "--man=no", scratch.path("ecopyd.service"),
      ])
    }
    let answer = try verify(text)
    #expect(answer.status == 0 && answer.text.isEmpty, "\(answer.text)")
    #expect(try verify(text.replacing("WatchdogSec", with: "WatchdogSecs")).text.isEmpty == false)
  }
}
