import CUring
import Glibc

/// Stream sockets: the calls of the control path that never wait.
public enum Socket {
  /// Connections the kernel keeps waiting until they are accepted.
  public static let backlog: Int32 = 128

  /// A socket that listens on `address`; port 0 takes a free one.
  ///
  /// - Returns: its descriptor, which the caller closes.
  public static func listen(on address: SocketAddress) throws(NetworkError) -> Int32 {
    let descriptor = try make(for: address)
    set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if address.isIPv6 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    var result = unsafe withAddress(address) { unsafe Glibc.bind(descriptor, $0, $1) }
    var call = "bind"
    if result == 0 {
      result = Glibc.listen(descriptor, backlog)
      call = "listen"
    }
    guard result == 0 else {
      let cause = errno
      Glibc.close(descriptor)
      throw .failed(call: call, address: address, errno: cause)
    }
    return descriptor
  }

  /// A socket to connect to `address` with, tuned like those that are accepted.
  ///
  /// - Parameter source: the local address to leave from; its port is not used.
  /// - Returns: its descriptor, which the caller closes.
  public static func make(
    for address: SocketAddress, from source: SocketAddress? = nil
  ) throws(NetworkError) -> Int32 {
    let descriptor = Glibc.socket(
      address.isIPv6 ? AF_INET6 : AF_INET,
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .failed(call: "socket", address: address, errno: errno) }
    tune(descriptor)
    if let source {
      let result = unsafe withAddress(source) { unsafe Glibc.bind(descriptor, $0, $1) }
      guard result == 0 else {
        let cause = errno
        Glibc.close(descriptor)
        throw .failed(call: "bind", address: source, errno: cause)
      }
    }
    return descriptor
  }

  /// Sends small messages at once, and finds dead peers after some minutes of silence.
  public static func tune(_ descriptor: Int32) {
    set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
  }

  /// Ends both directions: operations in flight on the socket complete soon.
  public static func shutDown(_ descriptor: Int32) {
    _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Breaks the connection at once: what was not sent is forgotten, and the peer is told.
  public static func abort(_ descriptor: Int32) {
    var nowhere = sockaddr()
    nowhere.sa_family = sa_family_t(AF_UNSPEC)
    _ = unsafe Glibc.connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
  }

  /// Gives a descriptor back. No operation on it is in flight.
  public static func close(_ descriptor: Int32) {
    Glibc.close(descriptor)
  }

  /// The address of this end; nil where the socket is not bound.
  public static func localAddress(of descriptor: Int32) -> SocketAddress? {
    unsafe readAddress { unsafe getsockname(descriptor, $0, $1) }
  }

  /// The address of the other end; nil where there is none.
  public static func peerAddress(of descriptor: Int32) -> SocketAddress? {
    unsafe readAddress { unsafe getpeername(descriptor, $0, $1) }
  }

  private static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func withAddress(
    _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var storage = sockaddr_storage()
    let length = unsafe address.store(in: &storage)
    return unsafe withUnsafePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
    }
  }

  private static func readAddress(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe body(address, &length) == 0 ? SocketAddress(address) : nil
      }
    }
  }
}

extension Ring {
  /// `SocketAddress.resolve` on a helper thread.
  public func resolve(host: String, port: UInt16) async throws(NetworkError) -> [SocketAddress] {
    let result = await blocking { _ in
      Result { () throws(NetworkError) in try SocketAddress.resolve(host: host, port: port) }
    }
    return try result.get()
  }
}
