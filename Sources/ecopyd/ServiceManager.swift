import Glibc

/// Whoever started this program and waits to hear from it: systemd with Type=notify. The protocol is
/// that of sd_notify(3): a datagram of lines to the socket that NOTIFY_SOCKET names.
struct ServiceManager: Sendable {
  private let name: [UInt8]

  /// The one that the environment names; nil where nobody waits.
  init?() {
    guard let text = Self.environment("NOTIFY_SOCKET") else { return nil }
    self.init(socket: text)
  }

  /// Listens at a path, or where the name begins with @ at an abstract address; nil where it is neither.
  init?(socket: String) {
    var name = Array(socket.utf8)
    guard name.count > 1, name.count < Self.nameByteCountMaximum,
      name[0] == UInt8(ascii: "/") || name[0] == UInt8(ascii: "@")
    else { return nil }
    if name[0] == UInt8(ascii: "@") { name[0] = 0 }
    self.name = name
  }

  private static let nameByteCountMaximum = MemoryLayout.size(ofValue: sockaddr_un().sun_path)

  /// How often it wants a sign of life at least; nil where it does not.
  static var watchdogMicroseconds: UInt64? {
    if let process = environment("WATCHDOG_PID"), process != "\(getpid())" { return nil }
    return environment("WATCHDOG_USEC").flatMap { UInt64($0) }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// Tells it something: lines as NAME=value. Whoever does not listen misses it.
  ///
  /// - Parameter waits: whether to wait for room in the socket.
  func tell(_ lines: [String], waits: Bool = true) {
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // SAFETY: the name was seen to be shorter than the path that it is copied to.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size - Self.nameByteCountMaximum + name.count)
    let text = Array(lines.map { $0.replacing("\n", with: " ") }.joined(separator: "\n").utf8)
    let flags = Int32(MSG_NOSIGNAL) | (waits ? 0 : Int32(MSG_DONTWAIT))
    unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe text.withUnsafeBytes { bytes in
          var sent: Int
          repeat {
            sent = unsafe sendto(descriptor, bytes.baseAddress, bytes.count, flags, pointer, length)
          } while sent < 0 && errno == EINTR
        }
      }
    }
  }

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
